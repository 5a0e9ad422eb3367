package survey

import (
	"fmt"
	"math"
	"net/netip"
	"testing"
	"time"

	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/frame"
)

// watchful are the times at which each router of a world sees probes, in order.
type watchful map[netip.Addr][]time.Duration

func (w *world) seen() watchful {
	seen := watchful{}
	for i := range w.net.Sent {
		p := &w.net.Sent[i]
		from := w.truth.Answer(p.Probe.Dst, int(p.Probe.TTL), frame.UDP).From
		seen[from] = append(seen[from], p.At)
	}
	return seen
}

// most is how many of the times are in any window.
func most(times []time.Duration, window time.Duration) (n int) {
	from := 0
	for i, at := range times {
		for times[from]+window <= at {
			from++
		}
		n = max(n, i-from+1)
	}
	return n
}

// passes is how many of the targets have each router on the way, or are it.
func passes(truth internet.Config, l list) map[netip.Addr]int {
	n := map[netip.Addr]int{}
	for _, dst := range l {
		for ttl := 1; ttl <= truth.Path(dst); ttl++ {
			n[truth.Answer(dst, ttl, frame.UDP).From]++
		}
	}
	return n
}

// In no 100 ms does a router see more of a survey than its share, but for what
// chance adds: six standard deviations, and a handful. Its share is that of all
// probes. In an adaptive survey it is one probe for each trace that passes it, of
// those that leave in 100 ms; and the first router, which all pass, is hardly
// asked at all. Shards keep to it like the whole.
func TestSpread(t *testing.T) {
	truth := internet.Config{Seed: 3, MinHops: 10, MaxHops: 24}
	var l list
	for i := range 4500 {
		l = append(l, netip.AddrFrom4([4]byte{20, byte(i >> 8), byte(i / 3), byte(i%3 + 1)}))
	}
	passing := passes(truth, l)
	const rate, window, each = 10000, 100 * time.Millisecond, 1000 // probes in a window
	for _, mode := range []string{"random", "full", "adaptive"} {
		for _, shards := range []uint64{1, 3} {
			t.Run(fmt.Sprintf("%s/%d", mode, shards), func(t *testing.T) {
				w := &world{truth: truth}
				cfg := config(t, frame.UDP, l)
				cfg.Max, cfg.Shard, cfg.Shards = 24, shards-1, shards
				s, _, err := newMode(mode, cfg)
				if err != nil {
					t.Fatal(err)
				}
				w.run(t, s, rate)
				seen := w.seen()
				probes := float64(len(w.net.Sent))
				traces := float64(len(l)) / float64(shards) / probes * each // in a window
				greatest := 0
				for from, times := range seen {
					mean := float64(len(times)) / probes * each
					if mode == "adaptive" {
						mean = float64(passing[from]) / float64(len(l)) * traces
					}
					n := most(times, window)
					greatest = max(greatest, n)
					if limit := mean + 6*math.Sqrt(mean) + 5; float64(n) > limit {
						t.Errorf("%s saw %d probes in 100 ms, %.1f are its share", from, n, mean)
					}
				}
				first := seen[netip.MustParseAddr("10.99.0.254")]
				t.Logf("%.0f probes; no router saw more than %d of 1000, the first %d at most and %d in all", probes, greatest, most(first, window), len(first))
				if mode == "adaptive" && len(first) > 100 {
					t.Errorf("the first router was asked %d times", len(first))
				}
			})
		}
	}
}
