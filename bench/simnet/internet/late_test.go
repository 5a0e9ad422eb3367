package internet

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
)

// TestLate has every reply come later, and in order.
func TestLate(t *testing.T) {
	forms(t, Config{Late: 100, LateBy: 40 * time.Millisecond}, func(t *testing.T, c Config, n *Net) {
		w := newWire(t, n, c, rx.RingConfig{})
		const probes = 300
		for i := range probes {
			w.ask(t, i, probeAt(i, i%6))
		}
		next := 0
		w.until(t, func() bool { return next == probes }, func(data []byte, m *rx.Match) {
			if m.Verdict != rx.Exact || m.Tag != next || m.RTT < c.LateBy {
				t.Errorf("reply %d is to probe %d after %v, verdict %v: %x", next, m.Tag, m.RTT, m.Verdict, data)
			}
			next++
		})
		got := w.counters(t, probes)
		checkBalance(t, &got)
		if total := got.Total(); total.Delayed != probes || total.Answered != probes {
			t.Errorf("of %d late replies were counted: %+v", probes, total)
		}
	})
}

// TestCloseGivesUpLate closes an Internet whose replies still wait: none was an
// answer.
func TestCloseGivesUpLate(t *testing.T) {
	forms(t, Config{Late: 100, LateBy: time.Hour}, func(t *testing.T, c Config, n *Net) {
		w := newWire(t, n, c, rx.RingConfig{})
		const probes = 60
		for i := range probes {
			w.ask(t, i, probeAt(i, i%6))
		}
		before := w.counters(t, probes)
		if total := before.Total(); total.Delayed != probes || before.Failed != 0 {
			t.Errorf("of %d late replies were counted: %+v", probes, before)
		}
		if err := n.Internet.Close(); err != nil {
			t.Fatal(err)
		}
		after, err := n.Counters()
		if err != nil {
			t.Fatal(err)
		}
		total := after.Total()
		if diff := cmp.Diff(Count{Asked: probes}, total); diff != "" || after.Failed != probes {
			t.Errorf("%d failed, want %d; counters (-want +got):\n%s", after.Failed, probes, diff)
		}
	})
}

// TestLateTooLong has echo replies that are too long to be kept: they are not
// late. Those of the greatest length that can be are.
func TestLateTooLong(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		for size, want := range map[int]bool{longest - ethernetLen: true, longest - ethernetLen + 1: false} {
			w := newTwins(t, Config{Late: 100, MinHops: 1, MaxHops: 1})
			f, _ := buildProbe(t, &w.responder.config, frame.Probe{
				Method: frame.ICMP, Dst: destinations[choose(v6, 1, 4)], TTL: 9, Size: size,
			})
			w.compare(t, f)
			if got := w.responder.counts.Total().Delayed == 1; got != want {
				t.Errorf("IPv6 %v, %d bytes: late %v, want %v", v6, size, got, want)
			}
		}
	}
}
