package internet

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"github.com/hopquote/hopquote/frame"
)

// responder is the Internet without a socket: the user-space form, and what
// the kernel form is tested against. It is for one goroutine.
type responder struct {
	config Config // with its defaults
	mac    [6]byte
	counts Counters
	limits limits
	// The latest reply: where it was counted, or nil for one that is no answer
	// to a probe, what its probe was and how it leaves.
	count  *Count
	method frame.Method
	v6     bool
	fate   fate
}

// respond appends the reply to frame f to out, which stays as it is when there
// is none. The result does not point into f.
func (r *responder) respond(f, out []byte) []byte {
	r.count, r.fate = nil, once
	if len(f) < ethernetLen {
		r.counts.Foreign++
		return out
	}
	toUs := [6]byte(f) == r.mac
	switch etherType := binary.BigEndian.Uint16(f[12:]); {
	case etherType == etherTypeARP && (toUs || [6]byte(f) == broadcast):
		return r.answerARP(f, out)
	case etherType == etherTypeIPv4 && toUs, etherType == etherTypeIPv6 && (toUs || f[0] == 0x33 && f[1] == 0x33):
		p, found := parse(f[ethernetLen:], etherType == etherTypeIPv6)
		if found == isSolicitation {
			return r.answerSolicitation(f, &p, out)
		}
		if found == isProbe && !toUs {
			found = isForeign
		}
		return r.answer(f, &p, found, out)
	}
	r.counts.Foreign++
	return out
}

// answer counts what was found and answers if it is a probe.
func (r *responder) answer(f []byte, p *ipPacket, found finding, out []byte) []byte {
	switch found {
	case isMalformed:
		r.counts.Malformed++
		return out
	case isFragment:
		r.counts.Fragments++
		return out
	case isForeign:
		r.counts.Foreign++
		return out
	}
	count := r.counts.Of(p.method, p.dst.Is6())
	count.Asked++
	flow := p.flow()
	t, isRouter := r.config.answer(p.dst, int(p.ttl), p.method, r.config.flowHash(p.dst, &flow))
	if !t.Silent && isRouter && r.isLimited(&t) {
		count.Limited++
		return out
	}
	n := len(out)
	if !t.Silent {
		out = r.build(f, p, &t, out)
	}
	if len(out) == n {
		count.Silent++
		return out
	}
	count.Answered++
	r.count, r.method, r.v6 = count, p.method, p.dst.Is6()
	switch r.fate = r.config.fate(p); {
	case r.fate == twice:
		count.Duplicated++
	case r.fate == late && len(out)-n > longest:
		r.fate = once
	case r.fate == late:
		count.Delayed++
	}
	return out
}

// build appends the reply that the truth describes.
func (r *responder) build(f []byte, p *ipPacket, t *Truth, out []byte) []byte {
	link := r.linkTo(f)
	if t.Kind.IsError() {
		return r.buildError(link, p, t, out)
	}
	a := frame.Answer{Link: link, From: t.From, To: p.src, TTL: t.TTL, ID: p.id, Method: p.method}
	if p.method == frame.ICMP {
		a.SrcPort = binary.BigEndian.Uint16(p.transport[4:])
		a.Seq = uint32(binary.BigEndian.Uint16(p.transport[6:]))
		a.Payload = p.transport[8:]
		return patchEchoSum(a.Append(out), len(out)+ethernetLen+len(p.ip)-len(p.transport), p)
	}
	a.SrcPort, a.DstPort = p.dstPort(), p.srcPort()
	if p.method == frame.UDP {
		a.Payload = []byte{p.ttl, 0, p.transport[6], p.transport[7]}
	} else if !r.segment(&a, p) {
		return out
	}
	return a.Append(out)
}

// patchEchoSum derives the checksum of the echo reply at b[at:] from that of
// the request (RFC 1624), so that what was wrong stays wrong. A checksum of 0
// would be wrong for a message of nothing but zeros, and 0xffff says the same.
func patchEchoSum(b []byte, at int, p *ipPacket) []byte {
	v6 := p.dst.Is6()
	sum := frame.UpdateChecksum(binary.BigEndian.Uint16(p.transport[2:]), choose[uint16](v6, 8<<8, 128<<8), choose[uint16](v6, 0, 129<<8))
	if sum == 0 {
		sum = 0xffff
	}
	binary.BigEndian.PutUint16(b[at+2:], sum)
	return b
}

func (r *responder) buildError(link frame.Link, p *ipPacket, t *Truth, out []byte) []byte {
	v6 := p.dst.Is6()
	m := frame.ErrorMessage{Link: link, From: t.From, To: p.src, TTL: t.TTL, ID: p.id, Code: t.Code}
	switch t.Kind {
	case frame.KindTimeExceeded:
		m.Type = choose[uint8](v6, 11, 3)
	case frame.KindUnreachable:
		m.Type = choose[uint8](v6, 3, 1)
	case frame.KindParamProblem:
		m.Type, m.Rest = 4, 6 // at byte 6
	}
	m.Quote = quote(p, t)
	if t.Quoting == Labeled {
		m.Rest = choose[uint32](v6, originalLen/4<<16, originalLen/8<<24)
		m.Ext = labelStack(t.Label)
	}
	return m.Append(out)
}

