package frame

import (
	"encoding/binary"
	"net/netip"
)

// ErrorMessage describes an ICMP or ICMPv6 error, by the family of From.
type ErrorMessage struct {
	Link       Link
	From, To   netip.Addr // of one family
	TTL, TOS   uint8
	ID         uint16 // IPv4 identification
	Type, Code uint8
	Rest       uint32 // second word: MTU, pointer, RFC 4884 length
	Quote      []byte // as much of the offending packet as shall come back
	Ext        []byte // RFC 4884 structure, right behind a Quote that is padded for it; or nil
}

// Append appends the message's frame to dst, checksums right. It gives dst
// back unchanged when the addresses are not valid and of one family, or when
// the packet would be longer than MaxSize.
func (m *ErrorMessage) Append(dst []byte) []byte {
	h := header{&m.Link, m.From, m.To, m.TTL, m.TOS, m.ID, protocolOf(ICMP, m.From.Is6())}
	dst, ok := h.append(dst, icmpHeaderLen+len(m.Quote)+len(m.Ext))
	if !ok {
		return dst
	}
	at := len(dst)
	dst = append(dst, m.Type, m.Code, 0, 0)
	dst = binary.BigEndian.AppendUint32(dst, m.Rest)
	dst = append(dst, m.Quote...)
	dst = append(dst, m.Ext...)
	binary.BigEndian.PutUint16(dst[at+icmpChecksumAt:], h.checksum(dst[at:]))
	return dst
}

// Answer describes a direct answer to a probe: an echo reply, a UDP or UDP-Lite
// datagram, a TCP segment or DCCP packet without options, or the bare Payload
// for Raw.
type Answer struct {
	Link     Link
	From, To netip.Addr // of one family
	TTL, TOS uint8
	ID       uint16 // IPv4 identification
	Method   Method
	SrcPort  uint16 // the echo identifier for ICMP
	DstPort  uint16 // unused for ICMP
	Seq      uint32 // TCP, DCCP; the echo sequence (16 bits) for ICMP
	Ack      uint32 // TCP, DCCP
	Flags    uint8  // TCP
	Type     uint8  // DCCP packet type; one that acknowledges, such as DCCPReset
	Protocol uint8  // Raw
	Window   uint16 // TCP
	Payload  []byte // may be nil
}

// Append appends the answer's frame to dst, checksums right. It gives dst back
// unchanged as ErrorMessage.Append does, and for an unknown method.
func (a *Answer) Append(dst []byte) []byte {
	v6 := a.From.Is6()
	size := MinSize(a.Method, v6)
	if size == 0 {
		return dst
	}
	protocol := protocolOf(a.Method, v6)
	switch a.Method {
	case Raw:
		protocol = a.Protocol
	case DCCP:
		size = ipHeaderLen(v6) + dccpAnswerLen
	}
	h := header{&a.Link, a.From, a.To, a.TTL, a.TOS, a.ID, protocol}
	length := size - ipHeaderLen(v6) + len(a.Payload)
	dst, ok := h.append(dst, length)
	if !ok {
		return dst
	}
	at, field := len(dst), 0
	switch a.Method {
	case Raw:
		return append(dst, a.Payload...)
	case UDP, UDPLite: // the UDP-Lite checksum covers all as well
		field = udpChecksumAt
		dst = binary.BigEndian.AppendUint16(dst, a.SrcPort)
		dst = binary.BigEndian.AppendUint16(dst, a.DstPort)
		dst = binary.BigEndian.AppendUint16(dst, uint16(length))
		dst = append(dst, 0, 0)
	case ICMP:
		field = icmpChecksumAt
		dst = append(dst, echoReplyType(v6), 0, 0, 0)
		dst = binary.BigEndian.AppendUint16(dst, a.SrcPort)
		dst = binary.BigEndian.AppendUint16(dst, uint16(a.Seq))
	case TCP:
		field = tcpChecksumAt
		dst = binary.BigEndian.AppendUint16(dst, a.SrcPort)
		dst = binary.BigEndian.AppendUint16(dst, a.DstPort)
		dst = binary.BigEndian.AppendUint32(dst, a.Seq)
		dst = binary.BigEndian.AppendUint32(dst, a.Ack)
		dst = append(dst, tcpHeaderLen/4<<4, a.Flags)
		dst = binary.BigEndian.AppendUint16(dst, a.Window)
		dst = append(dst, 0, 0, 0, 0)
	case DCCP:
		field = dccpChecksumAt
		dst = binary.BigEndian.AppendUint16(dst, a.SrcPort)
		dst = binary.BigEndian.AppendUint16(dst, a.DstPort)
		dst = append(dst, dccpAnswerLen/4, 0, 0, 0, a.Type<<1|1, 0, 0, 0)
		dst = binary.BigEndian.AppendUint32(dst, a.Seq)
		dst = binary.BigEndian.AppendUint32(dst, 0)
		dst = binary.BigEndian.AppendUint32(dst, a.Ack)
		dst = append(dst, 0, 0, 0, 0)
	}
	dst = append(dst, a.Payload...)
	sum := h.checksum(dst[at:])
	if (a.Method == UDP || a.Method == UDPLite) && sum == 0 {
		sum = 0xffff // zero means no checksum, RFC 768
	}
	binary.BigEndian.PutUint16(dst[at+field:], sum)
	return dst
}

