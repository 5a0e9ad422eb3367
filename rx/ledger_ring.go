package rx

import (
	"encoding/binary"
	"math"
	"net/netip"
	"time"
)

// slot is what a ring's slot is packed from: what differs from probe to probe.
type slot struct {
	sent    time.Duration // only its low sentBits are kept
	tag     int
	dst     address
	kind    uint16
	srcPort uint16
	label   uint32 // IPv6
	hint    uint32 // lowest bits of the token, only where IPv6 may come
	ttl     uint8
	state   slotState
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
//	word 1     tag 48 bits, shared 1, kind 13, state 2
//	word 2     IPv4 address 32 bits, or where there are five words hint 12 and
//	           flow label 20; older 24 (place of the slot that the index has
//	           next), TTL 8
//	word 3, 4  address in its 16-byte form, only where IPv6 may come
type ring struct {
	words []uint64
	again []uint8 // by slot: how many replies came
	size  uint32  // slots, a power of two
	wide  uint32  // words a slot
}

const (
	sentBits  = 48 // 78 hours in nanoseconds
	kindBits  = 13
	hintMask  = 1<<12 - 1
	stateMask = 3
	sharedBit = 1 << (kindBits + 2)
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

func (r *ring) state(seq uint32) slotState { return stateOf(r.at(seq)) }

func (r *ring) setState(seq uint32, s slotState) {
	w := &r.at(seq)[1]
	*w = *w&^stateMask | uint64(s)
}

// share notes that another probe took an answer that may be this one's, so that
// the next answer may be either's.
func (r *ring) share(seq uint32) { r.at(seq)[1] |= sharedBit }

func (r *ring) isShared(seq uint32) bool { return r.at(seq)[1]&sharedBit != 0 }

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
	w[2] = uint64(s.ttl)
	if r.wide == words4 {
		w[2] |= s.dst.low << 32
		return
	}
	w[2] |= uint64(s.hint)<<52 | uint64(s.label)<<32
	w[3], w[4] = s.dst.high, s.dst.low
}

// The parts of a slot's words.
func stateOf(w []uint64) slotState { return slotState(w[1] & stateMask) }
func kindOf(w []uint64) uint16     { return uint16(w[1]>>2) & (1<<kindBits - 1) }
func tagOf(w []uint64) int         { return int(w[1] >> 16) }
func olderOf(w []uint64) uint32    { return uint32(w[2]>>8) & (MaxSlots - 1) }

func setOlder(w []uint64, place uint32) { w[2] |= uint64(place) << 8 }

// Only where there are five words:
func labelOf(w []uint64) uint32 { return uint32(w[2]>>32) & maxLabel }
func hintOf(w []uint64) uint32  { return uint32(w[2] >> 52) }

// sentAt gives the time, within 39 hours of now, of which low is the low bits.
func sentAt(low uint64, now time.Duration) time.Duration {
	const unused = 64 - sentBits
	age := int64((uint64(now)-low)<<unused) >> unused
	return now - time.Duration(age)
}

// is tells whether the slot's probe went to a.
func (r *ring) is(w []uint64, a address) bool {
	if r.wide == words4 {
		return w[2]>>32|mapped == a.low && a.high == 0
	}
	return w[4] == a.low && w[3] == a.high
}

// address is addr in the form that the index takes.
func (r *ring) address(w []uint64) address {
	if r.wide == words4 {
		return address{0, w[2]>>32 | mapped}
	}
	return address{w[3], w[4]}
}

// addr gives the address that the slot's probe went to.
func (r *ring) addr(w []uint64) netip.Addr {
	var b [16]byte
	if r.wide == words4 {
		binary.BigEndian.PutUint32(b[:], uint32(w[2]>>32))
		return netip.AddrFrom4([4]byte(b[:4]))
	}
	binary.BigEndian.PutUint64(b[:], w[3])
	binary.BigEndian.PutUint64(b[8:], w[4])
	return netip.AddrFrom16(b).Unmap()
}

// address is an address in its 16-byte form, IPv4 mapped (RFC 4291 section
// 2.5.5.2).
type address struct{ high, low uint64 }

const mapped = 0xffff << 32

func addressOf(a netip.Addr) address {
	b := a.As16()
	return address{binary.BigEndian.Uint64(b[:]), binary.BigEndian.Uint64(b[8:])}
}
