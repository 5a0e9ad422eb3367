package rx

import (
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/net/bpf"

	"github.com/hopquote/hopquote/frame"
)

// SurveyFilter says which packets can be replies to probes to any number of
// targets in one or both families.
type SurveyFilter struct {
	Link frame.LinkType
	// Local4 and Local6 are the sources of the probes, invalid for a family
	// that is not probed.
	Local4, Local6 netip.Addr
	Method         frame.Method // of the probes, not Raw
	// SrcPorts are the first and the last source port of the probes, for method
	// ICMP identifiers.
	SrcPorts [2]uint16
	// DstPort and the whole IP lengths of the probes help to tell their quotes
	// where these were changed; 0 for many. Method ICMP has no DstPort.
	DstPort      uint16
	Size4, Size6 uint16
	// AllICMP lets every ICMP or ICMPv6 message to Local4 or Local6 pass.
	AllICMP bool
}

// Program gives the classic BPF program for a ring.
//
// It accepts packets to Local4 or Local6, from anywhere, that are a destination
// unreachable (packet too big), time exceeded or parameter problem quoting a
// packet of the method with one of SrcPorts, or an answer of the method to one
// of them. IPv4 options are stepped over, in quotes too. Where an IPv6 packet or
// quote has extension headers, classic BPF can't walk them and lets it pass.
// Later fragments of packets are dropped.
//
// Quotes may have been changed on the way: the program looks into tunnels, MPLS
// labels, ICMP errors and quotes of the other IP version, and for those whose
// source port is none of ours see oddQuotes.
func (s SurveyFilter) Program() ([]bpf.RawInstruction, error) { return s.program(false) }

// Exact gives a program that accepts only what is a reply beyond doubt: like
// Program, but no IPv6 packet or quote with extension headers, no quote that was
// changed, and not what AllICMP adds. It is for who takes packets away from others
// (package early).
func (s SurveyFilter) Exact() ([]bpf.RawInstruction, error) {
	s.AllICMP = false
	return s.program(true)
}

// program writes the program.
func (s SurveyFilter) program(exact bool) ([]bpf.RawInstruction, error) {
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("filter: %w", err)
	}
	var p program
	unseen := accept
	odd4, odd6 := p.newLabel(), p.newLabel()
	if exact {
		unseen, odd4, odd6 = drop, drop, drop
	}
	switch {
	case !s.Local6.IsValid():
		s.ipv4(&p, drop, odd4)
	case !s.Local4.IsValid():
		s.ipv6(&p, unseen, odd6)
	default:
		v6 := p.newLabel()
		s.ipv4(&p, v6, odd4)
		p.mark(v6)
		s.ipv6(&p, unseen, odd6)
	}
	p.ret(accept, snapLen)
	p.ret(drop, 0)
	if !exact {
		s.oddQuotes(&p, odd4, odd6)
		p.ret(accept, snapLen)
		p.ret(drop, 0)
	}
	return p.assemble()
}

func (s SurveyFilter) check() error {
	if !s.Local4.IsValid() && !s.Local6.IsValid() {
		return errors.New("no local address, need IPv4, IPv6 or both")
	}
	if s.Local4.IsValid() && !s.Local4.Is4() {
		return fmt.Errorf("local address %v, need an IPv4 address", s.Local4)
	}
	if s.Local6.IsValid() && (!s.Local6.Is6() || s.Local6.Is4In6()) {
		return fmt.Errorf("local address %v, need an IPv6 address", s.Local6)
	}
	if s.SrcPorts[0] > s.SrcPorts[1] {
		return fmt.Errorf("source ports %d to %d, need the lower first", s.SrcPorts[0], s.SrcPorts[1])
	}
	if s.SrcPorts[1] == 0 && s.Method != frame.ICMP {
		return errors.New("source ports 0 to 0, need a range of the probes' own")
	}
	if s.Method == frame.Raw {
		return fmt.Errorf("method raw has no source ports, need one of udp (%d) to dccp (%d)", frame.UDP, frame.DCCP)
	}
	if _, err := protocolOf(s.Method, false); err != nil {
		return err
	}
	return checkLink(s.Link)
}

// ours accepts when the port or identifier that is loaded is one of ours.
func (s SurveyFilter) ours(p *program, other label) {
	p.within(uint32(s.SrcPorts[0]), uint32(s.SrcPorts[1]), accept, other)
}

// whole goes on where the packet reaches 8 bytes beyond a quoted header's end, and
// to odd otherwise, which is worth a look only where it does not drop.
func (s SurveyFilter) whole(p *program, end uint32, odd label) {
	if odd == drop {
		return
	}
	p.add(bpf.LoadExtension{Num: bpf.ExtLen})
	p.jump(bpf.JumpGreaterOrEqual, end+8, next, odd)
}

// Where the port or identifier of a probe is, from its transport header, and
// where that of an answer is.
const (
	quotedPortAt = 0
	answerPortAt = 2
	echoIDAt     = 4
)