func echoReplyType(v6 bool) uint8 {
	if v6 {
		return icmpv6EchoReply
	}
	return icmpv4EchoReply
}

// header is what precedes the transport of an error or answer.
type header struct {
	link     *Link
	from, to netip.Addr
	ttl, tos uint8
	id       uint16
	protocol uint8
}

// append appends link and IP header for length bytes of transport. It tells
// whether the addresses and length allow it.
func (h *header) append(dst []byte, length int) ([]byte, bool) {
	v6 := h.from.Is6()
	size := ipHeaderLen(v6) + length
	if !h.from.IsValid() || h.from.BitLen() != h.to.BitLen() || size > MaxSize {
		return dst, false
	}
	if h.link.Type == LinkEthernet {
		etherType := uint16(etherTypeIPv4)
		if v6 {
			etherType = etherTypeIPv6
		}
		dst = append(dst, h.link.Dst[:]...)
		dst = append(dst, h.link.Src[:]...)
		dst = binary.BigEndian.AppendUint16(dst, etherType)
	}
	if v6 {
		from, to := h.from.As16(), h.to.As16()
		dst = binary.BigEndian.AppendUint32(dst, 6<<28|uint32(h.tos)<<20)
		dst = binary.BigEndian.AppendUint16(dst, uint16(length))
		dst = append(dst, h.protocol, h.ttl)
		dst = append(dst, from[:]...)
		return append(dst, to[:]...), true
	}
	from, to := h.from.As4(), h.to.As4()
	at := len(dst)
	dst = append(dst, 0x45, h.tos)
	dst = binary.BigEndian.AppendUint16(dst, uint16(size))
	dst = binary.BigEndian.AppendUint16(dst, h.id)
	dst = append(dst, 0, 0, h.ttl, h.protocol, 0, 0)
	dst = append(dst, from[:]...)
	dst = append(dst, to[:]...)
	binary.BigEndian.PutUint16(dst[at+ipv4ChecksumAt:], ^Fold(Sum(dst[at:], 0)))
	return dst, true
}

// checksum gives the checksum of transport bytes b, whose own field is zero.
func (h *header) checksum(b []byte) uint16 {
	sum := Sum(b, 0)
	if h.protocol != protoICMP { // ICMP has no pseudo-header in IPv4
		sum += PseudoSum(h.from, h.to, h.protocol, len(b))
	}
	return ^Fold(sum)
}
