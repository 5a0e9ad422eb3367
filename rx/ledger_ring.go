package rx

import (
	"encoding/binary"
	"math"
	"net/netip"
	"time"
)

// slot is a ring's slot unpacked: what differs from probe to probe.
type slot struct {
	sent    time.Duration // only its low sentBits are kept
	tag     int
	dst     address
	kind    uint16
	srcPort uint16
	label   uint32 // IPv6
	ttl     uint8
	state   slotState
	older   uint32 // place of the slot that the index has next
}

// slotState is a slot's state. Empty memory is void.
type slotState uint8

const (
	void   slotState = iota // no probe left under this number
	flying                  // in flight
	done                    // answered
	over                    // given up
)

// asEntry is the same in an entry's words.
func (s slotState) asEntry() state {
	switch s {
	case done:
		return answered
	case over:
		return expired
	}
	return inFlight
}

// ring is the slots, packed into words without pointers:
//
//	word 0     sent 48 bits, source port 16
//	word 1     tag 48 bits, kind 14, state 2
//	word 2     IPv4 address 32 bits, or flow label where there are five words;
//	           older 24, TTL 8
//	word 3, 4  address in its 16-byte form, only where IPv6 may come
type ring struct {
	words []uint64
	again []uint8 // by slot: how many replies came
	size  uint32  // slots, a power of two
	wide  uint32  // words a slot
}

const (
	sentBits  = 48 // 78 hours in nanoseconds
	kindBits  = 14
	stateMask = 3
	words4    = 3
	words6    = 5
)

func newRing(size uint32, v6 bool) ring {
	wide := uint32(words4)
	if v6 {
		wide = words6
	}
	return ring{words: make([]uint64, int(size)*int(wide)), again: make([]uint8, size), size: size, wide: wide}
}

// at gives the words of a probe's slot.
func (r *ring) at(seq uint32) []uint64 {
	i := int(seq&(r.size-1)) * int(r.wide)
	return r.words[i : i+int(r.wide)]
}

func (r *ring) state(seq uint32) slotState { return slotState(r.at(seq)[1] & stateMask) }

func (r *ring) setState(seq uint32, s slotState) {
	w := &r.at(seq)[1]
	*w = *w&^stateMask | uint64(s)
}

// count counts a reply to a probe whose state is settled, and gives which one of
// its replies this is; 255 stands for all further ones.
func (r *ring) count(seq uint32) int {
	n := &r.again[seq&(r.size-1)]
	if *n < math.MaxUint8 {
		*n++
	}
	return int(*n)
}

func (r *ring) clear(seq uint32) {
	clear(r.at(seq))
	r.again[seq&(r.size-1)] = 0
}

func (r *ring) put(seq uint32, s *slot) {
	w := r.at(seq)
	r.again[seq&(r.size-1)] = 0
	w[0] = uint64(s.sent)<<16 | uint64(s.srcPort)
	w[1] = uint64(s.tag)<<16 | uint64(s.kind)<<2 | uint64(s.state)
	w[2] = uint64(s.older)<<8 | uint64(s.ttl)
	if r.wide == words4 {
		w[2] |= s.dst.low << 32
		return
	}
	w[2] |= uint64(s.label) << 32
	w[3], w[4] = s.dst.high, s.dst.low
}

func (r *ring) get(seq uint32) slot {
	w := r.at(seq)
	return slot{
		sent:    time.Duration(w[0] >> 16),
		srcPort: uint16(w[0]),
		tag:     int(w[1] >> 16),
		kind:    uint16(w[1]>>2) & (1<<kindBits - 1),
		state:   slotState(w[1] & stateMask),
		label:   uint32(w[2] >> 32), // of no meaning for IPv4
		older:   r.older(seq),
		ttl:     uint8(w[2]),
		dst:     r.dst(seq),
	}
}

func (r *ring) older(seq uint32) uint32 { return uint32(r.at(seq)[2]>>8) & (MaxSlots - 1) }

func (r *ring) dst(seq uint32) address {
	w := r.at(seq)
	if r.wide == words4 {
		return address{0, mapped | w[2]>>32}
	}
	return address{w[3], w[4]}
}

// sent gives the time at which a probe left, as a time within 39 hours of now.
func (r *ring) sent(seq uint32, now time.Duration) time.Duration {
	return sentAt(r.at(seq)[0]>>16, now)
}

func sentAt(low uint64, now time.Duration) time.Duration {
	const unused = 64 - sentBits
	age := int64((uint64(now)-low)<<unused) >> unused
	return now - time.Duration(age)
}

// address is an address in its 16-byte form, IPv4 mapped (RFC 4291 section
// 2.5.5.2).
type address struct{ high, low uint64 }

const mapped = 0xffff << 32

func addressOf(a netip.Addr) address {
	b := a.As16()
	return address{binary.BigEndian.Uint64(b[:]), binary.BigEndian.Uint64(b[8:])}
}

func (a address) addr() netip.Addr {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], a.high)
	binary.BigEndian.PutUint64(b[8:], a.low)
	return netip.AddrFrom16(b).Unmap()
}
