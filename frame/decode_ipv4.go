package frame

import (
	"encoding/binary"
	"net/netip"
)

// IPv4 header, RFC 791 section 3.1: offsets in bytes.
const (
	ipv4TOSAt      = 1
	ipv4LengthAt   = 2
	ipv4IDAt       = 4
	ipv4FragmentAt = 6 // three flag bits, then the offset in units of 8 bytes
	ipv4TTLAt      = 8
	ipv4ProtocolAt = 9
	ipv4SrcAt      = 12
	ipv4DstAt      = 16
)

// The bits of the 16-bit word at ipv4FragmentAt.
const (
	ipv4DontFragment  = 0x4000
	ipv4MoreFragments = 0x2000
	ipv4OffsetMask    = 0x1fff
)

// addr4 reads an IPv4 address from the first four bytes of b.
func addr4(b []byte) netip.Addr { return netip.AddrFrom4([4]byte(b)) }

func decodeIPv4(b []byte, offloaded bool, r *Reply) {
	if len(b) < ipv4HeaderLen {
		r.Kind = KindTruncated
		return
	}
	r.From = addr4(b[ipv4SrcAt:])
	r.To = addr4(b[ipv4DstAt:])
	r.TTL = b[ipv4TTLAt]
	r.TOS = b[ipv4TOSAt]
	r.ID = binary.BigEndian.Uint16(b[ipv4IDAt:])
	r.Size = int(binary.BigEndian.Uint16(b[ipv4LengthAt:]))

	header := int(b[0]&0x0f) * 4
	if b[0]>>4 != 4 || header < ipv4HeaderLen || r.Size < header {
		r.Kind = KindMalformed
		return
	}
	if len(b) < header {
		r.Kind = KindTruncated
		return
	}
	fragment := binary.BigEndian.Uint16(b[ipv4FragmentAt:])
	if fragment&ipv4OffsetMask != 0 {
		r.Kind = KindFragment
		return
	}
	var s segment
	s.data = b[header:min(r.Size, len(b))]
	s.length = r.Size - header
	s.addrs = b[ipv4SrcAt:ipv4HeaderLen]
	s.first = fragment&ipv4MoreFragments != 0
	s.whole = !offloaded && !s.first && len(s.data) == s.length

	r.Protocol = b[ipv4ProtocolAt]
	if r.Protocol == protoICMP {
		decodeICMPv4(&s, r)
		return
	}
	decodeTransport(&s, r)
}
