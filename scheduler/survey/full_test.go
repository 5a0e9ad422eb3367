package survey

import (
	"testing"

	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/scheduler"
)

// newMode makes a strategy and tells how many probes it announces.
func newMode(mode string, cfg Config) (scheduler.Strategy, func() uint64, error) {
	switch mode {
	case "random":
		s, err := NewRandom(cfg)
		return s, func() uint64 { n, _ := s.Probes(); return n }, err
	case "full":
		s, err := NewFull(cfg)
		return s, func() uint64 { n, _ := s.Probes(); return n }, err
	}
	s, err := NewAdaptive(cfg)
	return s, func() uint64 { return 0 }, err
}

// Silent points are probed as often as asked, answered ones once, and every
// trace is finished once, after all of its probes.
func TestFull(t *testing.T) {
	for _, m := range methods {
		w := &world{truth: internet.Config{Seed: 3, MinHops: 6, Silent: 10, SilentHosts: 20}}
		cfg := config(t, m, addrs(60))
		cfg.Flows, cfg.Attempts = 2, 3
		finished := map[Trace]int{}
		cfg.Finish = func(trace Trace, _ Stop) { finished[trace]++ }
		got := newAnswers(t, w.truth, &cfg)
		s, err := NewFull(cfg)
		if err != nil {
			t.Fatal(err)
		}
		w.run(t, s, 10000)
		n := sentPoints(w.net.Sent)
		if len(n) != 60*2*32 {
			t.Fatalf("%d points, want %d", len(n), 60*2*32)
		}
		for p, times := range n {
			want := 1
			if w.truth.Answer(p.Dst, int(p.TTL), m).Silent {
				want = 3
			} else if _, ok := got.first[p]; !ok {
				t.Fatalf("the answer to %v is missing", p)
			}
			if times != want {
				t.Fatalf("%v was probed %d times, want %d", p, times, want)
			}
		}
		if len(finished) != 120 {
			t.Errorf("%d traces finished, want 120", len(finished))
		}
		for trace, times := range finished {
			if times != 1 {
				t.Errorf("%v finished %d times", trace, times)
			}
		}
	}
}

// Blocks come one after the other, and all of them.
func TestFullBlocks(t *testing.T) {
	var l list
	for i := range 2*blockTargets + 100 {
		l = append(l, addrs(3)[0])
		b := l[i].As4()
		b[2], b[3] = byte(i>>8), byte(i)
		l[i] = frameAddr(b)
	}
	w := &world{truth: internet.Config{Seed: 3, MinHops: 4, MaxHops: 4}}
	cfg := config(t, frame.UDP, l)
	cfg.Max = 4
	finished := 0
	cfg.Finish = func(Trace, Stop) { finished++ }
	got := newAnswers(t, w.truth, &cfg)
	s, err := NewFull(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.run(t, s, 0)
	if finished != len(l) || len(got.first) != 4*len(l) {
		t.Errorf("%d of %d traces finished, %d of %d answers", finished, len(l), len(got.first), 4*len(l))
	}
}
