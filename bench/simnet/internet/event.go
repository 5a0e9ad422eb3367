package internet

import (
	"net/netip"

	"github.com/hopquote/hopquote/frame"
)

// End is how a path ends.
type End uint8

// The ends of paths.
const (
	Reaches End = iota // at the destination, which may be silent
	Refuses            // at a router that says it is unreachable, or not allowed
	Circles            // nowhere: two routers send it to each other
)

// String gives the end in one lower-case word.
func (e End) String() string {
	switch e {
	case Reaches:
		return "reaches"
	case Refuses:
		return "refuses"
	}
	return "circles"
}

// End tells how the path to dst ends, and at which hop: that of the
// destination, of the router that refuses, or the first that repeats another.
func (c Config) End(dst netip.Addr) (End, int) {
	c = c.withDefaults()
	length := c.length(dst, c.hostHash(dst))
	switch e := c.event(dst, length); {
	case e.hop == 0 || e.isLoop && !e.isEndless:
		return Reaches, length
	case e.isLoop:
		return Circles, e.hop
	default:
		return Refuses, e.hop
	}
}

// Routers appends to list what each router says that a probe to dst with a TTL
// may end at, by its flow, and gives the extended list. At the destination it
// appends nothing.
func (c Config) Routers(list []Truth, dst netip.Addr, ttl int) []Truth {
	c = c.withDefaults()
	length := c.length(dst, c.hostHash(dst))
	e := c.event(dst, length)
	place := e.place(ttl)
	if place >= length {
		return list
	}
	prefix := c.prefix(dst, place)
	n, _ := c.width(dst.Is6(), place, prefix)
	for branch := range n {
		list = append(list, e.change(c.answerBranch(dst, place, prefix, branch), ttl))
	}
	return list
}

// event is what happens to probes on a path.
type event struct {
	hop               int // the first that it happens at, 0 for nothing
	isLoop, isEndless bool
	code              uint8 // without a loop
}

// event is that of the path to dst, of a length; truth.bpf.h says the same in C.
func (c *Config) event(dst netip.Addr, length int) event {
	if c.Loops+c.Unreachable == 0 {
		return event{}
	}
	hi, _ := halves(dst)
	bits := choose(dst.Is6(), prefixMax, 2*prefixMax)
	h := c.draw(drawEvent, dst.Is6(), 0, hi>>(64-bits)<<(64-bits), 0)
	p := percent(h)
	e := event{isLoop: p < c.Loops, isEndless: h>>32&1 == 1}
	first := 2
	if e.isLoop {
		first = 3
	}
	if p >= c.Loops+c.Unreachable || length <= first {
		return event{}
	}
	e.hop = first + int(h>>16&0xffff)*(length-first)>>16
	e.code = choose(dst.Is6(), codes4, codes6)[h>>48*3>>16]
	return e
}

// Codes of unreachables on the way: no route to the network, to the host, and
// not allowed.
var (
	codes4 = [...]uint8{0, 1, 13} // RFC 792, RFC 1812 section 5.2.7.1
	codes6 = [...]uint8{0, 3, 1}  // RFC 4443 section 3.1
)

// place is where on the path without the event a probe ends.
func (e *event) place(ttl int) int {
	switch {
	case e.hop == 0 || ttl < e.hop:
	case !e.isLoop:
		return e.hop
	case e.isEndless:
		return e.hop - 2 + (ttl-e.hop)&1
	case ttl == e.hop:
		return ttl - 2
	}
	return ttl
}

// change makes a router's answer at a place that of the event.
func (e *event) change(t Truth, ttl int) Truth {
	switch {
	case e.hop == 0 || ttl < e.hop:
	case e.isLoop:
		t.Hop = ttl
	case !t.Silent:
		t.Kind, t.Code = frame.KindUnreachable, e.code
	}
	return t
}
