package survey

import (
	"net/netip"
	"testing"
	"time"

	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/scheduler/virtual"
)

// limited is a world whose first router sends so many errors in a second, and
// ten at once after a rest.
func limited(truth internet.Config, perSecond float64) (*world, *int) {
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
			w, dropped := limited(truth, 100)
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

// A router that never answers, or always does, is not backed off from.
func TestNoBackoff(t *testing.T) {
	b := newBackoff()
	dst, from := netip.MustParseAddr("20.0.0.1"), netip.MustParseAddr("100.64.0.1")
	for range 1000 {
		b.lost(dst, 1, 0)
		b.answered(from, dst, 2, 0)
	}
	for ttl := range uint8(4) {
		b.admit(int(ttl), dst, ttl, 0)
	}
	if b.held.n != 0 || b.ready.n != 4 {
		t.Errorf("%d wait", b.held.n)
	}
	for range 100 {
		b.answered(from, dst, 2, 0)
		b.lost(dst, 2, 0)
	}
	b.admit(5, dst, 2, 0)
	b.admit(6, dst, 2, 0)
	if b.held.n != 1 {
		t.Errorf("%d wait for a router that answers half of the probes", b.held.n)
	}
}
