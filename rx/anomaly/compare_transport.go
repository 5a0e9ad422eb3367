package anomaly

import (
	"bytes"
	"encoding/binary"
)

func (r *Report) compareTransport(p, q *Header) {
	if p.normal() != q.normal() {
		return
	}
	pt, qt := p.Transport, q.Transport
	has := func(end int) bool { return len(pt) >= end && len(qt) >= end }
	short := func(flag Flag, name string, at int) {
		if !has(at + 2) {
			return
		}
		if a, b := binary.BigEndian.Uint16(pt[at:]), binary.BigEndian.Uint16(qt[at:]); a != b {
			r.add(flag, name, number(a), number(b))
		}
	}
	var body int // where the payload begins
	switch {
	case p.IsICMP():
		if has(2) && (p.EchoType() != q.EchoType() || pt[1] != qt[1]) {
			r.add(ICMPType, "icmp-type", number(p.EchoType()), number(q.EchoType()))
		}
		short(SourcePort, "identifier", 4)
		short(ICMPSequence, "icmp-seq", 6)
		body = 8
	case p.HasPorts():
		short(SourcePort, "src-port", 0)
		short(DestinationPort, "dst-port", 2)
		body = 8
	}
	switch p.Protocol {
	case protoUDP, protoUDPLite:
		short(UDPLength, "udp-length", 4)
	case protoTCP:
		body = r.compareTCP(pt, qt)
	}
	r.compareChecksum(p, q)
	if n := min(len(pt), len(qt)); n > body && !bytes.Equal(pt[body:n], qt[body:n]) {
		at := body
		for pt[at] == qt[at] {
			at++
		}
		r.add(Payload, "payload", raw(pt[at:min(at+8, n)]), raw(qt[at:min(at+8, n)]))
	}
}

func (r *Report) compareChecksum(p, q *Header) {
	flag, _ := CompareChecksum(p, q)
	if flag == 0 {
		return
	}
	a, _ := p.word16(p.checksumAt())
	b, _ := q.word16(q.checksumAt())
	r.add(flag, "checksum", hexa(a), hexa(b))
}

// compareTCP compares TCP headers and gives where the payload begins in both,
// beyond their end when that is not known.
func (r *Report) compareTCP(pt, qt []byte) int {
	const never = 1 << 20
	has := func(end int) bool { return len(pt) >= end && len(qt) >= end }
	long := func(flag Flag, name string, at int) {
		if !has(at + 4) {
			return
		}
		if a, b := binary.BigEndian.Uint32(pt[at:]), binary.BigEndian.Uint32(qt[at:]); a != b {
			r.add(flag, name, number(a), number(b))
		}
	}
	long(TCPSequence, "tcp-seq", 4)
	long(TCPAck, "tcp-ack", 8)
	if has(13) && pt[12]&0xfe != qt[12]&0xfe { // the lowest bit is the AccECN flag
		r.add(TCPOffset, "tcp-offset", hexa(pt[12]), hexa(qt[12]))
	}
	if has(14) {
		a, b := uint16(pt[12]&1)<<8|uint16(pt[13]), uint16(qt[12]&1)<<8|uint16(qt[13])
		if a != b {
			r.add(TCPFlags, "tcp-flags", hexa(a), hexa(b))
		}
	}
	for _, f := range [...]struct {
		flag Flag
		name string
		at   int
	}{{TCPWindow, "tcp-window", 14}, {TCPUrgent, "tcp-urgent", 18}} {
		if !has(f.at + 2) {
			continue
		}
		if a, b := binary.BigEndian.Uint16(pt[f.at:]), binary.BigEndian.Uint16(qt[f.at:]); a != b {
			r.add(f.flag, f.name, number(a), number(b))
		}
	}
	if !has(20) {
		return never
	}
	pn, qn := int(pt[12]>>4)*4, int(qt[12]>>4)*4
	if pn < 20 || qn < 20 || pn > len(pt) {
		return never
	}
	r.compareTCPOptions(pt[20:pn], qt[20:min(qn, len(qt))], qn <= len(qt))
	if pn != qn {
		return never
	}
	return pn
}
