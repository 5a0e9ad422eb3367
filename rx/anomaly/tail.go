package anomaly

import (
	"encoding/binary"
	"net/netip"
)

// Tail gives the last 32 bits of an address: all of an IPv4 address, and the
// IPv4 address that is embedded in an IPv6 one under a prefix of 96 bits (RFC
// 6052 section 2.2), as NAT64 and CLAT use it.
func Tail(a netip.Addr) uint32 {
	b := a.As16()
	return binary.BigEndian.Uint32(b[12:])
}
