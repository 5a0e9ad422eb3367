package space

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// number is an address, or how many of them there are, as 128 bits. An IPv4
// address is its 32 bits.
type number struct{ hi, lo uint64 }

func small(n uint64) number { return number{0, n} }

func (a number) less(b number) bool { return a.hi < b.hi || a.hi == b.hi && a.lo < b.lo }

func (a number) add(b number) number {
	lo, carry := bits.Add64(a.lo, b.lo, 0)
	hi, _ := bits.Add64(a.hi, b.hi, carry)
	return number{hi, lo}
}

func (a number) sub(b number) number {
	lo, borrow := bits.Sub64(a.lo, b.lo, 0)
	hi, _ := bits.Sub64(a.hi, b.hi, borrow)
	return number{hi, lo}
}

func (a number) next() number { return a.add(small(1)) }
func (a number) prev() number { return a.sub(small(1)) }

// right shifts by n bits, 0..128.
func (a number) right(n int) number {
	if n >= 64 {
		return number{0, a.hi >> (n - 64)}
	}
	return number{a.hi >> n, a.lo>>n | a.hi<<(64-n)}
}

// left shifts by n bits, 0..128.
func (a number) left(n int) number {
	if n >= 64 {
		return number{a.lo << (n - 64), 0}
	}
	return number{a.hi<<n | a.lo>>(64-n), a.lo << n}
}

// len is how many bits the number has.
func (a number) len() int {
	if a.hi != 0 {
		return 64 + bits.Len64(a.hi)
	}
	return bits.Len64(a.lo)
}

// low has the n lowest bits set.
func low(n int) number { return small(1).left(n).prev() }

func (a number) or(b number) number  { return number{a.hi | b.hi, a.lo | b.lo} }
func (a number) and(b number) number { return number{a.hi & b.hi, a.lo & b.lo} }

func greater(a, b number) number {
	if a.less(b) {
		return b
	}
	return a
}

// toNumber takes an unmapped address.
func toNumber(a netip.Addr) number {
	if a.Is4() {
		b := a.As4()
		return small(uint64(binary.BigEndian.Uint32(b[:])))
	}
	b := a.As16()
	return number{binary.BigEndian.Uint64(b[:]), binary.BigEndian.Uint64(b[8:])}
}

func (a number) addr(v6 bool) netip.Addr {
	if !v6 {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], uint32(a.lo))
		return netip.AddrFrom4(b)
	}
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], a.hi)
	binary.BigEndian.PutUint64(b[8:], a.lo)
	return netip.AddrFrom16(b)
}

// width is how many bits an address has.
func width(v6 bool) int {
	if v6 {
		return 128
	}
	return 32
}
