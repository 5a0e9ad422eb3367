package internet

import (
	"net/netip"
	"time"
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
	MaxLimits = 1 << 20
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

	// Percent of the hops, but the first, that have 2 to 4 routers beside each
	// other. The flow of a probe decides which of them it passes: see Flow.
	Diamonds int
	// Percent of the prefixes (24 bits, 48 in IPv6) whose paths loop: on one
	// half of them the router of two hops before comes again, once; on the
	// other half it and the next take turns from there on, and no probe gets
	// to the destination. Paths of 3 hops and less have no loop.
	Loops int
	// Percent of the prefixes that a router on the way says to be unreachable,
	// or not allowed: to every probe that gets there. Loops is part of the same
	// hundred. Paths of 2 hops and less have no such router.
	Unreachable int

	// Percent of the routers that limit how many errors they send: one in each
	// LimitEvery (1 µs to 24 h; 0 means 10 ms), and up to LimitBurst at once
	// (1 to 1,000,000; 0 means 10), whoever they are for. There is room for
	// MaxLimits of them; a few of more share their limits.
	Limited    int
	LimitEvery time.Duration
	LimitBurst int

	// Percent of the probes that are answered twice, and of those that are
	// answered LateBy (1 µs to 1 h; 0 means 50 ms) later than the others; they
	// are part of one hundred. Echo replies of more than 2,000 bytes are never
	// late.
	Duplicates, Late int
	LateBy           time.Duration

	// Percent of the destinations that refuse every probe themselves, as hosts
	// with a packet filter do: by an error from their own address that says that
	// the host, the protocol or the port is unreachable, or that it is not allowed.
	Guarded int
	// Percent of the destinations on which every UDP port has a service, which
	// answers with a datagram. Its data are the TTL that the probe left with, a
	// zero and the probe's UDP checksum: for who checks a prober, not for it.
	Services int
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
	// It is a setting of the whole machine, which Close restores, or that of the
	// last of several Internets that need it at once: each has at least what it
	// asks for. 0 leaves it. Where it can't be raised, Start gives ErrBacklog.
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
	if c.LimitEvery == 0 {
		c.LimitEvery = defaultLimitEvery
	}
	if c.LimitBurst == 0 {
		c.LimitBurst = defaultLimitBurst
	}
	if c.LateBy == 0 {
		c.LateBy = defaultLateBy
	}
	setAddr(&c.Gateway4, defaultGateway4)
	setAddr(&c.Gateway6, defaultGateway6)
	setPrefix(&c.Source4, defaultSource4)
	setPrefix(&c.Source6, defaultSource6)
	setPrefix(&c.Routers4, defaultRouters4)
	setPrefix(&c.Routers6, defaultRouters6)
	return c
}

// The times and counts of a Config without any.
const (
	defaultLimitEvery = 10 * time.Millisecond
	defaultLimitBurst = 10
	defaultLateBy     = 50 * time.Millisecond
)

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
