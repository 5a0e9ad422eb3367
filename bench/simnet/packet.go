package simnet

import (
	"encoding/binary"
	"net/netip"
)

// EtherTypes and IP protocol numbers, IANA registries.
const (
	etherTypeIPv4 = 0x0800
	etherTypeARP  = 0x0806
	etherTypeIPv6 = 0x86dd

	protoHopByHop  = 0
	protoICMP      = 1
	protoTCP       = 6
	protoUDP       = 17
	protoDCCP      = 33
	protoRouting   = 43
	protoFragment  = 44
	protoICMPv6    = 58
	protoDestOpts  = 60
	protoUDPLite   = 136
	ethernetLen    = 14
	ipv4HeaderLen  = 20
	ipv6HeaderLen  = 40
	maxExtHeaders  = 16 // of one IPv6 packet that we look behind
	fragmentHdrLen = 8
)

// ipPacket is a received IP packet as far as a path looks at it.
type ipPacket struct {
	ip        []byte // from its IP header to its stated end
	v6        bool
	src, dst  netip.Addr
	ttl       uint8
	protocol  int // of the transport; ICMPv6 as ICMP
	df        bool
	isLater   bool   // a fragment other than the first: no transport header
	transport []byte // from its header on; may be shorter than one
}

// parsePacket reads the IP packet in b, which may be followed by padding. It
// gives false for what is no whole IP packet or cannot be followed to its
// transport.
func parsePacket(b []byte, v6 bool) (ipPacket, bool) {
	if v6 {
		return parseIPv6(b)
	}
	return parseIPv4(b)
}

// parseIPv4 follows RFC 791 section 3.1.
func parseIPv4(b []byte) (ipPacket, bool) {
	if len(b) < ipv4HeaderLen || b[0]>>4 != 4 {
		return ipPacket{}, false
	}
	header, total := int(b[0]&0xf)*4, int(binary.BigEndian.Uint16(b[2:]))
	if header < ipv4HeaderLen || total < header || total > len(b) {
		return ipPacket{}, false
	}
	b = b[:total]
	fragment := binary.BigEndian.Uint16(b[6:])
	return ipPacket{
		ip:  b,
		src: netip.AddrFrom4([4]byte(b[12:])), dst: netip.AddrFrom4([4]byte(b[16:])),
		ttl: b[8], protocol: int(b[9]),
		df: fragment&0x4000 != 0, isLater: fragment&0x1fff != 0,
		transport: b[header:],
	}, true
}

// parseIPv6 follows RFC 8200 section 4.
func parseIPv6(b []byte) (ipPacket, bool) {
	if len(b) < ipv6HeaderLen || b[0]>>4 != 6 {
		return ipPacket{}, false
	}
	total := ipv6HeaderLen + int(binary.BigEndian.Uint16(b[4:]))
	if total > len(b) {
		return ipPacket{}, false
	}
	b = b[:total]
	p := ipPacket{
		ip: b, v6: true, df: true,
		src: netip.AddrFrom16([16]byte(b[8:])), dst: netip.AddrFrom16([16]byte(b[24:])),
		ttl: b[7],
	}
	next, rest := int(b[6]), b[ipv6HeaderLen:]
	for range maxExtHeaders {
		var size int
		switch next {
		case protoHopByHop, protoRouting, protoDestOpts:
			if len(rest) < 2 {
				return ipPacket{}, false
			}
			size = 8 + 8*int(rest[1])
		case protoFragment:
			if len(rest) < fragmentHdrLen {
				return ipPacket{}, false
			}
			size = fragmentHdrLen
			p.isLater = binary.BigEndian.Uint16(rest[2:])&^7 != 0
		case protoICMPv6:
			next = protoICMP
			fallthrough
		default:
			p.protocol, p.transport = next, rest
			return p, true
		}
		if size > len(rest) {
			return ipPacket{}, false
		}
		next, rest = int(rest[0]), rest[size:]
		if p.isLater {
			p.protocol, p.transport = next, rest
			return p, true
		}
	}
	return ipPacket{}, false
}

// hasPorts tells whether the protocol's header starts with two ports.
func hasPorts(protocol int) bool {
	switch protocol {
	case protoTCP, protoUDP, protoDCCP, protoUDPLite:
		return true
	}
	return false
}

// ports are source and destination port, and whether the packet has them.
func (p *ipPacket) ports() (src, dst uint16, ok bool) {
	if !hasPorts(p.protocol) || p.isLater || len(p.transport) < 4 {
		return 0, 0, false
	}
	return binary.BigEndian.Uint16(p.transport), binary.BigEndian.Uint16(p.transport[2:]), true
}

// ICMP types that errors and echoes have, RFC 792 and RFC 4443.
const (
	echoRequest4, echoRequest6 = 8, 128
	firstInfo6                 = 128 // ICMPv6 types below are errors
	lastType4                  = 18  // the last type that RFC 792 and 950 know
)

// isEcho tells whether the packet asks for an echo.
func (p *ipPacket) isEcho() bool {
	want := uint8(echoRequest4)
	if p.v6 {
		want = echoRequest6
	}
	return p.protocol == protoICMP && !p.isLater && len(p.transport) >= 8 && p.transport[0] == want
}

// mayCauseError tells whether routers send an error about the packet: not
// about ICMP errors, and Linux not about ICMP types that it does not know
// (RFC 1122 section 3.2.2, RFC 4443 section 2.4).
func (p *ipPacket) mayCauseError() bool {
	if p.isLater {
		return false
	}
	if p.protocol != protoICMP {
		return true
	}
	if len(p.transport) == 0 {
		return false
	}
	t := p.transport[0]
	if p.v6 {
		return t >= firstInfo6
	}
	switch t {
	case 3, 4, 5, 11, 12:
		return false
	}
	return t <= lastType4
}

// isUnicast tells whether the addresses are those of two hosts.
func (p *ipPacket) isUnicast() bool {
	return !p.dst.IsMulticast() && !p.src.IsMulticast() && !p.src.IsUnspecified() && !p.dst.IsUnspecified() &&
		!p.dst.IsLinkLocalUnicast() && p.dst != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}