// ipv4 judges packets of RFC 791; others lead to other, and errors whose quote
// is not as it left to odd.
func (s SurveyFilter) ipv4(p *program, other, odd label) {
	ip := uint32(s.Link.HeaderLen())
	proto, _ := protocolOf(s.Method, false)
	onICMP, onError := p.newLabel(), p.newLabel()
	p.version(s.Link, 4, other)
	p.address(ip+16, s.Local4.AsSlice())
	p.load(ip+6, 2)
	p.jump(bpf.JumpBitsSet, 0x1fff, drop, next) // fragment offset
	p.add(bpf.LoadMemShift{Off: ip})            // X = header length
	p.load(ip+9, 1)
	if s.AllICMP {
		p.oneOf(accept, protoICMP)
	}
	if s.Method == frame.ICMP {
		p.jump(bpf.JumpEqual, proto, next, drop)
	} else {
		p.oneOf(onICMP, protoICMP)
		p.jump(bpf.JumpEqual, proto, next, drop)
		p.add(bpf.LoadIndirect{Off: ip + answerPortAt, Size: 2})
		s.ours(p, drop)
	}

	p.mark(onICMP)
	p.add(bpf.LoadIndirect{Off: ip, Size: 1})
	p.oneOf(onError, 3, 11, 12)
	s.echoReply(p, 0, bpf.LoadIndirect{Off: ip + echoIDAt, Size: 2})

	p.mark(onError)
	quote := ip + 8
	s.whole(p, quote+20+20, odd)
	p.add(bpf.LoadIndirect{Off: quote + 9, Size: 1})
	p.jump(bpf.JumpEqual, proto, next, odd)
	p.add(bpf.LoadIndirect{Off: quote + 6, Size: 2})
	p.jump(bpf.JumpBitsSet, 0x1fff, odd, next) // also of IPv6, which has its next header there
	p.stepOverIPv4(quote)
	at := uint32(quotedPortAt)
	if s.Method == frame.ICMP {
		p.add(bpf.LoadIndirect{Off: quote, Size: 1})
		p.jump(bpf.JumpEqual, 8, next, odd) // echo request
		at = echoIDAt
	}
	p.add(bpf.LoadIndirect{Off: quote + at, Size: 2})
	s.ours(p, odd)
}

// ipv6 judges packets of RFC 8200; others are dropped. unseen is where what it
// can't see leads.
func (s SurveyFilter) ipv6(p *program, unseen, odd label) {
	ip := uint32(s.Link.HeaderLen())
	proto, _ := protocolOf(s.Method, true)
	onICMP, onError, onFragment := p.newLabel(), p.newLabel(), p.newLabel()
	p.version(s.Link, 6, drop)
	p.address(ip+24, s.Local6.AsSlice())
	p.load(ip+6, 1)
	if s.AllICMP {
		p.oneOf(accept, protoICMPv6)
	}
	p.oneOf(onICMP, protoICMPv6)
	p.oneOf(unseen, protoHopByHop, protoRouting, protoAuth, protoDstOptions)
	p.oneOf(onFragment, protoFragment)
	if s.Method == frame.ICMP {
		p.to(drop)
	} else {
		p.jump(bpf.JumpEqual, proto, next, drop)
		p.load(ip+40+answerPortAt, 2)
		s.ours(p, drop)
	}

	p.mark(onFragment)
	p.load(ip+40+2, 2)
	p.jump(bpf.JumpBitsSet, 0xfff8, drop, unseen) // fragment offset

	p.mark(onICMP)
	p.load(ip+40, 1)
	p.oneOf(onError, 1, 2, 3, 4)
	s.echoReply(p, 129, bpf.LoadAbsolute{Off: ip + 40 + echoIDAt, Size: 2})

	p.mark(onError)
	quote := ip + 40 + 8
	s.whole(p, quote+40, odd)
	onPorts := p.newLabel()
	p.load(quote+6, 1)
	p.oneOf(onPorts, proto)
	p.load(quote, 1)
	p.jump(bpf.JumpBitsSet, 0x20, next, odd) // not IPv4, which has a fragment offset there
	p.load(quote+6, 1)
	p.oneOf(unseen, protoHopByHop, protoRouting, protoFragment, protoAuth, protoDstOptions)
	p.to(odd)
	p.mark(onPorts)
	at := uint32(quotedPortAt)
	if s.Method == frame.ICMP {
		p.load(quote+40, 1)
		p.jump(bpf.JumpEqual, 128, next, odd) // echo request
		at = echoIDAt
	}
	p.load(quote+40+at, 2)
	s.ours(p, odd)
}

// echoReply judges a message whose type, which is no error's, is loaded.
func (s SurveyFilter) echoReply(p *program, typ uint32, loadID bpf.Instruction) {
	if s.Method != frame.ICMP {
		p.to(drop)
		return
	}
	p.jump(bpf.JumpEqual, typ, next, drop)
	p.add(loadID)
	s.ours(p, drop)
}
