package survey

import (
	"maps"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/scheduler"
)

// kept is a strategy that can be gone on with.
type kept interface {
	scheduler.Expirer
	Save([]byte, []int) []byte
	Restore([]byte) error
}

func newKept(t testing.TB, mode string, cfg Config) kept {
	s, _, err := newMode(mode, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s.(kept)
}

// drawn is a survey of any kind, in any Internet.
type drawn struct {
	truth internet.Config
	mode  string
	cfg   Config
	rate  float64
}

func draw(t testing.TB, r *rapid.T) drawn {
	d := drawn{
		truth: internet.Config{
			Seed: rapid.Uint64().Draw(r, "seed"), MinHops: 4, MaxHops: rapid.IntRange(4, 20).Draw(r, "max hops"),
			Silent: rapid.SampledFrom([]int{0, 20}).Draw(r, "silent"), SilentHosts: rapid.SampledFrom([]int{0, 30}).Draw(r, "silent hosts"),
		},
		mode: rapid.SampledFrom([]string{"random", "full", "adaptive"}).Draw(r, "mode"),
		cfg:  config(t, rapid.SampledFrom(methods).Draw(r, "method"), addrs(rapid.IntRange(0, 60).Draw(r, "targets"))),
		rate: float64(rapid.SampledFrom([]int{100, 10000}).Draw(r, "rate")),
	}
	d.cfg.Max = uint8(rapid.IntRange(4, 24).Draw(r, "max"))
	d.cfg.Flows = rapid.IntRange(1, 2).Draw(r, "flows")
	d.cfg.Shards = uint64(rapid.IntRange(1, 3).Draw(r, "shards"))
	d.cfg.Backoff = rapid.Bool().Draw(r, "backoff")
	if d.mode != "random" {
		d.cfg.Attempts = rapid.IntRange(1, 3).Draw(r, "attempts")
	}
	return d
}

// cut ends a strategy when so many probes have left, and keeps its state.
type cut struct {
	kept
	book  *book
	left  int
	state []byte
}

func (c *cut) Plan(pass *scheduler.Pass) {
	if c.left > 0 {
		c.kept.Plan(pass)
		return
	}
	if c.state == nil {
		c.state = c.Save([]byte{}, c.book.flying())
	}
}

func (c *cut) Sent(tag int, p *frame.Probe, at time.Duration) {
	c.left--
	c.kept.Sent(tag, p, at)
}

func (c *cut) Done() bool { return c.state != nil || c.kept.Done() }

// However often a survey is cut short and gone on with, it finds what one finds
// that is not: no answer is missing or there twice, and no trace.
func TestSaveRestore(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		d := draw(t, r)
		truth, mode, cfg := d.truth, d.mode, d.cfg
		cfg.GapLimit = rapid.IntRange(0, 5).Draw(r, "gap limit")
		run := func(cuts func() int) (*answers, map[Trace]Stop) {
			cfg := cfg
			got, stops := newAnswers(t, truth, &cfg), map[Trace]Stop{}
			cfg.Finish = func(trace Trace, why Stop) {
				if _, ok := stops[trace]; ok {
					r.Fatalf("%v finished twice", trace)
				}
				stops[trace] = why
			}
			var state []byte
			for {
				w := &world{truth: truth}
				s := newKept(t, mode, cfg)
				if state != nil {
					if err := s.Restore(state); err != nil {
						r.Fatal(err)
					}
				}
				c := &cut{kept: s, left: cuts()}
				w.run(t, c, d.rate)
				if state = c.state; state == nil {
					return got, stops
				}
			}
		}
		whole, stops := run(func() int { return 1 << 30 })
		more := 1 // what is in flight is sent again each time, so that ever more must leave to get on
		parts, partStops := run(func() int { more *= 2; return more * rapid.IntRange(20, 400).Draw(r, "cut") })
		if mode != "adaptive" && !maps.Equal(whole.first, parts.first) {
			r.Fatalf("%d answers in parts, %d in one", len(parts.first), len(whole.first))
		}
		if len(stops) != len(partStops) {
			r.Fatalf("%d traces in parts, %d in one", len(partStops), len(stops))
		}
		for trace, why := range stops {
			if partStops[trace] != why && cfg.GapLimit == 0 {
				r.Fatalf("%v stopped by %d in parts, by %d in one", trace, partStops[trace], why)
			}
		}
		for p := range whole.first {
			if _, ok := parts.first[p]; !ok && whole.first[p] == p.Dst && int(p.TTL) == truth.Path(p.Dst) && truth.Silent == 0 {
				r.Fatalf("%v is missing", p)
			}
		}
	})
}

// What Restore is given may be anything.
func FuzzRestore(f *testing.F) {
	cfg := config(f, frame.UDP, addrs(40))
	modes := []string{"random", "full", "adaptive"}
	for i, mode := range modes {
		for _, sent := range []int{0, 100, 500} {
			w := &world{truth: internet.Config{Seed: 1}}
			c := &cut{kept: newKept(f, mode, cfg), left: sent}
			w.run(f, c, 1000)
			f.Add(uint8(i), c.state)
		}
	}
	f.Fuzz(func(t *testing.T, mode uint8, state []byte) {
		cfg := cfg
		cfg.Finish = func(Trace, Stop) {}
		s := newKept(t, modes[int(mode)%len(modes)], cfg)
		if s.Restore(state) != nil {
			return
		}
		saved := s.Save(nil, nil)
		again := newKept(t, modes[int(mode)%len(modes)], cfg)
		if err := again.Restore(saved); err != nil {
			t.Fatalf("what was restored can't be restored again: %v", err)
		}
		pass := scheduler.Pass{Room: 100}
		s.Plan(&pass)
	})
}
