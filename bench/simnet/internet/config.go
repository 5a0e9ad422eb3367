package internet

import (
	"fmt"
	"net/netip"
)

// Quoting is how much of a probe an ICMP error brings back.
type Quoting uint8

// The ways of quoting.
const (
	Minimal Quoting = iota // IP header and 8 bytes, RFC 792
	Labeled                // 128 bytes, zeros behind a shorter probe, and an MPLS label stack: RFC 4884, RFC 4950
	Full                   // all that fits into 576 (IPv4, RFC 1812) or 1280 bytes (IPv6, RFC 4443)
)

// String gives the way in one lower-case word.
func (q Quoting) String() string {
	switch q {
	case Minimal:
		return "minimal"
	case Labeled:
		return "labeled"
	}
	return "full"
}

// Limits of a Config.
const (
	MaxLength = 64 // hops of a path: what a destination's own TTL allows
	MaxOpen   = 8  // open TCP ports
)

// Config says what the Internet is like. The zero value is a fine one, in
// which everything is answered.
type Config struct {
	Seed uint64

	// Paths have MinHops to MaxHops hops, the destination included, 1..64.
	// 0 means 16 and MinHops+8 (64 at most).
	MinHops, MaxHops int
	// Shared hops are the same for all destinations, 0..64; hop 1 always is.
	Shared int

	// Percent of the routers that never answer, hop 1 among them, and of the
	// destinations.
	Silent, SilentHosts int
	// Percent of the routers that quote Minimal and Labeled; the rest quotes
	// Full. Destinations use no labels: they quote Full in place of it. All
	// zero means 50 and 25, unless OnlyFull.
	Minimal, Labeled int
	OnlyFull         bool

	// TCP ports on which all destinations listen, 8 at most.
	Open []uint16

	// Gateway4 and Gateway6 are hop 1, and on the link with the prober's
	// Source4 and Source6. Invalid ones mean 10.99.0.254, fd99::fe,
	// 10.99.0.1/24 and fd99::1/64.
	Gateway4, Gateway6 netip.Addr
	Source4, Source6   netip.Prefix
	// Routers4 and Routers6 are where other routers have their addresses: 8 to
	// 24 bits long, and 64. Invalid ones mean 100.64.0.0/10 and
	// 2001:db8:ffff:ffff::/64.
	Routers4, Routers6 netip.Prefix

	// CPUs is a mask of those that answer in the kernel form, by receive packet
	// steering; 0 is the one that a probe is sent on. With others a burst must
	// fit into Backlog.
	CPUs uint64
	// Backlog is how many frames may wait for a CPU (net.core.netdev_max_backlog).
	// It is a setting of the whole machine, which Close restores; 0 leaves it.
	Backlog int

	// UserSpace asks for the user-space form.
	UserSpace bool
}

// withDefaults replaces what is not set.
func (c Config) withDefaults() Config {
	if c.MinHops == 0 {
		c.MinHops = 16
	}
	if c.MaxHops == 0 {
		c.MaxHops = min(c.MinHops+8, MaxLength)
	}
	if c.Minimal == 0 && c.Labeled == 0 && !c.OnlyFull {
		c.Minimal, c.Labeled = 50, 25
	}
	setAddr(&c.Gateway4, defaultGateway4)
	setAddr(&c.Gateway6, defaultGateway6)
	setPrefix(&c.Source4, defaultSource4)
	setPrefix(&c.Source6, defaultSource6)
	setPrefix(&c.Routers4, defaultRouters4)
	setPrefix(&c.Routers6, defaultRouters6)
	return c
}

// The addresses of a Config without any.
var (
	defaultGateway4 = netip.MustParseAddr("10.99.0.254")
	defaultGateway6 = netip.MustParseAddr("fd99::fe")
	defaultSource4  = netip.MustParsePrefix("10.99.0.1/24")
	defaultSource6  = netip.MustParsePrefix("fd99::1/64")
	defaultRouters4 = netip.MustParsePrefix("100.64.0.0/10")
	defaultRouters6 = netip.MustParsePrefix("2001:db8:ffff:ffff::/64")
)

func setAddr(a *netip.Addr, value netip.Addr) {
	if !a.IsValid() {
		*a = value
	}
}

func setPrefix(p *netip.Prefix, value netip.Prefix) {
	if !p.IsValid() {
		*p = value
	}
}

// check finds what is out of range in a Config with its defaults.
func (c *Config) check() error {
	numbers := []struct {
		name            string
		value, low, top int
	}{
		{"MinHops", c.MinHops, 1, MaxLength},
		{"MaxHops", c.MaxHops, c.MinHops, MaxLength},
		{"Shared", c.Shared, 0, MaxLength},
		{"Silent", c.Silent, 0, 100},
		{"SilentHosts", c.SilentHosts, 0, 100},
		{"Minimal", c.Minimal, 0, 100},
		{"Labeled", c.Labeled, 0, 100 - c.Minimal},
		{"number of Open ports", len(c.Open), 0, MaxOpen},
		{"length of Routers4", c.Routers4.Bits(), 8, 24},
		{"length of Routers6", c.Routers6.Bits(), 64, 64},
		{"Backlog", c.Backlog, 0, 1 << 30},
	}
	for _, n := range numbers {
		if n.value < n.low || n.value > n.top {
			return fmt.Errorf("internet: %s %d is not within %d..%d", n.name, n.value, n.low, n.top)
		}
	}
	for _, a := range []netip.Addr{c.Gateway4, c.Source4.Addr(), c.Routers4.Addr()} {
		if !a.Is4() || !isHost(a) {
			return fmt.Errorf("internet: %s is not the IPv4 address of a host", a)
		}
	}
	for _, a := range []netip.Addr{c.Gateway6, c.Source6.Addr(), c.Routers6.Addr()} {
		if !a.Is6() || a.Is4In6() || a.Zone() != "" || !isHost(a) {
			return fmt.Errorf("internet: %s is not the IPv6 address of a host", a)
		}
	}
	return nil
}

// isHost tells whether a probe may come from or go to the address.
func isHost(a netip.Addr) bool {
	if a.Is4() {
		first := a.As4()[0]
		return first != 0 && first != 127 && first < 224
	}
	hi, lo := halves(a)
	return hi>>56 != 0xff && hi>>54 != 0xfe80>>6 && (hi != 0 || lo > 1)
}
