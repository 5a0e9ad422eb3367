package survey

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// stopSet is the hops that are known: a responder with the TTL and flow that
// it answered to. It takes 10 to 20 bytes for each. IPv6 addresses are kept as a
// hash of 64 bits, which takes two for one in a run of billions at most, and
// then costs a hop.
//
// It grows a page at a time: a page that is full is split by the next bit of its
// keys' hashes (extendible hashing, Fagin 1979). So nothing is ever thrown away,
// and no probe waits for a million hops to move.
type stopSet struct {
	pages  []*hopPage // by the first depth bits of a key's hash
	depth  uint8
	n      int
	all    int    // pages, each counted once
	secret uint64 // so that nobody can choose addresses of one page
}

// hopPage is the keys whose hashes begin with the same bits, in a page of
// memory.
type hopPage struct {
	keys  [pageKeys]uint64 // 0 is free
	n     uint16           // of them that are not
	depth uint8            // how many bits they share
}

const (
	pageKeys = 510
	// fullPage is how many keys a page has at most: more would be slow to find.
	fullPage = pageKeys * 13 / 16
	// maxDepth bounds the pages, and how many hops are remembered: a billion.
	maxDepth = 22
)

// put enters a key, which is not 0, and tells whether it was there. A key for
// which there is no room is forgotten.
func (s *stopSet) put(key uint64) bool { return s.enter(key, s.hash(key)) }

// enter is put of a key whose hash is known.
func (s *stopSet) enter(key, h uint64) bool {
	if s.pages == nil {
		s.pages, s.all = []*hopPage{{}}, 1
	}
	for {
		p := s.pages[s.index(h)]
		at := p.find(key, h)
		switch {
		case *at == key:
			return true
		case p.n < fullPage:
			*at = key
			p.n++
			s.n++
			return false
		case p.depth == maxDepth:
			return false
		}
		s.split(s.index(h))
	}
}

func (s *stopSet) hash(key uint64) uint64 { return mix(key ^ s.secret) }

// index gives the place in pages that belongs to a hash.
func (s *stopSet) index(h uint64) uint64 { return h >> (64 - s.depth) }

// fetch begins to read the places of the replies' hops. What it gives has no
// meaning, but to be kept: reads for nothing are left out.
func (s *stopSet) fetch(list []learned) (sum uint64) {
	if s.pages == nil {
		return 0
	}
	for i := range list {
		h := list[i].hash
		sum |= s.pages[s.index(h)].keys[place(h)]
	}
	return sum
}

// place is where in a page a hash belongs.
func place(h uint64) uint {
	hi, _ := bits.Mul64(h<<maxDepth, pageKeys)
	return uint(hi)
}

// find gives the place of the key, or the free one where it belongs. There is
// always one that is free.
func (p *hopPage) find(key, h uint64) *uint64 {
	i := place(h)
	for i < pageKeys && p.keys[i] != 0 && p.keys[i] != key {
		i++
	}
	if i == pageKeys {
		for i = 0; p.keys[i] != 0 && p.keys[i] != key; i++ {
		}
	}
	return &p.keys[i]
}

// split makes two pages of the one at an index.
func (s *stopSet) split(i uint64) {
	old := s.pages[i]
	if old.depth == s.depth {
		twice := make([]*hopPage, 2*len(s.pages))
		for i, p := range s.pages {
			twice[2*i], twice[2*i+1] = p, p
		}
		s.pages, i = twice, 2*i
		s.depth++
	}
	all := old.keys
	halves := [2]*hopPage{old, {depth: old.depth + 1}}
	*old = hopPage{depth: old.depth + 1}
	for _, key := range all {
		if key == 0 {
			continue
		}
		h := s.hash(key)
		p := halves[h>>(64-old.depth)&1]
		*p.find(key, h) = key
		p.n++
	}
	s.all++
	// The page had all places whose first bits are those of i.
	wide := uint64(1) << (s.depth - old.depth)
	second := i&^(2*wide-1) + wide
	for i := range wide {
		s.pages[second+i] = halves[1]
	}
}

// bytes is how much memory it takes.
func (s *stopSet) bytes() int {
	const page, pointer = 4096, 8
	return s.all*page + cap(s.pages)*pointer
}

// each calls f with every key.
func (s *stopSet) each(f func(key uint64)) {
	for i := 0; i < len(s.pages); {
		p := s.pages[i]
		for _, key := range p.keys {
			if key != 0 {
				f(key)
			}
		}
		i += 1 << (s.depth - p.depth)
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
