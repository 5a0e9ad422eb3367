package frame

import (
	"encoding/binary"
	"net/netip"
)

// IPv6 header, RFC 8200 section 3: offsets in bytes.
const (
	ipv6LengthAt     = 4 // of what follows the fixed header
	ipv6NextHeaderAt = 6
	ipv6HopLimitAt   = 7
	ipv6SrcAt        = 8
	ipv6DstAt        = 24
)

// Extension headers, RFC 8200 section 4: next header numbers.
const (
	extHopByHop    = 0
	extRouting     = 43
	extFragment    = 44
	extDestination = 60
)

// maxExtHeaders bounds the walk. RFC 8200 section 4.1 has no use for more than
// these four kinds, destination options twice.
const maxExtHeaders = 8

// addr6 reads an IPv6 address from the first 16 bytes of b. A mapped address
// (::ffff:0:0/96) stays the IPv6 address that it is on the wire.
func addr6(b []byte) netip.Addr { return netip.AddrFrom16([16]byte(b)) }

// ipv6TrafficClass reads the traffic class, which straddles two bytes.
func ipv6TrafficClass(b []byte) uint8 { return b[0]<<4 | b[1]>>4 }

// ipv6Chain is where the extension headers of a packet lead.
type ipv6Chain struct {
	protocol uint8 // the header at offset
	offset   int   // into what follows the fixed header
	first    bool  // offset 0 of a packet in several fragments
	later    bool  // a fragment from the middle or the end
	routed   bool  // a routing header has segments left: the destination is not final
	short    bool  // the bytes end inside the header at offset
	tooMany  bool  // more than maxExtHeaders
}

// walkExtHeaders follows the extension headers in b, which follow an IPv6
// header whose next header field is next. It stops at the first header of
// another kind, at a later fragment, or where the bytes end.
func walkExtHeaders(next uint8, b []byte) ipv6Chain {
	c := ipv6Chain{protocol: next}
	for range maxExtHeaders {
		rest := b[c.offset:]
		size := 8
		switch c.protocol {
		case extHopByHop, extDestination, extRouting:
			if len(rest) < 8 {
				c.short = true
				return c
			}
			size += int(rest[1]) * 8
			if c.protocol == extRouting && rest[3] != 0 {
				c.routed = true
			}
		case extFragment:
			if len(rest) < 8 {
				c.short = true
				return c
			}
			field := binary.BigEndian.Uint16(rest[2:]) // 13 bits offset, 2 reserved, more
			c.later = field>>3 != 0
			c.first = !c.later && field&1 != 0
		default:
			return c
		}
		if size > len(rest) {
			c.short = true
			return c
		}
		c.protocol = rest[0]
		c.offset += size
		if c.later {
			return c
		}
	}
	switch c.protocol {
	case extHopByHop, extDestination, extRouting, extFragment:
		c.tooMany = true
	}
	return c
}

func decodeIPv6(b []byte, offloaded bool, r *Reply) {
	if len(b) < ipv6HeaderLen {
		r.Kind = KindTruncated
		return
	}
	r.From = addr6(b[ipv6SrcAt:])
	r.To = addr6(b[ipv6DstAt:])
	r.TTL = b[ipv6HopLimitAt]
	r.TOS = ipv6TrafficClass(b)
	r.Size = ipv6HeaderLen + int(binary.BigEndian.Uint16(b[ipv6LengthAt:]))
	if b[0]>>4 != 6 {
		r.Kind = KindMalformed
		return
	}
	payload := b[ipv6HeaderLen:min(r.Size, len(b))]
	c := walkExtHeaders(b[ipv6NextHeaderAt], payload)
	switch {
	case c.short:
		r.Kind = KindTruncated
		return
	case c.tooMany:
		r.Kind = KindMalformed
		return
	case c.later:
		r.Kind = KindFragment
		return
	}
	s := segment{
		data:   payload[c.offset:],
		length: r.Size - ipv6HeaderLen - c.offset,
		addrs:  b[ipv6SrcAt:ipv6HeaderLen],
		first:  c.first,
	}
	s.whole = !offloaded && !s.first && !c.routed && len(s.data) == s.length

	switch c.protocol {
	case protoICMPv6:
		decodeICMPv6(&s, r)
	case protoUDP:
		decodeUDP(&s, r)
	case protoTCP:
		decodeTCP(&s, r)
	}
}
