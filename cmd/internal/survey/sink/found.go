package sink

import (
	"encoding/binary"
	"net/netip"
	"sync/atomic"
)

// totals is what may be read from anywhere at any time.
type totals struct {
	found, traces atomic.Uint64
}

// Found is how many addresses have answered so far.
func (s *Sink) Found() uint64 { return s.total.found.Load() }

// Finished is how many traces are finished so far.
func (s *Sink) Finished() uint64 { return s.total.traces.Load() }

// responders counts addresses, of which it keeps a hash of 64 bits each.
type responders struct {
	places []uint64 // a power of two of them; 0 is free
	n      int
}

func newResponders() responders { return responders{places: make([]uint64, 1<<10)} }

func (r *responders) add(a netip.Addr) {
	b := a.As16()
	h := mix(binary.BigEndian.Uint64(b[:])+0x9e3779b97f4a7c15) ^ binary.BigEndian.Uint64(b[8:])
	r.enter(max(mix(h), 1))
}

// enter enters a hash, which is not 0, and makes room.
func (r *responders) enter(h uint64) {
	if !r.put(h) {
		return
	}
	if r.n++; r.n > len(r.places)/4*3 {
		old := r.places
		r.places = make([]uint64, 2*len(old))
		for _, h := range old {
			if h != 0 {
				r.put(h)
			}
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
