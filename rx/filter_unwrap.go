package rx

import "golang.org/x/net/bpf"

// unwrapping is a part of a program that takes one level off the packet at X+at,
// as anomaly.Unwrap does: a tunnel's header, that of an ICMP error, MPLS labels.
type unwrapping struct {
	at uint32
	// plain4 and plain6 are where packets of these protocols lead, echo4 and
	// echo6 where ICMP messages that are no errors do.
	ports4, ports6 []uint32
	plain4, plain6 label
	echo4, echo6   label
	inside         label // X+at is a packet that was inside
	unseen         label // IPv6 extension headers
	none           label // everything else
}

// savedX is the scratch word that has X while a header is looked behind.
const savedX = 0

// mostLabels is how many MPLS labels are taken off.
const mostLabels = 8

func (u *unwrapping) write(p *program) {
	in4, in6, in4in6, gre, error4 := p.newLabel(), p.newLabel(), p.newLabel(), p.newLabel(), p.newLabel()
	p.add(bpf.LoadIndirect{Off: u.at, Size: 1})
	p.add(bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0xf0})
	p.oneOf(in4, 4<<4)
	p.oneOf(in6, 6<<4)
	u.labels(p)

	p.mark(in6)
	p.add(bpf.LoadIndirect{Off: u.at + 6, Size: 1})
	p.oneOf(u.plain6, u.ports6...)
	p.oneOf(u.unseen, protoHopByHop, protoRouting, protoFragment, protoAuth, protoDstOptions)
	p.oneOf(in4in6, protoIPIP, protoIPv6)
	greIn6 := p.newLabel()
	p.oneOf(greIn6, protoGRE)
	p.jump(bpf.JumpEqual, protoICMPv6, next, u.none)
	p.add(bpf.LoadIndirect{Off: u.at + 40, Size: 1})
	error6 := p.newLabel()
	p.within(1, 4, error6, u.echo6)
	p.mark(error6)
	p.move(40 + 8)
	p.to(u.inside)
	p.mark(in4in6)
	p.move(40)
	p.to(u.inside)
	p.mark(greIn6)
	p.move(40)
	p.to(gre)

	p.mark(in4)
	p.add(bpf.LoadIndirect{Off: u.at + 9, Size: 1})
	p.oneOf(u.plain4, u.ports4...)
	in4in4, greIn4 := p.newLabel(), p.newLabel()
	p.oneOf(in4in4, protoIPIP, protoIPv6)
	p.oneOf(greIn4, protoGRE)
	p.jump(bpf.JumpEqual, protoICMP, next, u.none)
	p.add(bpf.StoreScratch{Src: bpf.RegX, N: savedX})
	p.stepOverIPv4(u.at)
	p.add(bpf.LoadIndirect{Off: u.at, Size: 1})
	p.oneOf(error4, 3, 4, 5, 11, 12)
	p.add(bpf.LoadScratch{Dst: bpf.RegX, N: savedX})
	p.to(u.echo4)
	p.mark(error4)
	p.move(8)
	p.to(u.inside)
	p.mark(in4in4)
	p.stepOverIPv4(u.at)
	p.to(u.inside)
	p.mark(greIn4)
	p.stepOverIPv4(u.at)
	p.mark(gre)
	u.gre(p)
	p.to(u.inside)
}

// labels steps over MPLS labels, RFC 3032 section 2.1, up to the one that says
// that it is the last.
func (u *unwrapping) labels(p *program) {
	const size, bottom = 4, 1
	var last [mostLabels]label
	for i := range last {
		last[i] = p.newLabel()
		p.add(bpf.LoadIndirect{Off: u.at + uint32(i)*size + 2, Size: 1})
		p.jump(bpf.JumpBitsSet, bottom, last[i], next)
	}
	p.to(u.none)
	for i := len(last) - 1; i >= 0; i-- {
		p.mark(last[i])
		p.move(size)
	}
	p.to(u.inside)
}

// gre steps over a header of RFC 2784 and 2890, of which checksum, key and
// sequence number may be there.
func (u *unwrapping) gre(p *program) {
	p.add(bpf.LoadIndirect{Off: u.at, Size: 1})
	p.add(bpf.StoreScratch{Src: bpf.RegA, N: savedX})
	for _, bit := range []uint32{0x80, 0x20, 0x10} {
		without := p.newLabel()
		p.add(bpf.LoadScratch{Dst: bpf.RegA, N: savedX})
		p.jump(bpf.JumpBitsSet, bit, next, without)
		p.move(4)
		p.mark(without)
	}
	p.move(4)
}
