package simnet

import (
	"encoding/binary"
	"net/netip"

	"github.com/hopquote/hopquote/frame"
)

// ARP, RFC 826, and neighbour discovery, RFC 4861 sections 4.3 and 4.4.
const (
	arpLen       = 28
	arpRequest   = 1
	arpReply     = 2
	solicitType  = 135
	advertType   = 136
	solicitLen   = 24
	targetLink   = 2          // option: the target's link address
	fromRouter   = 0x80000000 // flags of an advertisement
	wasSolicited = 0x40000000
	overrides    = 0x20000000
	discoveryTTL = 255
)

// answerARP gives the reply to an ARP request, nil if it is none for us.
func (r *Responder) answerARP(f []byte) []byte {
	b := f[ethernetLen:]
	if len(b) < arpLen || [8]byte(b) != [8]byte{0, 1, 8, 0, 6, 4, 0, arpRequest} {
		return nil
	}
	sender, target := netip.AddrFrom4([4]byte(b[14:])), netip.AddrFrom4([4]byte(b[24:]))
	if !r.script.isNeighbour(target) || sender == target {
		return nil
	}
	out := make([]byte, 0, ethernetLen+arpLen)
	out = append(out, b[8:14]...)
	out = append(out, r.mac[:]...)
	out = append(out, 8, 6, 0, 1, 8, 0, 6, 4, 0, arpReply)
	out = append(out, r.mac[:]...)
	out = append(out, b[24:28]...)
	return append(out, b[8:18]...)
}

// answerSolicitation gives the advertisement that a neighbour solicitation
// asks for, nil if p is none for us.
func (r *Responder) answerSolicitation(f []byte, p *ipPacket) []byte {
	b := p.transport
	if !isDiscovery(p) || b[0] != solicitType || len(b) < solicitLen {
		return nil
	}
	target := netip.AddrFrom16([16]byte(b[8:]))
	if !r.script.isNeighbour(target) || p.src.IsUnspecified() {
		return nil
	}
	m := frame.ErrorMessage{ // it has the same layout: type, code, a word, bytes
		Link: r.linkTo(f), From: target, To: p.src, TTL: discoveryTTL,
		Type: advertType, Rest: wasSolicited | overrides,
	}
	if target == r.script.gateway(true) {
		m.Rest |= fromRouter
	}
	m.Quote = append(m.Quote, b[8:solicitLen]...)
	m.Quote = append(m.Quote, targetLink, 1)
	m.Quote = append(m.Quote, r.mac[:]...)
	return m.Append(nil)
}

// isDiscovery tells whether p is a message of neighbour discovery (RFC 4861
// section 4), which is no probe.
func isDiscovery(p *ipPacket) bool {
	return p.v6 && p.protocol == protoICMP && p.ttl == discoveryTTL && len(p.transport) >= 8 &&
		p.transport[0] >= 133 && p.transport[0] <= 137
}

// linkTo is the link header of what answers frame f.
func (r *Responder) linkTo(f []byte) frame.Link {
	return frame.Link{Type: frame.LinkEthernet, Src: r.mac, Dst: [6]byte(f[6:])}
}

func etherType(f []byte) uint16 { return binary.BigEndian.Uint16(f[12:]) }
