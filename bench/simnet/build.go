package simnet

import (
	"encoding/binary"
	"net/netip"

	"github.com/hopquote/hopquote/frame"
)

// Room for an error: RFC 1812 section 4.3.2.3 and RFC 4443 section 3.1.
const (
	roomIPv4 = 576
	roomIPv6 = 1280

	icmpHeaderLen = 8
	minOriginal   = 128 // RFC 4884 section 4.5: before an extension
)

// build makes the frame of one reply to packet p in frame f, nil if there is
// none to such a packet. hop is where on the path it is sent.
func (r *Responder) build(f []byte, p *ipPacket, re *reply, hop int) []byte {
	from := re.from
	if !from.IsValid() {
		from = p.dst
	}
	if from.Is6() != p.v6 {
		return nil
	}
	r.id++
	var out []byte
	if re.kind.isError() {
		out = r.buildError(f, p, re, from, hop)
	} else {
		out = r.buildAnswer(f, p, re, from)
	}
	if out != nil && re.badSum {
		spoilChecksum(out, p.v6)
	}
	return out
}

func (r *Responder) buildError(f []byte, p *ipPacket, re *reply, from netip.Addr, hop int) []byte {
	if !p.mayCauseError() {
		return nil
	}
	m := frame.ErrorMessage{
		Link: r.linkTo(f), From: from, To: p.src, TTL: re.ttl, TOS: re.tos, ID: r.id,
		Rest: re.rest, Ext: re.ext.bytes(),
	}
	m.Type, m.Code = re.icmpType(p.v6)
	m.Quote = r.quote(p, re, hop, len(m.Ext))
	word, shift := 4, 16 // RFC 4884 section 4: where the length is, in what unit
	if p.v6 {
		word, shift = 8, 24
	}
	switch n := re.ext.length; {
	case n == lengthAuto && m.Ext != nil:
		m.Rest |= uint32(len(m.Quote)/word&0xff) << shift
	case n >= 0:
		m.Rest |= uint32(n) << shift
	}
	return nonEmpty(m.Append(nil))
}

// quote gives what the error brings back of p.
func (r *Responder) quote(p *ipPacket, re *reply, hop, extension int) []byte {
	room := roomIPv4 - ipv4HeaderLen
	header, unit := ipv4HeaderLen, 4
	if p.v6 {
		room, header, unit = roomIPv6-ipv6HeaderLen, ipv6HeaderLen, 8
	}
	had := p // as the router had it
	if re.quote.src.IsValid() {
		had = translated(p, re.quote.src, re.quote.dst)
	}
	whole := had.ip
	if len(re.quote.layers) > 0 {
		whole = append([]byte(nil), whole...)
		re.age(whole, had, hop)
		apply(re.quote.edits, whole, had)
		var inner *layer
		for i := range re.quote.layers {
			l := &re.quote.layers[i]
			whole, inner = l.around(whole, inner), l
		}
	}
	linkRoom := r.script.linkMTU() - header - icmpHeaderLen - extension
	size := min(len(whole), room-icmpHeaderLen-extension)
	switch {
	case re.quote.size >= 0:
		size = re.quote.size
	case re.quote.full:
		size = len(whole)
	}
	if re.quote.pad128 || extension > 0 && re.quote.size < 0 {
		size = max(size, minOriginal)
	}
	size = max(0, min(size, linkRoom))
	q := make([]byte, size, size+unit)
	n := copy(q, whole)
	if extension > 0 && re.quote.size < 0 {
		q = append(q, make([]byte, (unit-size%unit)%unit)...)
	}
	if len(re.quote.layers) == 0 {
		re.age(q[:n], had, hop)
		apply(re.quote.edits, q, had)
	}
	return q
}

// age gives the packet, which may be cut anywhere, the TTL that it has at a hop:
// the routers before have taken their share.
func (re *reply) age(q []byte, p *ipPacket, hop int) {
	at := 8
	if p.v6 {
		at = 7
	}
	if len(q) <= at {
		return
	}
	q[at] -= uint8(hop - 1)
	if re.kind == exceeded {
		q[at] = 1
	}
}

// icmpType gives the ICMP type and code of an error in a family.
func (re *reply) icmpType(v6 bool) (typ, code uint8) {
	switch re.kind {
	case exceeded:
		return choose(v6, 11, 3), re.code
	case unreach:
		return choose(v6, 3, 1), re.code
	case tooBig:
		return choose(v6, 3, 2), choose(v6, 4, 0)
	case param:
		return choose(v6, 12, 4), re.code
	case redirect:
		return 5, re.code
	case quench:
		return 4, 0
	case portClosed:
		return choose(v6, 3, 1), choose(v6, 3, 4)
	case noProtocol:
		return choose(v6, 3, 4), choose(v6, 2, 1)
	}
	return re.typ, re.code
}

func choose(v6 bool, four, six uint8) uint8 {
	if v6 {
		return six
	}
	return four
}

// linkMTU is the MTU of the probing host's link.
func (s *Script) linkMTU() int {
	if s.MTU == 0 {
		return 1500
	}
	return s.MTU
}

// spoilChecksum makes the transport checksum of a frame wrong.
func spoilChecksum(f []byte, v6 bool) {
	p, ok := parsePacket(f[ethernetLen:], v6)
	at, known := transportFields[p.protocol]["checksum"]
	if ok && known && len(p.transport) >= (at.at+at.count)/8 {
		setBits(p.transport, at, getBits(p.transport, at)^0x5555)
	}
}

// nonEmpty is nil for a frame that could not be built.
func nonEmpty(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return b
}

// appendIP appends an Ethernet and IP header for a payload of any protocol and
// the payload.
func appendIP(dst []byte, link frame.Link, from, to netip.Addr, ttl, tos uint8, id uint16, protocol int, payload []byte) []byte {
	dst = append(dst, link.Dst[:]...)
	dst = append(dst, link.Src[:]...)
	if from.Is6() {
		dst = binary.BigEndian.AppendUint16(dst, etherTypeIPv6)
		dst = binary.BigEndian.AppendUint32(dst, 6<<28|uint32(tos)<<20)
		dst = binary.BigEndian.AppendUint16(dst, uint16(len(payload)))
		dst = append(dst, uint8(protocol), ttl)
	} else {
		dst = binary.BigEndian.AppendUint16(dst, etherTypeIPv4)
		at := len(dst)
		dst = append(dst, 0x45, tos)
		dst = binary.BigEndian.AppendUint16(dst, uint16(ipv4HeaderLen+len(payload)))
		dst = binary.BigEndian.AppendUint16(dst, id)
		dst = append(dst, 0, 0, ttl, uint8(protocol), 0, 0)
		sum := frame.Sum(to.AsSlice(), frame.Sum(from.AsSlice(), frame.Sum(dst[at:], 0)))
		binary.BigEndian.PutUint16(dst[at+10:], ^frame.Fold(sum))
	}
	dst = append(dst, from.AsSlice()...)
	dst = append(dst, to.AsSlice()...)
	return append(dst, payload...)
}
