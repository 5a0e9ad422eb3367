package rx

import (
	"net/netip"
	"time"

	"github.com/hopquote/hopquote/rx/anomaly"
)

// guard closes the weak rules to who guesses. Every quote that fits no probe
// counts against its destination; after guesses of them the weak rules rest for
// that destination, which gets one guess back every patience. Somebody who
// floods a run with look-alikes, or another run with the same ports, so gets
// only a handful of tries at 16 bits; the strong rules stay as they are.
type guard struct {
	spent [guardPlaces]uint8
	since time.Duration // up to when guesses were given back
}

const (
	guardPlaces   = 256
	guesses       = 8
	guessPatience = 10 * time.Second
)

func guardPlace(dst netip.Addr) uint8 {
	return uint8(anomaly.Tail(dst) * 0x9e3779b1 >> 24)
}

// open tells whether weak rules may be used for replies about dst at at.
func (g *guard) open(dst netip.Addr, at time.Duration) bool {
	if back := (at - g.since) / guessPatience; back > 0 {
		g.since += back * guessPatience
		n := uint8(min(back, guesses))
		for i := range g.spent {
			g.spent[i] -= min(g.spent[i], n)
		}
	}
	return g.spent[guardPlace(dst)] < guesses
}

// charge counts a reply about dst that fits no probe.
func (g *guard) charge(dst netip.Addr) {
	if n := &g.spent[guardPlace(dst)]; *n < guesses {
		*n++
	}
}
