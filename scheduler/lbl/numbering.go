package lbl

import "github.com/hopquote/hopquote/frame"

// Numbering is how a probe's number, counted from 1 over the whole run, goes
// on the wire. The IPv4 identification of every probe is Ident plus the
// number. All sums wrap at 16 bits.
//
//	UDP, UDP-Lite  source port Ident, destination port Base plus the number
//	TCP            the same, and both ports again as the sequence number
//	ICMP           identifier Ident, sequence the number
//
// With Fixed, the destination port is Base and the source port counts instead.
type Numbering struct {
	Ident uint16
	Base  uint16
	Fixed bool
}

func (n Numbering) number(p *frame.Probe, seq uint16) {
	p.ID = n.Ident + seq
	if p.Method == frame.ICMP {
		p.SrcPort, p.Seq = n.Ident, uint32(seq)
		return
	}
	p.SrcPort, p.DstPort = n.Ident, n.Base+seq
	if n.Fixed {
		p.SrcPort, p.DstPort = n.Ident+seq, n.Base
	}
	if p.Method == frame.TCP {
		p.Seq = uint32(p.SrcPort)<<16 | uint32(p.DstPort)
	}
}
