package internet

import "encoding/binary"

// fate is how a reply leaves.
type fate uint8

const (
	once fate = iota
	twice
	late
)

// longest is how many bytes of a frame can be kept for later.
const longest = 2046

// fate is that of the reply to a probe; fate.bpf.h says the same in C.
func (c *Config) fate(p *ipPacket) fate {
	if c.Duplicates+c.Late == 0 {
		return once
	}
	hi, lo := halves(p.dst)
	if p.method != 0 {
		lo ^= binary.BigEndian.Uint64(p.transport)
	}
	switch n := percent(c.draw(drawFate, p.dst.Is6(), int(p.id)<<8|int(p.ttl), hi, lo)); {
	case n < c.Duplicates:
		return twice
	case n < c.Duplicates+c.Late:
		return late
	}
	return once
}
