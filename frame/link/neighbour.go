package link

import "net/netip"

// Interface flags that decide on link-layer addresses, netdevice(7).
const (
	flagLoopback     = 0x8
	flagPointToPoint = 0x10
	flagNoARP        = 0x80
)

var broadcastMAC = [6]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// groupMAC maps a multicast or broadcast address to its Ethernet address
// without asking anybody: RFC 1112 section 6.4, RFC 2464 section 7.
func groupMAC(addr netip.Addr) (mac [6]byte, ok bool) {
	switch {
	case addr.Is4() && addr.IsMulticast():
		b := addr.As4()
		return [6]byte{0x01, 0x00, 0x5e, b[1] & 0x7f, b[2], b[3]}, true
	case addr.IsMulticast():
		b := addr.As16()
		return [6]byte{0x33, 0x33, b[12], b[13], b[14], b[15]}, true
	case addr == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return broadcastMAC, true
	}
	return mac, false
}

// fixedMAC gives the destination that the kernel takes on links where nobody
// answers for an address: the interface's own without ARP, broadcast on
// Ethernet with one peer.
func fixedMAC(flags uint32, own [6]byte) (mac [6]byte, ok bool) {
	switch {
	case flags&(flagLoopback|flagNoARP) != 0:
		return own, true
	case flags&flagPointToPoint != 0:
		return broadcastMAC, true
	}
	return mac, false
}
