package rx

import (
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/net/bpf"

	"github.com/hopquote/hopquote/frame"
)

// FilterSpec says which packets can be replies to one run's probes.
type FilterSpec struct {
	Link   frame.LinkType
	Local  netip.Addr   // source of the probes; IPv4 unmapped
	Target netip.Addr   // destination of the probes, of Local's family; may be Local; invalid for many
	Method frame.Method // of the probes
	EchoID uint16       // identifier of the echo requests, for method ICMP
	// SrcPorts are the first and the last source port of probes to many targets,
	// where Target is invalid. For method ICMP they are identifiers, and two
	// zeros stand for EchoID alone.
	SrcPorts [2]uint16
	// Protocol is the IP protocol number of the probes, for method Raw.
	Protocol uint8
	// AllICMP lets every ICMP or ICMPv6 message to Local pass, for who wants to
	// see those that answer no probe.
	AllICMP bool
}

// Protocol numbers and message types that the filter looks at, from the IANA
// registries of RFC 5237, RFC 792 and RFC 4443.
const (
	protoHopByHop   = 0
	protoICMP       = 1
	protoTCP        = 6
	protoUDP        = 17
	protoDCCP       = 33
	protoRouting    = 43
	protoFragment   = 44
	protoAuth       = 51
	protoICMPv6     = 58
	protoDstOptions = 60
	protoUDPLite    = 136
)

// snapLen is the longest packet there is: an IPv4 packet or a plain IPv6
// packet of 65535 bytes behind an Ethernet header. The filter keeps packets
// whole, since their checksums are verified over all of it.
const snapLen = 65535 + 14

// Program gives the classic BPF program for the spec.
//
// It accepts packets to Local that are a destination unreachable (packet too
// big), time exceeded or parameter problem quoting a packet of the method's
// protocol, or one around or translated from it, or come from Target as an echo reply with EchoID (ICMP) or as any
// packet of the method's protocol (the others; of Raw probes over ICMP, all but
// those errors). Where an IPv6 packet or quote has
// extension headers, classic BPF can't walk them and lets it pass. Later
// fragments are dropped.
//
// With an invalid Target, and SrcPorts or method ICMP, it is the program of a
// SurveyFilter.
func (s FilterSpec) Program() ([]bpf.RawInstruction, error) {
	if s.many() {
		return s.survey().Program()
	}
	proto, err := s.check()
	if err != nil {
		return nil, fmt.Errorf("filter: %w", err)
	}
	var p program
	ip := uint32(s.Link.HeaderLen())
	if s.Local.Is6() {
		s.ipv6(&p, ip, proto)
	} else {
		s.ipv4(&p, ip, proto)
	}
	p.ret(accept, snapLen)
	p.ret(drop, 0)
	return p.assemble()
}

// check returns the method's protocol number in Local's family.
func (s FilterSpec) check() (proto uint32, err error) {
	if !s.Local.IsValid() || s.Local.Is4In6() {
		return 0, fmt.Errorf("local address %v, need an IPv4 or IPv6 address", s.Local)
	}
	if !s.Target.IsValid() || s.Target.Is4In6() || s.Target.Is6() != s.Local.Is6() {
		return 0, fmt.Errorf("target %v, need an address of the family of %v", s.Target, s.Local)
	}
	if err := checkLink(s.Link); err != nil {
		return 0, err
	}
	if s.Method != frame.Raw {
		return protocolOf(s.Method, s.Local.Is6())
	}
	if s.Protocol == 0 {
		return 0, errors.New("raw protocol 0, want 1..255")
	}
	return uint32(s.Protocol), nil
}

func checkLink(l frame.LinkType) error {
	if l != frame.LinkRaw && l != frame.LinkEthernet {
		return fmt.Errorf("link type %d, known are raw IP (%d) and Ethernet (%d)", l, frame.LinkRaw, frame.LinkEthernet)
	}
	return nil
}

// protocolOf is the protocol number of every method that has one.
func protocolOf(m frame.Method, v6 bool) (uint32, error) {
	switch {
	case m == frame.UDP:
		return protoUDP, nil
	case m == frame.TCP:
		return protoTCP, nil
	case m == frame.UDPLite:
		return protoUDPLite, nil
	case m == frame.DCCP:
		return protoDCCP, nil
	case m == frame.ICMP && v6:
		return protoICMPv6, nil
	case m == frame.ICMP:
		return protoICMP, nil
	}
	return 0, fmt.Errorf("method %d, known are udp (%d) to raw (%d)", m, frame.UDP, frame.Raw)
}

