package internet

import (
	"encoding/binary"
	"net/netip"

	"github.com/hopquote/hopquote/frame"
)

// Truth is what becomes of a probe.
type Truth struct {
	Hop    int        // who answers, or keeps silent: 1 is the gateway
	From   netip.Addr // that one's address
	Silent bool       // there is no answer, and the fields below are zero

	Kind    frame.Kind // time exceeded on the way; unreachable, echo reply or TCP from the destination
	TTL     uint8      // the reply's own, as it arrives
	Quoting Quoting    // of an error
	Label   uint32     // of an error that quotes Labeled; 20 bits
}

// Path is how many hops away the destination is, itself included.
func (c Config) Path(dst netip.Addr) int {
	c = c.withDefaults()
	return c.length(dst, c.hostHash(dst))
}

// Answer tells who answers a probe to dst, an unmapped address, with a TTL or
// hop limit of 1..255, and how. TCP probes are answered as truly described if
// they have the SYN flag and no RST; method 0 stands for all that has no
// method of its own here.
func (c Config) Answer(dst netip.Addr, ttl int, method frame.Method) Truth {
	c = c.withDefaults()
	return c.answer(dst, ttl, method)
}

// answer is Answer for a Config with its defaults. truth.bpf.h says the same
// in C: change both together.
func (c *Config) answer(dst netip.Addr, ttl int, method frame.Method) Truth {
	h := c.hostHash(dst)
	length := c.length(dst, h)
	if ttl < length {
		return c.answerRouter(dst, ttl)
	}
	t := Truth{Hop: length, From: dst}
	if dst != c.gateway(dst.Is6()) && percent(h>>32) < c.SilentHosts {
		t.Silent = true
		return t
	}
	t.TTL = uint8(64 - (length - 1))
	switch method {
	case frame.ICMP:
		t.Kind = frame.KindEchoReply
	case frame.TCP:
		t.Kind = frame.KindTCP
	default:
		t.Kind = frame.KindUnreachable
		if method != frame.UDP && dst.Is6() {
			t.Kind = frame.KindParamProblem
		}
		if t.Quoting = c.quoting(percent(h >> 48)); t.Quoting == Labeled {
			t.Quoting = Full
		}
	}
	return t
}

// answerRouter is for a probe that ends on the way.
func (c *Config) answerRouter(dst netip.Addr, hop int) Truth {
	h := c.draw(drawRouter, dst.Is6(), hop, c.prefix(dst, hop), 0)
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

// What a hash is drawn for.
const (
	drawRouter   = 1
	drawHost     = 2
	drawSequence = 3
)

// mix spreads every bit of x over all of them (the last step of splitmix64).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func (c *Config) draw(what uint64, v6 bool, hop int, hi, lo uint64) uint64 {
	tag := what<<56 | uint64(hop)
	if v6 {
		tag |= 1 << 48
	}
	return mix(mix(mix(c.Seed^tag)^hi) ^ lo)
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

// percent makes 16 bits of a hash a number below 100.
func percent(h uint64) int { return int(h & 0xffff * 100 >> 16) }

// halves are an address as two numbers; an IPv4 address is in the upper half
// of the first.
func halves(a netip.Addr) (hi, lo uint64) {
	if a.Is4() {
		b := a.As4()
		return uint64(binary.BigEndian.Uint32(b[:])) << 32, 0
	}
	b := a.As16()
	return binary.BigEndian.Uint64(b[:]), binary.BigEndian.Uint64(b[8:])
}

// routers4 are a prefix's network and the bits that it leaves open.
func routers4(p netip.Prefix) (network, host uint32) {
	b := p.Masked().Addr().As4()
	return binary.BigEndian.Uint32(b[:]), 1<<(32-p.Bits()) - 1
}
