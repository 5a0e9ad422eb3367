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

// ipv6Chain is where the extension headers of a packet lead. It is small
// enough to be returned in registers.
type ipv6Chain struct {
	offset   int   // of the header that ends the chain, from the fixed header's end
	protocol uint8 // of the header at offset
	flags    chainFlags
}

// chainFlags is what a chain of extension headers says about its packet.
type chainFlags uint8

const (
	chainFirst  chainFlags = 1 << iota // the first of several fragments
	chainLater                         // a fragment from the middle or the end
	chainRouted                        // segments are left: the destination is not final
	chainShort                         // the bytes end inside the header at offset
	chainLong                          // more than maxExtHeaders
)

func isExtHeader(protocol uint8) bool {
	switch protocol {
	case extHopByHop, extRouting, extFragment, extDestination:
		return true
	}
	return false
}

// walkExtHeaders follows the extension headers in b, which follow an IPv6
// header whose next header field is next. It stops at the first header of
// another kind, behind a later fragment's header, or where the bytes end.
func walkExtHeaders(next uint8, b []byte) ipv6Chain {
	c := ipv6Chain{protocol: next}
	for range maxExtHeaders {
		if !isExtHeader(c.protocol) {
			return c
		}
		rest := b[c.offset:]
		if len(rest) < 8 {
			c.flags |= chainShort
			return c
		}
		size := 8
		switch {
		case c.protocol != extFragment:
			size += int(rest[1]) * 8
			if c.protocol == extRouting && rest[3] != 0 {
				c.flags |= chainRouted
			}
		case binary.BigEndian.Uint16(rest[2:])>>3 != 0: // the offset, then two reserved bits and "more"
			c.flags |= chainLater
		case rest[3]&1 != 0:
			c.flags |= chainFirst
		}
		if size > len(rest) {
			c.flags |= chainShort
			return c
		}
		c.protocol = rest[0]
		c.offset += size
		if c.flags&chainLater != 0 {
			return c
		}
	}
	if isExtHeader(c.protocol) {
		c.flags |= chainLong
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
	c := ipv6Chain{protocol: b[ipv6NextHeaderAt]}
	if isExtHeader(c.protocol) {
		c = walkExtHeaders(c.protocol, payload)
	}
	switch {
	case c.flags&chainShort != 0:
		r.Kind = KindTruncated
		return
	case c.flags&chainLong != 0:
		r.Kind = KindMalformed
		return
	case c.flags&chainLater != 0:
		r.Kind = KindFragment
		return
	}
	var s segment
	s.data = payload[c.offset:]
	s.length = r.Size - ipv6HeaderLen - c.offset
	s.addrs = b[ipv6SrcAt:ipv6HeaderLen]
	s.first = c.flags&chainFirst != 0
	s.whole = !offloaded && c.flags&(chainFirst|chainRouted) == 0 && len(s.data) == s.length

	r.Protocol = c.protocol
	if r.Protocol == protoICMPv6 {
		decodeICMPv6(&s, r)
		return
	}
	decodeTransport(&s, r)
}
