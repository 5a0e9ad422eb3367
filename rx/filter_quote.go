package rx

import (
	"golang.org/x/net/bpf"

	"github.com/hopquote/hopquote/frame"
)

// Protocols that carry packets, from the IANA registry of RFC 5237.
const (
	protoIPIP = 4
	protoIPv6 = 41
	protoGRE  = 47
)

// quoteAt reads the quote of an ICMP error, wherever that begins.
type quoteAt func(off uint32, size int) bpf.Instruction

// quote judges an ICMP error by its quote: a packet of the method's protocol in
// either IP version, as translators leave it, or one that it may be in:
// a tunnel's, another ICMP error, or MPLS labels, which begin with neither
// version.
func (s FilterSpec) quote(p *program, load quoteAt) {
	proto4, proto6 := uint32(s.Protocol), uint32(s.Protocol)
	if s.Method != frame.Raw {
		proto4, _ = protocolOf(s.Method, false)
		proto6, _ = protocolOf(s.Method, true)
	}
	in6, error4, error6 := p.newLabel(), p.newLabel(), p.newLabel()
	p.add(load(0, 1))
	p.add(bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0xf0})
	p.oneOf(in6, 6<<4)
	p.jump(bpf.JumpEqual, 4<<4, next, accept)
	p.add(load(9, 1))
	p.oneOf(accept, proto4, protoIPIP, protoIPv6, protoGRE)
	p.jump(bpf.JumpEqual, protoICMP, error4, drop)

	p.mark(in6)
	p.add(load(6, 1))
	p.oneOf(accept, proto6, protoHopByHop, protoRouting, protoFragment, protoAuth, protoDstOptions,
		protoIPIP, protoIPv6, protoGRE)
	p.jump(bpf.JumpEqual, protoICMPv6, error6, drop)

	p.mark(error6)
	p.add(load(40, 1))
	p.within(1, 4, accept, drop)

	p.mark(error4)
	p.add(load(0, 1)) // the length of the quoted header
	p.add(bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0xf})
	p.add(bpf.ALUOpConstant{Op: bpf.ALUOpShiftLeft, Val: 2})
	if _, indirect := load(0, 1).(bpf.LoadIndirect); indirect {
		p.add(bpf.ALUOpX{Op: bpf.ALUOpAdd}) // X = length of the message's own
	}
	p.add(bpf.TAX{})
	p.add(bpf.LoadIndirect{Off: s.quoteStart(), Size: 1})
	p.oneOf(accept, 3, 4, 5, 11, 12)
	p.to(drop)
}

// quoteStart is where the quote begins, not counting an IPv4 message's header.
func (s FilterSpec) quoteStart() uint32 {
	ip := uint32(s.Link.HeaderLen())
	if s.Local.Is6() {
		return ip + 40 + 8
	}
	return ip + 8
}
