package simnet

import (
	"encoding/binary"
	"net/netip"

	"github.com/hopquote/hopquote/frame"
)

// translated gives the packet as a translator between IPv4 and IPv6 sends it on,
// RFC 7915 sections 4.1 and 5.1, with the addresses that it has there: the
// transport checksum goes with them. A packet that is of their family already,
// or that no translator takes, stays as it is.
func translated(p *ipPacket, src, dst netip.Addr) *ipPacket {
	if src.Is6() == p.v6 || p.isLater {
		return p
	}
	tos := p.ip[1]
	protocol := p.protocol
	if p.v6 {
		tos = p.ip[0]<<4 | p.ip[1]>>4
	} else if protocol == protoICMP {
		protocol = protoICMPv6
	}
	b := appendIP(nil, frame.Link{}, src, dst, p.ttl, tos, 0, protocol, p.transport)[ethernetLen:]
	out, ok := parsePacket(b, !p.v6)
	if !ok {
		return p
	}
	if p.v6 { // an IPv4 packet that must not be cut
		b[6] |= 0x40
		fixHeaderChecksum(b, &out)
		out.df = true
	}
	before := checksummed(p)
	if out.protocol == protoICMP && len(out.transport) > 0 {
		switch t := &out.transport[0]; {
		case out.v6 && *t == echoRequest4:
			*t = echoRequest6
		case !out.v6 && *t == echoRequest6:
			*t = echoRequest4
		}
	}
	at, known := transportFields[out.protocol]["checksum"]
	if !known || len(out.transport) < at.at/8+2 {
		return &out
	}
	field := out.transport[at.at/8:]
	sum := binary.BigEndian.Uint16(field)
	if out.protocol == protoUDP && sum == 0 {
		return &out // it has none
	}
	sum = frame.UpdateChecksum(sum, before, checksummed(&out))
	if out.protocol == protoUDP && sum == 0 {
		sum = 0xffff
	}
	binary.BigEndian.PutUint16(field, sum)
	return &out
}

// checksummed sums what a translator changes of what the transport checksum
// covers: the pseudo-header and the type of ICMP.
func checksummed(p *ipPacket) uint16 {
	sum := pseudoSum(p)
	if p.protocol == protoICMP && len(p.transport) > 0 {
		sum += uint32(p.transport[0]) << 8
	}
	return frame.Fold(sum)
}

// pseudoSum sums the pseudo-header of the packet's checksum, RFC 9293 section
// 3.1 and RFC 8200 section 8.1; ICMP has one in IPv6 only.
func pseudoSum(p *ipPacket) uint32 {
	protocol := uint8(p.protocol)
	if protocol == protoICMP {
		if !p.v6 {
			return 0
		}
		protocol = protoICMPv6
	}
	return frame.PseudoSum(p.src, p.dst, protocol, len(p.transport))
}
