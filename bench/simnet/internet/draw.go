package internet

import (
	"encoding/binary"
	"net/netip"
)

// What a hash is drawn for.
const (
	drawRouter   = 1
	drawHost     = 2
	drawSequence = 3
	drawDiamond  = 4
	drawEvent    = 5
	drawFlow     = 6
	drawLimit    = 7
	drawFate     = 8
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
