package rx

import (
	"golang.org/x/net/bpf"

	"github.com/hopquote/hopquote/frame"
)

// oddQuotes judges what errors quote that is not one of the probes as it left.
//
// A quote that ends before the ports, or is a later fragment of our protocol,
// passes: it may be ours, and is rare. So does one with one of SrcPorts, in either
// IP version. Where the source port or identifier was changed, the length of our
// probes is enough, whoever the packet says it is from: the ledger asks for bits
// that nobody can guess, and errors about other programs' packets of just that
// length are rare. Of another length, the destination port must be ours and the
// source address not this host's, as its other programs' packets have it. Inside
// of something else (see unwrapping) the source address tells nothing: it is the
// source port, or both of the others.
func (s SurveyFilter) oddQuotes(p *program, odd4, odd6 label) {
	at := uint32(s.Link.HeaderLen()) + 8 // the quote, from X on
	proto4, _ := protocolOf(s.Method, false)
	proto6, _ := protocolOf(s.Method, true)
	quote := p.newLabel()
	u := unwrapping{
		at: at, plain4: p.newLabel(), plain6: p.newLabel(), echo4: drop, echo6: drop,
		inside: p.newLabel(), unseen: accept, none: drop,
	}
	if s.Method == frame.ICMP {
		u.echo4, u.echo6 = u.plain4, u.plain6
	} else {
		u.ports4, u.ports6 = []uint32{proto4}, []uint32{proto6}
	}
	if s.Local4.IsValid() {
		p.mark(odd4)
		p.add(bpf.LoadMemShift{Off: uint32(s.Link.HeaderLen())})
		s.bare(p, at+20, at+9, proto4, quote)
		p.to(quote)
	}
	if s.Local6.IsValid() {
		p.mark(odd6)
		p.add(bpf.LoadConstant{Dst: bpf.RegX, Val: 40})
		s.bare(p, at+40, at+6, proto6, quote)
	}
	p.mark(quote)
	u.write(p)

	in4, in6, inside4, inside6 := p.newLabel(), p.newLabel(), p.newLabel(), p.newLabel()
	p.mark(u.plain4)
	p.add(bpf.LoadIndirect{Off: at + 6, Size: 2})
	p.jump(bpf.JumpBitsSet, 0x1fff, accept, next) // fragment offset
	s.tooShort(p, at+20)
	s.source(p, at+12, s.Local4.AsSlice(), at+2, s.lengths4(), in4, inside4)

	p.mark(u.plain6)
	s.tooShort(p, at+40)
	s.source(p, at+8, s.Local6.AsSlice(), at+4, s.lengths6(), in6, inside6)
	p.ret(accept, snapLen)
	p.ret(drop, 0)

	p.mark(u.inside)
	version6 := p.newLabel()
	p.add(bpf.LoadIndirect{Off: at, Size: 1})
	p.add(bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0xf0})
	p.oneOf(version6, 6<<4)
	p.jump(bpf.JumpEqual, 4<<4, next, drop)
	p.add(bpf.LoadIndirect{Off: at + 9, Size: 1})
	p.jump(bpf.JumpEqual, proto4, next, drop)
	p.add(bpf.LoadIndirect{Off: at + 6, Size: 2})
	p.jump(bpf.JumpBitsSet, 0x1fff, drop, inside4)
	p.mark(version6)
	p.add(bpf.LoadIndirect{Off: at + 6, Size: 1})
	p.oneOf(accept, protoHopByHop, protoRouting, protoFragment, protoAuth, protoDstOptions)
	p.jump(bpf.JumpEqual, proto6, inside6, drop)

	p.mark(inside4)
	p.add(bpf.LoadIndirect{Off: at + 2, Size: 2})
	p.oneOf(in4, s.lengths4()...)
	p.stepOverIPv4(at)
	s.ports(p, at, 8, false)
	p.mark(in4)
	p.stepOverIPv4(at)
	s.ports(p, at, 8, true)

	p.mark(inside6)
	p.add(bpf.LoadIndirect{Off: at + 4, Size: 2})
	p.oneOf(in6, s.lengths6()...)
	s.ports(p, at+40, 128, false)
	p.mark(in6)
	s.ports(p, at+40, 128, true)
}

// bare accepts a quoted header of our protocol without anything behind it at
// X+end, goes to quote for more, and goes on otherwise. It is for ICMP: with
// others the protocol is all that the judgment takes.
func (s SurveyFilter) bare(p *program, end, protocolAt, proto uint32, quote label) {
	if s.Method != frame.ICMP {
		return
	}
	p.add(bpf.LoadExtension{Num: bpf.ExtLen})
	p.add(bpf.ALUOpX{Op: bpf.ALUOpSub})
	p.jump(bpf.JumpGreaterThan, end, quote, next)
	p.add(bpf.LoadIndirect{Off: protocolAt, Size: 1})
	p.jump(bpf.JumpEqual, proto, accept, next)
}

// tooShort accepts a quote that ends before the ports or the identifier of the
// transport header at X+at.
func (s SurveyFilter) tooShort(p *program, at uint32) {
	p.add(bpf.LoadExtension{Num: bpf.ExtLen})
	p.add(bpf.ALUOpX{Op: bpf.ALUOpSub})
	p.jump(bpf.JumpGreaterOrEqual, at+8, next, accept)
}

// source accepts a quote if the length at X+length is a probe's. Others go to
// ours where the source at X+at is local, whose source port must be ours, and
// else to ports, where one of the two must be.
func (s SurveyFilter) source(p *program, at uint32, local []byte, length uint32, lengths []uint32, ports, ours label) {
	p.add(bpf.LoadIndirect{Off: length, Size: 2})
	p.oneOf(accept, lengths...)
	if local != nil {
		p.otherAddress(at, local, ports)
		p.to(ours)
		return
	}
	p.to(ports)
}

// ports accepts a transport header at X+at, of ICMP with the type of an echo
// request, with one of SrcPorts, or with DstPort where that is enough.
func (s SurveyFilter) ports(p *program, at, echo uint32, dstPort bool) {
	if s.Method == frame.ICMP {
		p.add(bpf.LoadIndirect{Off: at, Size: 1})
		p.jump(bpf.JumpEqual, echo, next, drop)
		p.add(bpf.LoadIndirect{Off: at + echoIDAt, Size: 2})
		s.ours(p, drop)
		return
	}
	if dstPort && s.DstPort != 0 {
		p.add(bpf.LoadIndirect{Off: at + answerPortAt, Size: 2})
		p.oneOf(accept, uint32(s.DstPort))
	}
	p.add(bpf.LoadIndirect{Off: at + quotedPortAt, Size: 2})
	s.ours(p, drop)
}

// lengths4 and lengths6 are what a quote tells of the probes' lengths: of those
// of the other version, as a translator makes them.
func (s SurveyFilter) lengths4() (list []uint32) {
	if s.Size4 != 0 && s.Local4.IsValid() {
		list = append(list, uint32(s.Size4))
	}
	if s.Size6 > 20 && s.Local6.IsValid() {
		list = append(list, uint32(s.Size6)-20)
	}
	return list
}

func (s SurveyFilter) lengths6() (list []uint32) {
	for _, n := range s.lengths4() {
		list = append(list, n-20)
	}
	return list
}
