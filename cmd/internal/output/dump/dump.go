// Package dump shows packets in hexadecimal, in the forms that BSD
// traceroute's verbose modes have.
package dump

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// Sent appends a whole packet as it left: its length, then lines of eight
// 16-bit groups, with a last odd byte on its own.
func Sent(b, packet []byte) []byte {
	b = fmt.Appendf(b, "[ %d bytes", len(packet))
	for i := 0; i < len(packet); i += 2 {
		if i%16 == 0 {
			b = append(b, "\n\t"...)
		}
		b = fmt.Appendf(b, " %x", packet[i:min(i+2, len(packet))])
	}
	return append(b, "\n]\n"...)
}

// Message is a received ICMP message.
type Message struct {
	From, To netip.Addr
	TTL      uint8  // of its IP header
	Packet   []byte // the whole IP packet, cut to what its header promises
	ICMP     []byte // its part behind the IP header, at least icmpHeader bytes
	Six      bool   // ICMPv6
}

const (
	ipv4Header = 20 // RFC 791, without options
	ipv6Header = 40 // RFC 8200
	icmpHeader = 8  // RFC 792
	protoICMP  = 1
	protoICMP6 = 58
)

// Parse reads an IP packet that carries a whole ICMP header; false means that
// it does not, or is a later fragment, or has IPv6 extension headers.
func Parse(p []byte) (Message, bool) {
	var m Message
	switch {
	case len(p) >= ipv6Header && p[0]>>4 == 6:
		return parse6(p)
	case len(p) < ipv4Header || p[0]>>4 != 4:
		return m, false
	}
	header, length := int(p[0]&15)*4, int(binary.BigEndian.Uint16(p[2:]))
	length = min(length, len(p))
	offset := binary.BigEndian.Uint16(p[6:]) & 0x1fff
	if header < ipv4Header || length < header+icmpHeader || p[9] != protoICMP || offset != 0 {
		return m, false
	}
	from, _ := netip.AddrFromSlice(p[12:16])
	to, _ := netip.AddrFromSlice(p[16:20])
	return Message{From: from, To: to, TTL: p[8], Packet: p[:length], ICMP: p[header:length]}, true
}

func parse6(p []byte) (Message, bool) {
	length := min(ipv6Header+int(binary.BigEndian.Uint16(p[4:])), len(p))
	if length < ipv6Header+icmpHeader || p[6] != protoICMP6 {
		return Message{}, false
	}
	from, _ := netip.AddrFromSlice(p[8:24])
	to, _ := netip.AddrFromSlice(p[24:40])
	return Message{From: from, To: to, TTL: p[7], Packet: p[:length], ICMP: p[ipv6Header:length], Six: true}, true
}

// Quote is what the message quotes, as far as it came.
func (m *Message) Quote() []byte { return m.ICMP[icmpHeader:] }

// IsNeighbour tells whether the message is neighbour discovery (RFC 4861 section
// 4, all but redirects): the link's own business, as ARP is that of IPv4.
func (m *Message) IsNeighbour() bool { return m.Six && m.ICMP[0] >= 133 && m.ICMP[0] <= 136 }

// Other appends a message that answers no probe: a line about it, then its
// bytes from the quote on as 32-bit words in network order, numbered from 4.
func (m *Message) Other(b []byte) []byte {
	name := typeName
	if m.Six {
		name = typeName6
	}
	b = fmt.Appendf(b, "\n%d bytes from %s to %s: icmp type %d (%s) code %d\n",
		len(m.ICMP), m.From, m.To, m.ICMP[0], name(m.ICMP[0]), m.ICMP[1])
	rest := m.Quote()
	for i := 0; i < len(rest); i += 4 {
		b = fmt.Appendf(b, "%2d: %x\n", i+4, rest[i:min(i+4, len(rest))])
	}
	return b
}

// names4 are the ICMP types by number as BSD traceroute calls them.
var names4 = [...]string{
	"Echo Reply", "ICMP 1", "ICMP 2", "Dest Unreachable", "Source Quench", "Redirect", "ICMP 6", "ICMP 7", "Echo",
	"ICMP 9", "ICMP 10", "Time Exceeded", "Param Problem", "Timestamp", "Timestamp Reply", "Info Request", "Info Reply",
}

func typeName(t uint8) string {
	if int(t) < len(names4) {
		return names4[t]
	}
	return "OUT-OF-RANGE"
}

// typeName6 names the ICMPv6 types of RFC 4443 and RFC 4861.
func typeName6(t uint8) string {
	switch t {
	case 1:
		return "Dest Unreachable"
	case 2:
		return "Packet Too Big"
	case 3:
		return "Time Exceeded"
	case 4:
		return "Param Problem"
	case 128:
		return "Echo"
	case 129:
		return "Echo Reply"
	case 133:
		return "Router Solicitation"
	case 134:
		return "Router Advertisement"
	case 135:
		return "Neighbor Solicitation"
	case 136:
		return "Neighbor Advertisement"
	case 137:
		return "Redirect"
	}
	return fmt.Sprintf("ICMPv6 %d", t)
}
