package lbl

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/hopquote/hopquote/frame"
)

// Numbering is how a probe's number, counted from 1 over the whole run, goes
// on the wire. The IPv4 identification of every probe is Ident plus the
// number. All sums wrap at 16 bits.
//
//	UDP, UDP-Lite  source port Ident, destination port Base plus the number
//	TCP            the same, and both ports again as the sequence number
//	ICMP           identifier Ident, sequence the number
//	GRE            call identifier Ident plus the number
//	SCTP           ports as UDP, and both again as the verification tag
//	any other      Ident, then Base plus the number
//
// With Fixed, the destination port is Base and the source port counts instead.
// The last three are frame.Raw probes, told apart by their protocol.
type Numbering struct {
	Ident uint16
	Base  uint16
	Fixed bool
}

// Protocol numbers (IANA).
const (
	protoGRE  = 47
	protoSCTP = 132
)

func (n Numbering) number(p *frame.Probe, seq uint16) {
	p.ID = n.Ident + seq
	src, dst := n.Ident, n.Base+seq
	if n.Fixed {
		src, dst = n.Ident+seq, n.Base
	}
	switch p.Method {
	case frame.ICMP:
		p.SrcPort, p.Seq = n.Ident, uint32(seq)
	case frame.Raw:
		p.Body = body(p, src, dst, p.ID)
	default:
		p.SrcPort, p.DstPort = src, dst
		if p.Method == frame.TCP {
			p.Seq = uint32(src)<<16 | uint32(dst)
		}
	}
}

// body is what a Raw probe has behind its IP header.
func body(p *frame.Probe, src, dst, id uint16) string {
	switch p.Protocol {
	case protoGRE:
		return gre(id)
	case protoSCTP:
		return sctp(p, src, dst)
	}
	b := binary.BigEndian.AppendUint16(nil, src)
	return string(binary.BigEndian.AppendUint16(b, dst))
}

// gre is an enhanced GRE header (RFC 2637 section 4.1): key present, version 1,
// protocol PPP, payload length 0, call identifier.
func gre(call uint16) string {
	b := []byte{0x20, 0x01, 0x88, 0x0b, 0, 0}
	return string(binary.BigEndian.AppendUint16(b, call))
}

// SCTP common header and chunks, RFC 9260 section 3 and RFC 4820 section 3.
const (
	sctpChecksumAt  = 8
	chunkInit       = 1
	chunkShutdowned = 8 // SHUTDOWN ACK, which is answered whatever the state
	chunkPad        = 0x84
	initLen         = 20
	chunkHeaderLen  = 4
	initWindow      = 1500 // bytes, the smallest that RFC 9260 section 3.3.2 allows
)

// sctp is a whole SCTP packet of the probe's size: an INIT where there is room
// for one, else a SHUTDOWN ACK, and a PAD chunk for the rest of whole words.
func sctp(p *frame.Probe, src, dst uint16) string {
	empty := *p
	empty.Body = ""
	size := p.Size - empty.HeaderLen()
	tag := uint32(src)<<16 | uint32(dst)
	b := binary.BigEndian.AppendUint16(make([]byte, 0, size), src)
	b = binary.BigEndian.AppendUint16(b, dst)
	if size >= sctpChecksumAt+4+initLen {
		// An INIT's verification tag is zero (RFC 9260 section 8.5.1).
		b = append(b, 0, 0, 0, 0, 0, 0, 0, 0)
		b = append(b, chunkInit, 0, 0, initLen)
		b = binary.BigEndian.AppendUint32(b, tag)
		b = binary.BigEndian.AppendUint32(b, initWindow)
		b = append(b, 0, 1, 0, 1, 0, 0, 0, 0)
	} else {
		b = binary.BigEndian.AppendUint32(b, tag)
		b = append(b, 0, 0, 0, 0)
		b = append(b, chunkShutdowned, 0, 0, chunkHeaderLen)
	}
	if rest := (size - len(b)) &^ 3; rest >= chunkHeaderLen {
		b = append(b, chunkPad, 0)
		b = binary.BigEndian.AppendUint16(b, uint16(rest))
	}
	b = append(b, make([]byte, max(size-len(b), 0))...)
	if !p.NoChecksum {
		// RFC 9260 appendix A: CRC32c, least significant byte first.
		binary.LittleEndian.PutUint32(b[sctpChecksumAt:], crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
	}
	return string(b)
}
