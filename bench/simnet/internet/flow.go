package internet

import (
	"encoding/binary"
	"net/netip"

	"github.com/hopquote/hopquote/frame"
)

// Flow is what a router with several next hops chooses by, besides the
// destination.
type Flow struct {
	Src      netip.Addr
	Protocol uint8  // of IP
	Head     uint32 // the first four bytes of UDP, TCP and ICMP: ports, or type, code and checksum
	ID       uint16 // of an echo request
	Label    uint32 // of IPv6
}

// FlowOf gives the flow of a probe from its IP packet on, and tells whether it
// is a probe.
func FlowOf(packet []byte) (Flow, bool) {
	p, found := parse(packet, len(packet) > 0 && packet[0]>>4 == 6)
	return p.flow(), found == isProbe
}

func (p *ipPacket) flow() Flow {
	f := Flow{Src: p.src, Protocol: p.protocol}
	if p.method != 0 {
		f.Head = binary.BigEndian.Uint32(p.transport)
	}
	if p.method == frame.ICMP {
		f.ID = binary.BigEndian.Uint16(p.transport[4:])
	}
	if p.dst.Is6() {
		f.Label = binary.BigEndian.Uint32(p.ip) & 0xfffff
	}
	return f
}

// flowHash is what the hash of a flow to dst is; fate.bpf.h says the same in C.
func (c *Config) flowHash(dst netip.Addr, f *Flow) uint64 {
	if c.Diamonds == 0 {
		return 0
	}
	var hi, lo uint64
	if f.Src.IsValid() {
		hi, lo = halves(f.Src)
	}
	h := c.draw(drawFlow, dst.Is6(), int(f.Label)<<8|int(f.Protocol), hi, lo)
	hi, lo = halves(dst)
	return mix(mix(mix(h^hi)^lo) ^ (uint64(f.Head)<<32 | uint64(f.ID)<<16))
}

// width is how many routers there are beside each other at a hop, and the hash
// that their choice starts from.
func (c *Config) width(v6 bool, hop int, prefix uint64) (n int, h uint64) {
	if c.Diamonds == 0 || hop == 1 {
		return 1, 0
	}
	h = c.draw(drawDiamond, v6, hop, prefix, 0)
	if percent(h) >= c.Diamonds {
		return 1, h
	}
	return 2 + int(h>>16&0xffff*3>>16), h
}

// branch is which of them a flow passes, from 0.
func (c *Config) branch(v6 bool, hop int, prefix, flow uint64) int {
	n, h := c.width(v6, hop, prefix)
	return int(mix(h^flow) >> 32 * uint64(n) >> 32)
}