// originalLen is the least that a quote has before an extension, RFC 4884
// section 4.5.
const originalLen = 128

// quote is what an error brings back of a probe that hop-1 routers forwarded.
func quote(p *ipPacket, t *Truth) []byte {
	v6 := p.dst.Is6()
	n := choose(v6, 576-28, 1280-48)
	switch t.Quoting {
	case Minimal:
		n = choose(v6, ipv4Len, ipv6Len) + 8
	case Labeled:
		n = originalLen
	}
	q := slices.Clone(p.ip[:min(n, len(p.ip))])
	taken := uint8(t.Hop - 1)
	if v6 {
		q[7] -= taken
	} else {
		q[8] -= taken
		sum := frame.UpdateChecksum(binary.BigEndian.Uint16(q[10:]), uint16(taken)<<8, 0)
		binary.BigEndian.PutUint16(q[10:], sum)
	}
	if t.Quoting == Labeled {
		q = append(q, make([]byte, originalLen-len(q))...)
	}
	return q
}

// labelStack is an extension with one label, RFC 4884 section 7 and RFC 4950
// section 3.
func labelStack(label uint32) []byte {
	b := []byte{2 << 4, 0, 0, 0, 0, 8, 1, 1}
	b = binary.BigEndian.AppendUint32(b, label<<12|1<<8|1) // bottom of stack, TTL 1
	binary.BigEndian.PutUint16(b[2:], ^frame.Fold(frame.Sum(b, 0)))
	return b
}

// segment fills in what a TCP says to a segment, and tells whether it says
// anything: RFC 9293 sections 3.5.2 (reset) and 3.10.7.2 (LISTEN).
func (r *responder) segment(a *frame.Answer, p *ipPacket) bool {
	b := p.transport
	seq, ack, flags := binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:]), b[13]
	length := uint32(len(b) - int(b[12]>>4)*4)
	if flags&frame.FlagSYN != 0 {
		length++
	}
	if flags&frame.FlagFIN != 0 {
		length++
	}
	switch {
	case flags&frame.FlagRST != 0:
		return false
	case flags&frame.FlagACK != 0:
		a.Flags, a.Seq = frame.FlagRST, ack
		return true
	case slices.Contains(r.config.Open, p.dstPort()):
		hi, lo := halves(p.dst)
		h := r.config.draw(drawSequence, p.dst.Is6(), int(p.srcPort()), hi, lo^uint64(seq))
		a.Flags, a.Seq, a.Ack, a.Window = frame.FlagSYN|frame.FlagACK, uint32(h), seq+length, 0xffff
		return flags&frame.FlagSYN != 0
	}
	a.Flags, a.Ack = frame.FlagRST|frame.FlagACK, seq+length
	return true
}

// linkTo is the link header of what answers frame f.
func (r *responder) linkTo(f []byte) frame.Link {
	return frame.Link{Type: frame.LinkEthernet, Src: r.mac, Dst: [6]byte(f[6:])}
}

// answerARP answers for the gateway, RFC 826.
func (r *responder) answerARP(f, out []byte) []byte {
	b := f[ethernetLen:]
	if len(b) < 28 {
		r.counts.Malformed++
		return out
	}
	if [8]byte(b) != [8]byte{0, 1, 8, 0, 6, 4, 0, 1} || netip.AddrFrom4([4]byte(b[24:])) != r.config.Gateway4 {
		r.counts.Foreign++
		return out
	}
	r.counts.Neighbours++
	out = append(out, f[6:12]...)
	out = append(out, r.mac[:]...)
	out = append(out, 8, 6, 0, 1, 8, 0, 6, 4, 0, 2)
	out = append(out, r.mac[:]...)
	out = append(out, b[24:28]...)
	return append(out, b[8:18]...)
}

// answerSolicitation answers for the gateway, RFC 4861 sections 4.3 and 4.4.
func (r *responder) answerSolicitation(f []byte, p *ipPacket, out []byte) []byte {
	if len(p.transport) < 24 {
		r.counts.Malformed++
		return out
	}
	target := netip.AddrFrom16([16]byte(p.transport[8:]))
	if p.ttl != 255 || target != r.config.Gateway6 || p.src.IsUnspecified() {
		r.counts.Foreign++
		return out
	}
	r.counts.Neighbours++
	m := frame.ErrorMessage{ // it has the same layout: type, code, a word, bytes
		Link: r.linkTo(f), From: target, To: p.src, TTL: 255,
		Type: 136, Rest: 0xe0000000, // router, solicited, override
	}
	m.Quote = append(slices.Clone(p.transport[8:24]), 2, 1) // the target's link address
	m.Quote = append(m.Quote, r.mac[:]...)
	return m.Append(out)
}

func choose[T any](v6 bool, four, six T) T {
	if v6 {
		return six
	}
	return four
}
