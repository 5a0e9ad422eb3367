package internet

import (
	"encoding/binary"
	"net/netip"

	"github.com/hopquote/hopquote/frame"
)

// Truth is what becomes of a probe.
type Truth struct {
	Hop    int        // who answers, or keeps silent: 1 is the gateway; in a loop the probe's own TTL
	From   netip.Addr // that one's address
	Silent bool       // there is no answer, and the fields below are zero

	Kind    frame.Kind // time exceeded or unreachable on the way; unreachable, echo reply, UDP or TCP from the destination
	Code    uint8      // of an error
	TTL     uint8      // the reply's own, as it arrives
	Quoting Quoting    // of an error
	Label   uint32     // of an error that quotes Labeled; 20 bits
}

// Path is how many hops away the destination is, itself included: also where a
// loop, or a router that refuses, keeps probes from it (see End).
func (c Config) Path(dst netip.Addr) int {
	c = c.withDefaults()
	return c.length(dst, c.hostHash(dst))
}

// Answer tells who answers a probe to dst, an unmapped address, with a TTL or
// hop limit of 1..255, and how. TCP probes are answered as truly described if
// they have the SYN flag and no RST; method 0 stands for all that has no
// method of its own here. With Diamonds it is the answer to a probe of the zero
// Flow. What Limited, Duplicates and Late do to an answer is not in it.
func (c Config) Answer(dst netip.Addr, ttl int, method frame.Method) Truth {
	return c.AnswerFlow(dst, ttl, method, Flow{})
}

// AnswerFlow is Answer for a probe of a flow.
func (c Config) AnswerFlow(dst netip.Addr, ttl int, method frame.Method, flow Flow) Truth {
	c = c.withDefaults()
	t, _ := c.answer(dst, ttl, method, c.flowHash(dst, &flow))
	return t
}

// answer is Answer for a Config with its defaults. truth.bpf.h says the same
// in C: change both together. isRouter is for
// answers from the way.
func (c *Config) answer(dst netip.Addr, ttl int, method frame.Method, flow uint64) (t Truth, isRouter bool) {
	h := c.hostHash(dst)
	length := c.length(dst, h)
	e := c.event(dst, length)
	if place := e.place(ttl); place < length {
		return e.change(c.answerRouter(dst, place, flow), ttl), true
	}
	t = Truth{Hop: length, From: dst}
	if dst != c.gateway(dst.Is6()) && percent(h>>32) < c.SilentHosts {
		t.Silent = true
		return t, false
	}
	t.TTL = uint8(64 - (length - 1))
	code, isGuarded, isService := c.habits(dst, h)
	switch {
	case isGuarded:
		t.Kind, t.Code = frame.KindUnreachable, code
	case method == frame.ICMP:
		t.Kind = frame.KindEchoReply
	case method == frame.TCP:
		t.Kind = frame.KindTCP
	case method == frame.UDP && isService:
		t.Kind = frame.KindUDP
	default:
		t.Kind, t.Code = frame.KindUnreachable, refusal(method, dst.Is6())
		if method != frame.UDP && dst.Is6() {
			t.Kind = frame.KindParamProblem
		}
	}
	if !t.Kind.IsError() {
		return t, false
	}
	if t.Quoting = c.quoting(percent(h >> 48)); t.Quoting == Labeled {
		t.Quoting = Full
	}
	return t, false
}

// habits are what a destination, whose hash is h, does that not all do: it
// refuses every probe, with a code, or has a service on UDP.
func (c *Config) habits(dst netip.Addr, h uint64) (code uint8, isGuarded, isService bool) {
	if c.Guarded+c.Services == 0 || dst == c.gateway(dst.Is6()) {
		return 0, false, false
	}
	more := mix(h)
	code = choose(dst.Is6(), guards4, guards6)[more>>16&0xffff*uint64(len(guards4))>>16]
	return code, percent(more) < c.Guarded, percent(more>>32) < c.Services
}

// Codes with which destinations refuse: host, protocol, port, not allowed to the
// host, not allowed; and not allowed, address, port, policy, rejected.
var (
	guards4 = [...]uint8{1, 2, 3, 10, 13} // RFC 792, RFC 1812 section 5.2.7.1
	guards6 = [...]uint8{1, 3, 4, 5, 6}   // RFC 4443 section 3.1
)

// refusal is the code of the error with which a destination refuses a probe.
func refusal(method frame.Method, v6 bool) uint8 {
	switch {
	case method == frame.UDP:
		return choose[uint8](v6, 3, 4) // port unreachable
	case v6:
		return 1 // unrecognized next header
	}
	return 2 // protocol unreachable
}

// answerRouter is for a probe whose TTL ends on the way.
func (c *Config) answerRouter(dst netip.Addr, hop int, flow uint64) Truth {
	prefix := c.prefix(dst, hop)
	return c.answerBranch(dst, hop, prefix, c.branch(dst.Is6(), hop, prefix, flow))
}

// answerBranch is for one of the routers beside each other at a hop.
func (c *Config) answerBranch(dst netip.Addr, hop int, prefix uint64, branch int) Truth {
	h := c.draw(drawRouter, dst.Is6(), hop, prefix, uint64(branch))
	more := mix(h)
	t := Truth{Hop: hop}
	switch {
	case hop == 1:
		t.From = c.gateway(dst.Is6())
	case dst.Is6():
		b := c.Routers6.Addr().As16()
		binary.BigEndian.PutUint64(b[8:], more)
		t.From = netip.AddrFrom16(b)
	default:
		network, host := routers4(c.Routers4)
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], network|uint32(h)&host)
		t.From = netip.AddrFrom4(b)
	}
	if percent(h>>32) < c.Silent {
		t.Silent = true
		return t
	}
	t.Kind, t.TTL = frame.KindTimeExceeded, uint8(255-(hop-1))
	t.Quoting = c.quoting(percent(h >> 48))
	if t.Quoting == Labeled {
		t.Label = uint32(more>>44) | 16 // those below are reserved, RFC 3032 section 2.1
	}
	return t
}

func (c *Config) hostHash(dst netip.Addr) uint64 {
	hi, lo := halves(dst)
	return c.draw(drawHost, dst.Is6(), 0, hi, lo)
}

// length is the number of hops to dst, whose hash is h.
func (c *Config) length(dst netip.Addr, h uint64) int {
	if dst == c.gateway(dst.Is6()) {
		return 1
	}
	span := uint64(c.MaxHops - c.MinHops + 1)
	return c.MinHops + int(h&0xffffffff*span>>32)
}

// Prefixes grow by this many bits a hop, and twice as many in IPv6.
const (
	prefixStep = 4
	prefixMax  = 24
)

// prefix is the part of a destination's address that decides who its router is
// at a hop.
func (c *Config) prefix(dst netip.Addr, hop int) uint64 {
	bits := min(max(hop-c.Shared, 0)*prefixStep, prefixMax)
	if dst.Is6() {
		bits *= 2
	}
	hi, _ := halves(dst)
	return hi >> (64 - bits) << (64 - bits)
}

func (c *Config) quoting(p int) Quoting {
	switch {
	case p < c.Minimal:
		return Minimal
	case p < c.Minimal+c.Labeled:
		return Labeled
	}
	return Full
}

func (c *Config) gateway(v6 bool) netip.Addr {
	if v6 {
		return c.Gateway6
	}
	return c.Gateway4
}
