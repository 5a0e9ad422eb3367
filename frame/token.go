package frame

import "encoding/binary"

// The first four bytes of a PayloadPattern behind a UDP and behind an echo
// header. They are no Mark, as zeros are none: so a payload tells whether it
// has one.
const (
	udpPattern  = 0x40414243
	icmpPattern = 0x48494a4b
)

// readMark gives the Mark in the transport b, and whether there is one.
func readMark(b []byte, pattern uint32) (uint32, bool) {
	if len(b) < balanceAt {
		return 0, false
	}
	mark := binary.BigEndian.Uint32(b[markAt:])
	if mark == 0 || mark == pattern {
		return 0, false
	}
	return mark, true
}

// MakeKeyed gives p the shape that carries a token as well as its method and
// family can, and tells whether they can at all: UDP, UDP-Lite, ICMP and TCP do.
// UDP, UDP-Lite and ICMP become Fixed; those over IPv6, and ICMP over IPv4 too
// for the sake of echo replies, get a PayloadMark. Size and Coverage grow to
// hold them. TCP with ACK and without SYN gets AckSeq, for the sake of the RST
// that answers it. The Sum of an ICMP probe is left to the caller, who holds it
// constant for a constant flow.
func (p *Probe) MakeKeyed() bool {
	switch {
	case p.Method == TCP:
		if p.TCP.Flags&(FlagSYN|FlagACK) == FlagACK {
			p.TCP.Ack, p.TCP.AckSeq = 0, true
		}
		return true
	case !p.Method.takesMark():
		return false
	}
	p.Fixed, p.NoChecksum = true, false
	if p.Method == ICMP || p.IsIPv6() {
		p.Payload = PayloadMark
	}
	if p.Method == UDPLite {
		p.Coverage = max(p.Coverage, keyedEnd)
	}
	p.Size = max(p.Size, p.LeastSize())
	return true
}

// SetToken writes a token into the fields of p that carry it, none of which is
// in the flow, and tells whether p can carry this one. It can't where a Sum of 0
// or a Mark that is like another payload's start were needed: the caller takes
// the next token. It never can when p is not of a shape that MakeKeyed makes.
// A p that can't is left as it was.
//
//	UDP, UDP-Lite  IPv4  ID upper 16 bits, Sum lower 16; a PayloadMark all 32
//	               IPv6  Sum lower 16, Mark all 32
//	ICMP           IPv4  ID upper 16 bits, Seq lower 16; a PayloadMark all 32
//	               IPv6  Seq lower 16, Mark all 32
//	TCP            both  Seq all 32; the caller may put a further check in ID
func (p *Probe) SetToken(token uint32) bool {
	v6, marked := p.IsIPv6(), p.Payload == PayloadMark
	high, low := uint16(token>>16), uint16(token)
	pattern := uint32(udpPattern)
	switch p.Method {
	case TCP:
		p.Seq = token
		return true
	case UDP, UDPLite:
		if !p.Fixed || low == 0 {
			return false
		}
	case ICMP:
		pattern = icmpPattern
	default:
		return false
	}
	if v6 && !marked || marked && (token == 0 || token == pattern) {
		return false
	}
	if marked {
		p.Mark = token
	}
	if !v6 {
		p.ID = high
	}
	if p.Method == ICMP {
		p.Seq = uint32(low)
	} else {
		p.Sum = low
	}
	return true
}

// Token gives the token that the reply claims to answer, as far as it brings it
// back: mask has the known bits, and the others of token are 0. It reads what
// SetToken writes and verifies nothing; ok is false when no bit is known.
//
// A quote over IPv4 brings back all bits with its first 28 bytes; the upper 16
// alone when it ends earlier, when it is a later fragment, or when its UDP
// checksum is zero, unless a Mark came back. Over IPv6 the Mark has all, and
// without it UDP's checksum or the echo sequence the lower 16. TCP's sequence
// number has all of them wherever it came back.
//
// An echo reply has the lower 16 in its sequence, and all in its payload's Mark.
// A TCP answer acknowledges the sequence number after the token, as probes with
// SYN or FIN have it acknowledged; the answer to a probe with neither has a token
// less by one, and to one with both, greater by one. What answers a probe with
// ACK is a RST whose sequence number is the probe's acknowledgment: the token
// where AckSeq made it so. Nothing comes back in a UDP, UDP-Lite or DCCP answer.
func (r *Reply) Token() (token, mask uint32, ok bool) {
	switch {
	case r.Kind.IsError():
		token, mask = r.Quote.token()
	case r.Kind == KindEchoReply && r.Marked:
		token, mask = r.Mark, 0xffffffff
	case r.Kind == KindEchoReply:
		token, mask = r.Seq, 0xffff
	case r.Kind == KindTCP && r.Flags&FlagACK != 0:
		token, mask = r.Ack-1, 0xffffffff
	case r.Kind == KindTCP && r.Flags&FlagRST != 0:
		token, mask = r.Seq, 0xffffffff
	}
	return token, mask, mask != 0
}

// token gives the known bits of a quoted probe's token, and which they are.
func (q *Quote) token() (token, mask uint32) {
	if q.Malformed {
		return 0, 0
	}
	v6 := !q.Src.Is4()
	low, known := uint32(q.Checksum), q.Checksum != 0
	switch q.Protocol {
	case protoTCP:
		if q.Transport < 8 {
			return 0, 0
		}
		return q.Seq, 0xffffffff
	case protoUDP, protoUDPLite:
	case protocolOf(ICMP, v6):
		low, known = q.Seq, q.Transport >= 8
		if q.Transport > 0 && q.Method != ICMP {
			return 0, 0
		}
	default:
		return 0, 0
	}
	if known {
		token, mask = low, 0xffff
	}
	if !v6 {
		token, mask = token|uint32(q.ID)<<16, mask|0xffff0000
	}
	if q.Marked && mask != 0xffffffff {
		return q.Mark, 0xffffffff
	}
	return token, mask
}
