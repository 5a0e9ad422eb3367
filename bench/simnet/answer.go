package simnet

import (
	"encoding/binary"
	"net/netip"

	"github.com/hopquote/hopquote/frame"
)

// tcpHeaderLen is the length of a TCP header without options.
const tcpHeaderLen = 20

// answerWindow is the window that TCP answers offer.
const answerWindow = 65535

// buildAnswer makes a reply that quotes nothing, nil if there is none to such
// a packet.
func (r *Responder) buildAnswer(f []byte, p *ipPacket, re *reply, from netip.Addr) []byte {
	a := frame.Answer{
		Link: r.linkTo(f), From: from, To: p.src, TTL: re.ttl, TOS: re.tos, ID: r.id,
		Payload: re.data,
	}
	switch re.kind {
	case echo:
		if !p.isEcho() {
			return nil
		}
		a.Method = frame.ICMP
		a.SrcPort = binary.BigEndian.Uint16(p.transport[4:])
		a.Seq = uint32(binary.BigEndian.Uint16(p.transport[6:]))
		if re.data == nil {
			a.Payload = p.transport[icmpHeaderLen:]
		}
	case answer:
		return r.buildDatagram(&a, p)
	case synAck, reset, tcpFlags:
		if p.protocol != protoTCP || p.isLater || len(p.transport) < tcpHeaderLen || !r.segment(&a, p, re) {
			return nil
		}
		a.Method = frame.TCP
		a.DstPort, a.SrcPort, _ = p.ports()
		a.Payload = nil
	}
	return nonEmpty(a.Append(nil))
}

// buildDatagram answers in the probe's own protocol.
func (r *Responder) buildDatagram(a *frame.Answer, p *ipPacket) []byte {
	src, dst, hasPorts := p.ports()
	switch {
	case p.protocol == protoUDP && hasPorts:
		a.Method, a.SrcPort, a.DstPort = frame.UDP, dst, src
		return nonEmpty(a.Append(nil))
	case p.protocol == protoUDPLite && hasPorts:
		return appendIP(nil, a.Link, a.From, a.To, a.TTL, a.TOS, a.ID, p.protocol, udpLite(a, dst, src))
	case p.protocol == protoICMP || p.protocol == protoTCP || p.isLater:
		return nil
	case len(a.Payload) == 0:
		a.Payload = p.transport
	}
	return appendIP(nil, a.Link, a.From, a.To, a.TTL, a.TOS, a.ID, p.protocol, a.Payload)
}

// udpLite makes a datagram whose checksum covers all of it, RFC 3828.
func udpLite(a *frame.Answer, src, dst uint16) []byte {
	b := binary.BigEndian.AppendUint16(nil, src)
	b = binary.BigEndian.AppendUint16(b, dst)
	b = append(b, 0, 0, 0, 0)
	b = append(b, a.Payload...)
	sum := ^frame.Fold(frame.Sum(b, frame.PseudoSum(a.From, a.To, protoUDPLite, len(b))))
	if sum == 0 {
		sum = 0xffff
	}
	binary.BigEndian.PutUint16(b[6:], sum)
	return b
}

// segment fills in what a TCP answers to a segment, and tells whether it does:
// RFC 9293 sections 3.5.2 (reset) and 3.10.7.2 (LISTEN).
func (r *Responder) segment(a *frame.Answer, p *ipPacket, re *reply) bool {
	seq, ack := binary.BigEndian.Uint32(p.transport[4:]), binary.BigEndian.Uint32(p.transport[8:])
	flags := p.transport[13]
	length := uint32(max(0, len(p.transport)-4*int(p.transport[12]>>4)))
	if flags&frame.FlagSYN != 0 {
		length++
	}
	if flags&frame.FlagFIN != 0 {
		length++
	}
	a.Seq, a.Ack, a.Window = r.random.Uint32(), seq+length+re.ack, answerWindow
	switch {
	case flags&frame.FlagRST != 0:
		return false // nor by the flags that a script asks for: hosts would go on resetting each other
	case re.kind == tcpFlags:
		a.Flags = re.flags
		return true
	case re.kind == synAck && flags&frame.FlagACK == 0:
		a.Flags = frame.FlagSYN | frame.FlagACK
		return flags&frame.FlagSYN != 0
	}
	a.Window = 0
	if flags&frame.FlagACK != 0 {
		a.Flags, a.Seq, a.Ack = frame.FlagRST, ack, 0
		return true
	}
	a.Flags, a.Seq = frame.FlagRST|frame.FlagACK, 0
	return true
}
