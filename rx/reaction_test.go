package rx_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/hopquote/hopquote/rx"
)

// BenchmarkReaction measures how long after its arrival a single packet is
// seen, in each profile.
func BenchmarkReaction(b *testing.B) {
	for name, p := range map[string]rx.Profile{"interactive": rx.Interactive, "survey": rx.Survey} {
		b.Run(name, func(b *testing.B) {
			n := openLine(b)
			c := lineConfig(b)
			c.Profile = p
			ring := openRing(b, n, wire, c)
			send := sender(b, n)
			packet := datagram(target, 5, "answer")
			var delays []time.Duration
			seen := func(p *rx.Packet) { delays = append(delays, time.Since(ring.Epoch())-p.At) }
			for b.Loop() {
				// Out of step with the timer that hands blocks over.
				time.Sleep(time.Duration(rand.Int64N(int64(2 * ring.Lag()))))
				send(packet)
				for before := len(delays); len(delays) == before; {
					if err := ring.Wait(time.Since(ring.Epoch()) + long); err != nil {
						b.Fatal(err)
					}
					if err := ring.Drain(seen); err != nil {
						b.Fatal(err)
					}
				}
			}
			slices.Sort(delays)
			b.ReportMetric(delays[len(delays)/2].Seconds()*1e6, "p50-us")
			b.ReportMetric(delays[len(delays)*99/100].Seconds()*1e6, "p99-us")
		})
	}
}
