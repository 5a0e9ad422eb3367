package survey

import (
	"encoding/binary"
	"net/netip"
)

// stopSet is the hops that are known: a responder with the TTL and flow that
// it answered to. It takes 8 bytes for each place, of which up to three quarters
// are taken. IPv6 addresses are kept as a hash of 64 bits, which takes two for
// one in a run of billions at most, and then costs a hop.
type stopSet struct {
	places []uint64 // a power of two of them; 0 is free
	n      int
}

// add enters a hop and tells whether it was there.
func (s *stopSet) add(from netip.Addr, ttl uint8, flow int) bool {
	return s.put(stopKey(from, ttl, flow))
}

// put enters a key, which is not 0, and tells whether it was there.
func (s *stopSet) put(key uint64) bool {
	if s.n >= len(s.places)/4*3 {
		s.grow()
	}
	i := s.find(key)
	if s.places[i] == key {
		return true
	}
	s.places[i] = key
	s.n++
	return false
}

// find gives the place of the key, or the free one where it belongs.
func (s *stopSet) find(key uint64) int {
	mask := len(s.places) - 1
	i := int(mix(key)) & mask
	for s.places[i] != 0 && s.places[i] != key {
		i = (i + 1) & mask
	}
	return i
}

func (s *stopSet) grow() {
	old := s.places
	s.places = make([]uint64, max(1<<10, 2*len(old)))
	for _, key := range old {
		if key != 0 {
			s.places[s.find(key)] = key
		}
	}
}

// stopKey is never 0: no TTL is.
func stopKey(from netip.Addr, ttl uint8, flow int) uint64 {
	rest := uint64(flow)<<8 | uint64(ttl)
	if from.Is4() {
		b := from.As4()
		return uint64(binary.BigEndian.Uint32(b[:]))<<24 | rest
	}
	b := from.As16()
	h := mix(binary.BigEndian.Uint64(b[:])+0x9e3779b97f4a7c15) ^ binary.BigEndian.Uint64(b[8:])
	return max(mix(mix(h)^rest), 1)
}

// mix spreads every bit of x over all of them (the last step of splitmix64).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
