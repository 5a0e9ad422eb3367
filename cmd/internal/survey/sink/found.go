package sink

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"sync/atomic"
)

// totals is what may be read from anywhere at any time.
type totals struct {
	found, traces atomic.Uint64
	rough         atomic.Bool // found is an estimate
}

// Found is how many addresses have answered so far, and whether that is exact: it
// is up to a few hundred thousand, and from there on within about one in a
// hundred.
func (s *Sink) Found() (n uint64, exact bool) { return s.total.found.Load(), !s.total.rough.Load() }

// tell lets others know how many there are.
func (t *totals) tell(r *responders) {
	t.found.Store(r.count())
	t.rough.Store(r.level > 0)
}

// Finished is how many traces are finished so far.
func (s *Sink) Finished() uint64 { return s.total.traces.Load() }

// responders counts addresses, of which it keeps a hash of 64 bits each. When it
// has many it goes on with a half of them, chosen by their hashes, then a
// quarter, and so on: a survey that remembers nothing of its targets takes no
// memory for their routers either (Wegman's adaptive sampling, Flajolet 1990).
type responders struct {
	places []uint64 // a power of two of them; 0 is free
	n      int      // of them that are not
	level  int      // leading bits that are 0 in every hash that is kept
}

const (
	fewPlaces  = 1 << 10
	mostPlaces = 1 << 19
)

func newResponders() responders { return responders{places: make([]uint64, fewPlaces)} }

func (r *responders) add(a netip.Addr) {
	b := a.As16()
	h := mix(binary.BigEndian.Uint64(b[:])+0x9e3779b97f4a7c15) ^ binary.BigEndian.Uint64(b[8:])
	r.enter(max(mix(h), 1))
}

// count is how many addresses there are, as far as that is known.
func (r *responders) count() uint64 { return uint64(r.n) << r.level }

// enter enters a hash, which is not 0, and makes room.
func (r *responders) enter(h uint64) {
	if bits.LeadingZeros64(h) < r.level || !r.put(h) {
		return
	}
	if r.n++; r.n <= len(r.places)/4*3 {
		return
	}
	old, size := r.places, 2*len(r.places)
	if len(old) == mostPlaces {
		size = mostPlaces
		r.level++
	}
	r.places, r.n = make([]uint64, size), 0
	for _, h := range old {
		if h != 0 && bits.LeadingZeros64(h) >= r.level {
			r.put(h)
			r.n++
		}
	}
}

// restored finds out which part the hashes are that were entered: when any was
// ever left out there are many, of which one shows it.
func (r *responders) restored() {
	if r.n < mostPlaces/8 {
		return
	}
	r.level = 64
	for _, h := range r.places {
		if h != 0 {
			r.level = min(r.level, bits.LeadingZeros64(h))
		}
	}
}

// put enters a hash and tells whether it is new.
func (r *responders) put(h uint64) bool {
	mask := uint64(len(r.places) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		switch r.places[i] {
		case h:
			return false
		case 0:
			r.places[i] = h
			return true
		}
	}
}

// mix spreads every bit of x over all of them (the last step of splitmix64).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
