package survey

import (
	"net/netip"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/frame"
)

func frameAddr(b [4]byte) netip.Addr { return netip.AddrFrom4(b) }

// hop is a responder at its place.
type hop struct {
	From netip.Addr
	TTL  uint8
}

// hops are all routers that answer on the ways to the targets.
func hops(truth internet.Config, targets list, m frame.Method, last int) map[hop]bool {
	all := map[hop]bool{}
	for _, dst := range targets {
		for ttl := 1; ttl < truth.Path(dst) && ttl <= last; ttl++ {
			if a := truth.Answer(dst, ttl, m); !a.Silent {
				all[hop{a.From, uint8(ttl)}] = true
			}
		}
	}
	return all
}

// Where everybody answers, every hop on the way to every target is found, every
// target is found at its distance, nothing wrong is, and with far fewer probes
// than all.
func TestAdaptive(t *testing.T) {
	for _, m := range methods {
		w := &world{truth: internet.Config{Seed: 3, MinHops: 6, MaxHops: 24}}
		targets := addrs(400)
		cfg := config(t, m, targets)
		cfg.GapLimit = 5
		stops := map[Trace]Stop{}
		cfg.Finish = func(trace Trace, stop Stop) { stops[trace] = stop }
		got := newAnswers(t, w.truth, &cfg)
		s, err := NewAdaptive(cfg)
		if err != nil {
			t.Fatal(err)
		}
		w.run(t, s, 1000)
		found := map[hop]bool{}
		for p, from := range got.first {
			found[hop{from, p.TTL}] = true
		}
		missing := 0
		for h := range hops(w.truth, targets, m, 32) {
			if !found[h] {
				missing++
			}
		}
		if missing > 0 {
			t.Errorf("%s: %d hops are missing", m, missing)
		}
		for i, dst := range targets {
			if stop := stops[Trace{uint64(i), 0}]; stop != Reached {
				t.Errorf("%s: %s stopped by %d", m, dst, stop)
			}
			if got.first[point{dst, uint8(w.truth.Path(dst)), 0}] != dst {
				t.Errorf("%s: %s was not probed at its distance", m, dst)
			}
		}
		for p, n := range sentPoints(w.net.Sent) {
			if n != 1 {
				t.Errorf("%s: %v was probed %d times", m, p, n)
			}
		}
		if len(w.net.Sent) > 400*32/3 {
			t.Errorf("%s: %d probes", m, len(w.net.Sent))
		}
	}
}

// Whatever the Internet is like, nothing wrong is found, every trace finishes
// once, for a reason that is true, and no probe is sent more often than asked.
func TestAdaptiveAnyInternet(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		low := rapid.IntRange(1, 30).Draw(r, "min hops")
		w := &world{truth: internet.Config{
			Seed: rapid.Uint64().Draw(r, "seed"), MinHops: low, MaxHops: low + rapid.IntRange(0, 12).Draw(r, "more"),
			Silent: rapid.SampledFrom([]int{0, 10, 50, 100}).Draw(r, "silent"), SilentHosts: rapid.SampledFrom([]int{0, 30, 100}).Draw(r, "silent hosts"),
		}, again: rapid.Bool().Draw(r, "twice")}
		m := rapid.SampledFrom(methods).Draw(r, "method")
		targets := addrs(rapid.IntRange(0, 60).Draw(r, "targets"))
		cfg := config(t, m, targets)
		cfg.First = uint8(rapid.IntRange(1, 4).Draw(r, "first"))
		cfg.Max = cfg.First + uint8(rapid.IntRange(0, 35).Draw(r, "span"))
		cfg.Flows = rapid.IntRange(1, 3).Draw(r, "flows")
		cfg.Attempts = rapid.IntRange(1, 3).Draw(r, "attempts")
		cfg.GapLimit = rapid.IntRange(0, 5).Draw(r, "gap limit")
		cfg.Start = uint8(rapid.IntRange(1, 40).Draw(r, "start"))
		got := newAnswers(t, w.truth, &cfg)
		stops := map[Trace]Stop{}
		cfg.Finish = func(trace Trace, stop Stop) {
			if _, ok := stops[trace]; ok {
				r.Fatalf("%v finished twice", trace)
			}
			stops[trace] = stop
		}
		s, err := NewAdaptive(cfg)
		if err != nil {
			r.Fatal(err)
		}
		w.run(t, s, float64(rapid.SampledFrom([]int{0, 100, 10000}).Draw(r, "rate")))
		if len(stops) != len(targets)*cfg.Flows {
			r.Fatalf("%d traces finished, want %d", len(stops), len(targets)*cfg.Flows)
		}
		for p, n := range sentPoints(w.net.Sent) {
			want := 1
			if w.truth.Answer(p.Dst, int(p.TTL), m).Silent {
				want = cfg.Attempts
			}
			if n != want || p.TTL < cfg.First || p.TTL > cfg.Max {
				r.Fatalf("%v was probed %d times, want %d", p, n, want)
			}
		}
		for trace, stop := range stops {
			dst := targets[trace.Target]
			reached := false
			for ttl := cfg.First; ttl <= cfg.Max; ttl++ {
				reached = reached || got.first[point{dst, ttl, trace.Flow}] == dst
			}
			if reached != (stop == Reached) {
				r.Fatalf("%s stopped by %d, but it answered: %v", dst, stop, reached)
			}
			if stop == GapLimit && cfg.GapLimit == 0 || stop == Unfinished || stop == Unreachable {
				r.Fatalf("%s stopped by %d", dst, stop)
			}
		}
	})
}

// A walk takes 8 bytes, and a target whose trace is not under way a byte for
// its distance.
func TestWalkIsSmall(t *testing.T) {
	s, err := NewAdaptive(config(t, frame.UDP, many(1<<30)))
	if err != nil {
		t.Fatal(err)
	}
	if size := sizeof[walk](); size != 8 {
		t.Errorf("a walk takes %d bytes", size)
	}
	if s.limit != maxWalks || len(s.far.known) > maxDistances {
		t.Errorf("%d walks, %d distances", s.limit, len(s.far.known))
	}
}

func sizeof[T any]() uintptr { var v T; return reflect.TypeOf(v).Size() }
