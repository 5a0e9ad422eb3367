package link

import (
	"encoding/binary"
	"math/bits"
)

// Share is one of several next hops that flows are divided among.
type Share struct {
	MAC    [6]byte
	Weight int // 1 or more: its part
}

// set is what marks the number of several next hops, the rest of which is their
// index.
const set = 1 << 31

// shares are next hops, each with the sum of the weights up to it.
type shares struct {
	upTo    []uint64
	numbers []uint32
}

// AddShares enters several next hops, two or more, and gives their number: each
// gets as much of the flows as its weight is of all, and a flow always the same
// one. A flow is what routers tell them apart by: the destination and the first
// four bytes behind the IP header.
func (h *Hops) AddShares(list []Share) uint32 {
	known := map[[6]byte]uint32{}
	var s shares
	var sum uint64
	for _, one := range list {
		number, ok := known[one.MAC]
		if !ok {
			number = h.Add(one.MAC)
			known[one.MAC] = number
		}
		sum += uint64(max(one.Weight, 1))
		s.upTo, s.numbers = append(s.upTo, sum), append(s.numbers, number)
	}
	if len(known) == 1 {
		return s.numbers[0] // however many names it has
	}
	h.sets = append(h.sets, s)
	return set | uint32(len(h.sets)-1)
}

// of gives the number of the next hop for the flow of an Ethernet frame.
func (s *shares) of(f []byte) uint32 {
	at, _ := bits.Mul64(flowHash(f), s.upTo[len(s.upTo)-1])
	i := 0
	for s.upTo[i] <= at {
		i++
	}
	return s.numbers[i]
}

// flowHash is a number for the flow of a frame that is long enough for its
// destination address, the same in every run.
func flowHash(f []byte) uint64 {
	var high, low uint64
	at := ethernetLen + 40 // of what is behind the IP header
	if isIPv6(f) {
		high, low = binary.BigEndian.Uint64(f[dst6:]), binary.BigEndian.Uint64(f[dst6+8:])
	} else {
		low = uint64(binary.BigEndian.Uint32(f[dst4:]))
		at = ethernetLen + int(f[ethernetLen]&15)*4
	}
	var flow uint64
	if len(f) >= at+4 {
		flow = uint64(binary.BigEndian.Uint32(f[at:]))
	}
	return scramble(scramble(scramble(high)^low) ^ flow)
}

// scramble is a permutation of numbers that look alike to ones that do not: the
// finalizer of SplitMix64 (Steele, Lea, Flood, 2014).
func scramble(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
