package survey

import (
	"testing"
	"time"

	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/scheduler"
	"github.com/hopquote/hopquote/scheduler/virtual"
)

// Nothing of a probe depends on how long a survey has been running: there are
// probers whose packets hold the time, and that stop or alias after 6, 65 or 96
// seconds.
func TestLongRun(t *testing.T) {
	w := &world{truth: internet.Config{Seed: 3}}
	cfg := config(t, frame.UDP, addrs(600))
	a := newAnswers(t, w.truth, &cfg)
	s, err := NewRandom(cfg)
	if err != nil {
		t.Fatal(err)
	}
	c := w.run(t, s, 100)
	sent := w.net.Sent
	if last := sent[len(sent)-1].At; last < 3*time.Minute {
		t.Fatalf("the last probe left after %s", last)
	}
	sizes := map[bool]int{}
	for i := range sent {
		v6 := sent[i].Probe.IsIPv6()
		if was, ok := sizes[v6]; ok && was != len(sent[i].Frame) {
			t.Fatalf("a probe after %s has %d bytes, others have %d", sent[i].At, len(sent[i].Frame), was)
		}
		sizes[v6] = len(sent[i].Frame)
	}
	if c.Sent != 600*uint64(cfg.Max) || c.Answered != c.Sent || len(a.first) != int(c.Sent) {
		t.Errorf("%d answers, counts %+v", len(a.first), c)
	}
}

// The last probe has as long as the others to be answered.
func TestLastProbe(t *testing.T) {
	for _, mode := range []string{"random", "full", "adaptive"} {
		w := &world{truth: internet.Config{Seed: 3}, delay: func(virtual.Sent) time.Duration { return time.Second - time.Millisecond }}
		exact := 0
		cfg := config(t, frame.UDP, addrs(30))
		cfg.Reply = func(r *Reply) {
			if r.Match.Verdict == rx.Exact {
				exact++
			}
		}
		var s scheduler.Strategy
		var err error
		switch mode {
		case "random":
			s, err = NewRandom(cfg)
		case "full":
			s, err = NewFull(cfg)
		default:
			s, err = NewAdaptive(cfg)
		}
		if err != nil {
			t.Fatal(err)
		}
		if c := w.run(t, s, 0); c.Answered != c.Sent || c.Sent == 0 || exact != int(c.Sent) {
			t.Errorf("%s: %d exact, counts %+v", mode, exact, c)
		}
	}
}
