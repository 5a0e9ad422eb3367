package frame

import (
	"fmt"
	"net/netip"
	"strings"
)

// RouteKind is how a Route is written into the header.
type RouteKind uint8

// The kinds of routes. The zero RouteKind is none of them.
const (
	// LSRR is the IPv4 loose source route option (RFC 791 section 3.1) as the
	// Linux kernel lays it out: behind a NOP, with the destination twice.
	LSRR RouteKind = iota + 1
	// LSRROnce is the same option as BSD traceroute lays it out: behind a NOP,
	// with the destination once.
	LSRROnce
	// Routing0 is the IPv6 routing header type 0 (RFC 2460 section 4.4), which
	// RFC 5095 tells routers to refuse.
	Routing0
	// Routing2 is the IPv6 routing header type 2 (RFC 6275 section 6.4): one
	// gateway.
	Routing2
	// Routing4 is the IPv6 segment routing header (RFC 8754) in its reduced
	// form, which leaves the first gateway out of the list.
	Routing4
)

// The most gateways of a Route.
const (
	MaxGateways4 = 8 // what 40 bytes of options hold with the destination twice
	MaxGateways6 = 127
)

// Route is the gateways that a probe shall pass on the way to its destination.
// Routes of one kind and list are equal (==), and the zero Route is none.
type Route struct {
	kind     RouteKind
	gateways string // in order of passing, 4 or 16 bytes each
}

// NewRoute makes a route over 1 to MaxGateways4 IPv4 addresses, 1 to
// MaxGateways6 IPv6 addresses, or just one for Routing2.
func NewRoute(kind RouteKind, gateways []netip.Addr) (Route, error) {
	r := Route{kind: kind}
	if kind < LSRR || kind > Routing4 {
		return Route{}, fmt.Errorf("new route: unknown kind %d", kind)
	}
	if n := len(gateways); n < 1 || n > r.most() {
		return Route{}, fmt.Errorf("new route: %d gateways, want 1..%d", n, r.most())
	}
	var b strings.Builder
	for _, g := range gateways {
		if !g.IsValid() || g.Is4In6() || g.Zone() != "" || g.Is6() != r.IsIPv6() {
			family := familyOf(r.IsIPv6())
			return Route{}, fmt.Errorf("new route: gateway %q is not an unmapped %s address without zone", g, family)
		}
		b.Write(g.AsSlice())
	}
	r.gateways = b.String()
	return r, nil
}

func familyOf(v6 bool) string {
	if v6 {
		return "IPv6"
	}
	return "IPv4"
}

// most is the most gateways of the route's kind.
func (r Route) most() int {
	switch {
	case r.kind == Routing2:
		return 1
	case r.IsIPv6():
		return MaxGateways6
	}
	return MaxGateways4
}

// Kind gives the route's kind, 0 for no route.
func (r Route) Kind() RouteKind { return r.kind }

// IsZero tells whether there is no route.
func (r Route) IsZero() bool { return r.kind == 0 }

// IsIPv6 tells the route's family.
func (r Route) IsIPv6() bool { return r.kind >= Routing0 }

// Gateways is the number of gateways.
func (r Route) Gateways() int { return len(r.gateways) / r.addrLen() }

// Gateway gives a gateway, the one to pass first being 0. It panics out of
// range.
func (r Route) Gateway(i int) netip.Addr {
	at := i * r.addrLen()
	if r.IsIPv6() {
		return netip.AddrFrom16([16]byte([]byte(r.gateways[at : at+16])))
	}
	return netip.AddrFrom4([4]byte([]byte(r.gateways[at : at+4])))
}

// Passes tells whether a is one of the gateways: the address that a packet is
// headed to on its way, and that a quote of it then has for destination.
func (r Route) Passes(a netip.Addr) bool {
	for i := range r.Gateways() {
		if r.Gateway(i) == a {
			return true
		}
	}
	return false
}

// String lists the gateways with commas between.
func (r Route) String() string {
	names := make([]string, r.Gateways())
	for i := range names {
		names[i] = r.Gateway(i).String()
	}
	return strings.Join(names, ",")
}

func (r Route) addrLen() int {
	if r.IsIPv6() {
		return 16
	}
	return 4
}

// HeaderLen is how many bytes the route adds to the IP header, 0 for none.
func (r Route) HeaderLen() int {
	switch {
	case r.IsZero():
		return 0
	case r.IsIPv6():
		return routingFixedLen + len(r.gateways)
	}
	return 1 + lsrrFixedLen + 4*r.slots()
}

// slots is the number of addresses in an IPv4 option.
func (r Route) slots() int {
	if r.kind == LSRR {
		return r.Gateways() + 1
	}
	return r.Gateways()
}
