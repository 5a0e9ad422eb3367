package survey

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/scheduler/virtual"
)

// limitedWorld is one whose first router sends so many errors in a second, and
// ten at once after a rest.
func limitedWorld(truth internet.Config, perSecond float64) (*world, *int) {
	w, tokens, last, dropped := &world{truth: truth}, 10.0, time.Duration(0), 0
	gate := func(s virtual.Sent) bool {
		if s.Probe.TTL != 1 {
			return true
		}
		tokens, last = min(tokens+perSecond*(s.At-last).Seconds(), 10), s.At
		if tokens < 1 {
			dropped++
			return false
		}
		tokens--
		return true
	}
	w.drop = func(s virtual.Sent) bool { return !gate(s) }
	return w, &dropped
}

// Where the first router limits its errors, a survey that backs off gets most of
// them, and slows down nothing else more than by what that takes.
func TestBackoff(t *testing.T) {
	truth := internet.Config{Seed: 3, MinHops: 8, MaxHops: 8}
	var targets list
	for i := range 2000 {
		targets = append(targets, netip.AddrFrom4([4]byte{20, 0, byte(i >> 8), byte(i)}))
	}
	for _, mode := range []string{"random", "full"} {
		var share [2]float64
		for i := range share {
			cfg := config(t, frame.UDP, targets)
			cfg.Max, cfg.Backoff = 8, i == 1
			w, dropped := limitedWorld(truth, 100)
			got := newAnswers(t, truth, &cfg)
			s, _, err := newMode(mode, cfg)
			if err != nil {
				t.Fatal(err)
			}
			if c := w.run(t, s, 4000); c.Sent != 2000*8 {
				t.Fatalf("%s: %d probes", mode, c.Sent)
			}
			if len(got.first)+*dropped != 2000*8 {
				t.Errorf("%s: %d answers and %d that were dropped", mode, len(got.first), *dropped)
			}
			share[i] = 1 - float64(*dropped)/2000
		}
		t.Logf("%s: the limited router answered %.0f%% without, %.0f%% with backing off", mode, 100*share[0], 100*share[1])
		if share[0] > 0.5 || share[1] < 0.6 {
			t.Errorf("%s: the limited router answered %.2f of the probes without, %.2f with backing off", mode, share[0], share[1])
		}
	}
}

// asks has a backoff admit and settle probes of a TTL, one each interval for so
// long, as a router answers them. It gives the times at which they left.
func asks(b *backoff, interval, whole time.Duration, answers func(at time.Duration) bool) (left []time.Duration) {
	const patience = 500 * time.Millisecond
	dst, from := netip.MustParseAddr("20.0.0.1"), netip.MustParseAddr("100.64.0.1")
	b.answered(from, dst, 1, 0) // or else nobody is to blame
	lost := 0                   // of left: up to here they are settled
	var flying []time.Duration
	for now := interval; now < whole; now += interval {
		b.now = now
		for ; lost < len(flying) && flying[lost]+patience <= now; lost++ {
			b.lost(dst, 1, flying[lost])
		}
		b.admit(1, dst, 1, now)
		if b.ready.n == 0 {
			b.held.pop()
			continue
		}
		b.ready.pop()
		left = append(left, now)
		if answers(now) {
			b.answered(from, dst, 1, now)
		} else {
			flying = append(flying, now)
		}
	}
	return left
}

// since is how many of the times are not before t.
func since(times []time.Duration, t time.Duration) (n int) {
	for _, at := range times {
		if at >= t {
			n++
		}
	}
	return n
}

// Whoever always answers is not backed off from, nor who keeps silent as often
// whatever the rate, but for a trial. Who has a limit is asked about as often as
// that allows, also where some silence has another reason.
func TestRouters(t *testing.T) {
	const whole, tail = 60 * time.Second, 20 * time.Second
	for name, test := range map[string]struct {
		perSecond, noise float64
		low, high        int // probes in the last 20 of 60 s, of 1000 in each
	}{
		"all":               {0, 0, 20_000, 20_000},
		"half":              {0, 0.5, 15_000, 20_000},
		"one in ten":        {0, 0.9, 15_000, 20_000},
		"limit":             {100, 0, 1800, 2400},
		"low limit":         {10, 0, 180, 260},
		"limit and silence": {100, 0.4, 1500, 4000},
	} {
		r := rand.New(rand.NewPCG(1, 2))
		tokens, last := 10.0, time.Duration(0)
		left := asks(newBackoff(), time.Millisecond, whole, func(at time.Duration) bool {
			if r.Float64() < test.noise {
				return false
			}
			if test.perSecond == 0 {
				return true
			}
			tokens, last = min(tokens+test.perSecond*(at-last).Seconds(), 10), at
			if tokens < 1 {
				return false
			}
			tokens--
			return true
		})
		if n := since(left, whole-tail); n < test.low || n > test.high {
			t.Errorf("%s: %d probes in 20 s, want %d to %d", name, n, test.low, test.high)
		}
	}
}

// A router that never answered is nobody's, and is not backed off from.
func TestUnknownRouter(t *testing.T) {
	b := newBackoff()
	dst := netip.MustParseAddr("20.0.0.1")
	for i := range time.Duration(1000) {
		b.now = i * time.Millisecond
		b.lost(dst, 1, b.now-500*time.Millisecond)
		b.admit(1, dst, 1, b.now)
	}
	if b.held.n != 0 || b.ready.n != 1000 {
		t.Errorf("%d wait", b.held.n)
	}
}
