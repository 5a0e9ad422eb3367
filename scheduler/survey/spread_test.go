package survey

import (
	"math"
	"net/netip"
	"testing"
	"time"

	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/frame"
)

// In no 100 ms does a router see more of a random survey than its share of all
// probes, but for what chance adds: six standard deviations, and a handful.
func TestSpread(t *testing.T) {
	truth := internet.Config{Seed: 3}
	var l list
	for i := range 4000 {
		l = append(l, netip.AddrFrom4([4]byte{20, byte(i >> 8), byte(i), 1}))
	}
	w := &world{truth: truth}
	cfg := config(t, frame.UDP, l)
	cfg.Max = 16
	s, err := NewRandom(cfg)
	if err != nil {
		t.Fatal(err)
	}
	const rate, window = 10000, 100 * time.Millisecond
	w.run(t, s, rate)
	share := map[netip.Addr]float64{}
	seen := map[netip.Addr]map[time.Duration]int{}
	for i := range w.net.Sent {
		p := &w.net.Sent[i]
		from := truth.Answer(p.Probe.Dst, int(p.Probe.TTL), frame.UDP).From
		share[from] += 1 / float64(len(w.net.Sent))
		if seen[from] == nil {
			seen[from] = map[time.Duration]int{}
		}
		seen[from][p.At/window]++
	}
	for from, windows := range seen {
		mean := share[from] * rate * window.Seconds()
		for at, n := range windows {
			if most := mean + 6*math.Sqrt(mean) + 5; float64(n) > most {
				t.Errorf("%s saw %d probes in 100 ms at %s, %.1f are its share", from, n, at*window, mean)
			}
		}
	}
}