// ipv4 reads the header of RFC 791 section 3.1 at ip and the message of RFC
// 792 behind it, wherever the options end.
func (s FilterSpec) ipv4(p *program, ip, proto uint32) {
	p.version(s.Link, 4, drop)
	p.address(ip+16, s.Local.AsSlice())
	p.load(ip+6, 2)
	p.jump(bpf.JumpBitsSet, 0x1fff, drop, next) // fragment offset
	p.load(ip+9, 1)
	p.oneOf(s.onICMP(), protoICMP)
	if s.Method != frame.ICMP {
		p.oneOf(fromTarget, proto)
	}
	p.to(drop)

	p.mark(icmp)
	p.add(bpf.LoadMemShift{Off: ip}) // X = header length
	p.add(bpf.LoadIndirect{Off: ip, Size: 1})
	p.oneOf(icmpError, 3, 11, 12)
	s.echoReply(p, proto == protoICMP, 0, bpf.LoadIndirect{Off: ip + 4, Size: 2})

	p.mark(icmpError)
	s.quote(p, func(off uint32, size int) bpf.Instruction {
		return bpf.LoadIndirect{Off: s.quoteStart() + off, Size: size}
	})

	p.mark(fromTarget)
	p.address(ip+12, s.Target.AsSlice())
}

// ipv6 reads the header of RFC 8200 section 3 at ip and the message of RFC
// 4443 behind it.
func (s FilterSpec) ipv6(p *program, ip, proto uint32) {
	p.version(s.Link, 6, drop)
	p.address(ip+24, s.Local.AsSlice())
	p.load(ip+6, 1)
	p.oneOf(s.onICMP(), protoICMPv6)
	if s.Method != frame.ICMP {
		p.oneOf(fromTarget, proto)
	}
	p.oneOf(fragment, protoFragment)
	p.oneOf(accept, protoHopByHop, protoRouting, protoAuth, protoDstOptions)
	p.to(drop)

	p.mark(fragment)
	p.load(ip+40+2, 2)
	p.jump(bpf.JumpBitsSet, 0xfff8, drop, accept) // fragment offset

	p.mark(icmp)
	p.load(ip+40, 1)
	p.oneOf(icmpError, 1, 2, 3, 4)
	s.echoReply(p, proto == protoICMPv6, 129, bpf.LoadAbsolute{Off: ip + 40 + 4, Size: 2})

	p.mark(icmpError)
	s.quote(p, func(off uint32, size int) bpf.Instruction {
		return bpf.LoadAbsolute{Off: s.quoteStart() + off, Size: size}
	})

	p.mark(fromTarget)
	p.address(ip+8, s.Target.AsSlice())
}

// onICMP is where a message to Local leads.
func (s FilterSpec) onICMP() label {
	if s.AllICMP {
		return accept
	}
	return icmp
}

// echoReply goes on judging a message whose type is loaded: an echo reply with
// our identifier must still come from the target, and others are dropped. To Raw
// probes in ICMP any message may be the answer.
func (s FilterSpec) echoReply(p *program, inICMP bool, typ uint32, loadID bpf.Instruction) {
	if s.Method == frame.Raw && inICMP {
		p.to(fromTarget)
		return
	}
	if s.Method == frame.ICMP {
		p.jump(bpf.JumpEqual, typ, next, drop)
		p.add(loadID)
		p.oneOf(fromTarget, uint32(s.EchoID))
	}
	p.to(drop)
}

// many tells whether the probes go to many targets.
func (s FilterSpec) many() bool {
	return !s.Target.IsValid() && (s.SrcPorts != [2]uint16{} || s.Method == frame.ICMP)
}

// survey is the filter for many targets.
func (s FilterSpec) survey() SurveyFilter {
	f := SurveyFilter{Link: s.Link, Method: s.Method, SrcPorts: s.SrcPorts, AllICMP: s.AllICMP}
	if s.Local.Is6() {
		f.Local6 = s.Local
	} else {
		f.Local4 = s.Local
	}
	if s.Method == frame.ICMP && s.SrcPorts == [2]uint16{} {
		f.SrcPorts = [2]uint16{s.EchoID, s.EchoID}
	}
	return f
}
