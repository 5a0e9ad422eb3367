package internet

import (
	"testing"
	"time"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
)

// TestLimitFills moves the clock of a responder: a router sends its burst, and
// then one error in each period, as many as its burst at most after a pause.
func TestLimitFills(t *testing.T) {
	c := Config{Limited: 100, LimitEvery: time.Second, LimitBurst: 3}.withDefaults()
	now := time.Duration(0)
	r := responder{config: c, mac: testMAC, limits: newLimits(&c)}
	r.limits.now = func() uint64 { return uint64(now) }
	f, _ := buildProbe(t, &c, frame.Probe{Method: frame.UDP, Dst: destinations[0], TTL: 2, Size: 40})
	for _, step := range []struct {
		at          time.Duration
		asked, want int
	}{
		{0, 5, 3},
		{999 * time.Millisecond, 2, 0},
		{time.Second, 2, 1},
		{2500 * time.Millisecond, 2, 1},
		{3 * time.Second, 1, 1},
		{100 * time.Second, 10, 3},
	} {
		now = step.at
		got := 0
		for range step.asked {
			if len(r.respond(f, nil)) > 0 {
				got++
			}
		}
		if got != step.want {
			t.Errorf("at %v %d of %d probes were answered, want %d", step.at, got, step.asked, step.want)
		}
	}
	checkBalance(t, &r.counts)
	// Neither another router nor a destination knows of it.
	for _, p := range []frame.Probe{{TTL: 3}, {TTL: 60}, {TTL: 60}, {TTL: 60}, {TTL: 60}} {
		p.Method, p.Dst, p.Size = frame.UDP, destinations[0], 40
		f, _ := buildProbe(t, &c, p)
		if len(r.respond(f, nil)) == 0 {
			t.Errorf("%s is not answered", describe(&p))
		}
	}
}

// TestLimits asks one router until it has sent more than its burst, which takes
// some periods.
func TestLimits(t *testing.T) {
	forms(t, Config{Limited: 100, LimitEvery: 5 * time.Millisecond, LimitBurst: 4}, func(t *testing.T, c Config, n *Net) {
		w := newWire(t, n, c, rx.RingConfig{})
		const want = 20
		start := time.Now()
		asked, answered := 0, 0
		take := func([]byte, *rx.Match) { answered++ }
		for answered < want && time.Since(start) < long {
			for range 2 * c.LimitBurst { // at once: a slow machine too asks for too much
				w.ask(t, asked, frame.Probe{
					Method: frame.UDP, Dst: destinations[0], TTL: 2, Size: 40,
					SrcPort: uint16(2000 + asked/10000), DstPort: uint16(10000 + asked%10000),
				})
				asked++
			}
			w.drain(t, take)
			time.Sleep(100 * time.Microsecond)
		}
		most := c.LimitBurst + int(time.Since(start)/c.LimitEvery) + 1
		if answered < want || answered > most {
			t.Errorf("%d of %d probes were answered, want %d to %d", answered, asked, want, most)
		}
		got := w.counters(t, uint64(asked))
		checkBalance(t, &got)
		total := got.Total()
		if total.Limited == 0 || total.Asked != uint64(asked) {
			t.Errorf("%d probes were sent, counted: %+v", asked, total)
		}
	})
}
