package frame

import (
	"encoding/binary"
	"net/netip"
	"unsafe"
)

// addrInPlace tells whether an address starts with its bytes as two words, the
// upper first, as it has since Go 1.18 though nothing promises it.
var addrInPlace = func() bool {
	a := netip.AddrFrom16([16]byte{0: 1, 7: 2, 8: 3, 15: 4})
	w := (*[2]uint64)(unsafe.Pointer(&a))
	return unsafe.Sizeof(a) >= unsafe.Sizeof(*w) && *w == [2]uint64{0x0100000000000002, 0x0300000000000004}
}()

// addrWords gives the bytes of an IPv6 address as two big-endian words. As16,
// which writes in two goes what is then copied in one, stalls the processor for
// a fifth of Put's time.
func addrWords(a *netip.Addr) (high, low uint64) {
	if !addrInPlace {
		return addrWordsSlowly(a)
	}
	w := (*[2]uint64)(unsafe.Pointer(a))
	return w[0], w[1]
}

func addrWordsSlowly(a *netip.Addr) (high, low uint64) {
	b := a.As16()
	return binary.BigEndian.Uint64(b[:]), binary.BigEndian.Uint64(b[8:])
}
