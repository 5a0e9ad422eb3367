package lab

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/jsimonetti/rtnetlink/v2"
	"golang.org/x/sys/unix"
)

// RouteType says what becomes of packets that a route matches.
type RouteType uint8

// The route types. What routers answer to packets on the refusing ones, and
// the errno that senders on the host itself get:
const (
	Unicast     RouteType = iota // sent on through Via or Link
	Unreachable                  // ICMP 3/1 host unreachable, ICMPv6 1/0 no route; EHOSTUNREACH
	Prohibit                     // ICMP 3/13, ICMPv6 1/1, both prohibited; EACCES
	Blackhole                    // no answer; EINVAL
)

// Route is one route of a host. The zero values leave the choice to the kernel.
type Route struct {
	Dst   netip.Prefix // 0.0.0.0/0 or ::/0 is the default route
	Type  RouteType
	Via   netip.Addr // next hop; none means that Dst is on the link
	Link  string     // outgoing interface; needed when Via is not given or link-local
	Src   netip.Addr // preferred source address
	TOS   uint8      // IPv4: matches only this TOS
	MTU   int        // path MTU in bytes that the route starts with
	Table int        // routing table 1..2^32-1; 0 means main
	// Metric ranks routes to the same destination, least first, 0..2^32-1. For
	// IPv6, 0 means 1024.
	Metric int
	// NextHops, in place of Via, are several next hops with equal shares. Which
	// one a packet takes is up to net.ipv4.fib_multipath_hash_policy, and the
	// IPv6 key of that name: 0 by addresses, 1 by ports too.
	NextHops []netip.Addr
}

// DefaultRoute is the default route of via's family through via.
func DefaultRoute(via netip.Addr) Route {
	if via.Is4() {
		return Route{Dst: netip.PrefixFrom(netip.IPv4Unspecified(), 0), Via: via}
	}
	return Route{Dst: netip.PrefixFrom(netip.IPv6Unspecified(), 0), Via: via}
}

// AddDefaultRoute adds the default route of via's family.
func (h *Host) AddDefaultRoute(via netip.Addr) error { return h.AddRoute(DefaultRoute(via)) }

// AddRoute adds a route.
func (h *Host) AddRoute(r Route) error { return h.route("add", r, (*rtnetlink.RouteService).Add) }

// DeleteRoute removes the route that Dst and the other fields given describe.
func (h *Host) DeleteRoute(r Route) error {
	return h.route("delete", r, (*rtnetlink.RouteService).Delete)
}

func (h *Host) route(op string, r Route, apply func(*rtnetlink.RouteService, *rtnetlink.RouteMessage) error) error {
	m, err := h.routeMessage(r)
	if err == nil {
		err = apply(h.conn.Route, m)
	}
	if err != nil {
		return fmt.Errorf("lab: %s route to %s on %s: %w", op, r.Dst, h.name, err)
	}
	return nil
}

var routeTypes = map[RouteType]uint8{
	Unicast:     unix.RTN_UNICAST,
	Unreachable: unix.RTN_UNREACHABLE,
	Prohibit:    unix.RTN_PROHIBIT,
	Blackhole:   unix.RTN_BLACKHOLE,
}

func (h *Host) routeMessage(r Route) (*rtnetlink.RouteMessage, error) {
	kind, ok := routeTypes[r.Type]
	if !ok || !r.Dst.IsValid() || r.MTU < 0 || !fitsAttribute(r.Table) || !fitsAttribute(r.Metric) {
		return nil, fmt.Errorf("%+v: the destination, type, MTU, table or metric is out of range", r)
	}
	if len(r.NextHops) > 0 && (r.Via.IsValid() || r.Link != "" || r.Type != Unicast) {
		return nil, fmt.Errorf("%+v: several next hops exclude one, a link, and the refusing types", r)
	}
	m := &rtnetlink.RouteMessage{
		Family:    family(r.Dst.Addr()),
		DstLength: uint8(r.Dst.Bits()),
		Tos:       r.TOS,
		Protocol:  unix.RTPROT_STATIC,
		Scope:     unix.RT_SCOPE_UNIVERSE,
		Type:      kind,
	}
	if r.Dst.Bits() > 0 {
		m.Attributes.Dst = r.Dst.Masked().Addr().AsSlice()
	}
	m.Table, m.Attributes.Table = table(r.Table)
	if r.Via.IsValid() {
		m.Attributes.Gateway = r.Via.AsSlice()
	} else if r.Type == Unicast && len(r.NextHops) == 0 {
		m.Scope = unix.RT_SCOPE_LINK
	}
	for _, via := range r.NextHops {
		m.Attributes.Multipath = append(m.Attributes.Multipath, rtnetlink.NextHop{Gateway: via.AsSlice()})
	}
	m.Attributes.Priority = uint32(r.Metric)
	if r.Src.IsValid() {
		m.Attributes.Src = r.Src.AsSlice()
	}
	if r.MTU > 0 {
		m.Attributes.Metrics = &rtnetlink.RouteMetrics{MTU: uint32(r.MTU)}
	}
	if r.Link != "" {
		l, err := h.link(r.Link)
		if err != nil {
			return nil, err
		}
		m.Attributes.OutIface = l.Index
	}
	return m, nil
}

// Rule sends packets that match all its fields to a routing table of their own.
type Rule struct {
	From, To netip.Prefix // at least one gives the family; neither means IPv4
	TOS      uint8        // 0 matches any
	Table    int          // 1..2^32-1
	Priority int          // 1..32765: asked before the main table, least first; 0 lets the kernel choose
}

// AddRule adds a policy rule.
func (h *Host) AddRule(r Rule) error {
	m := &rtnetlink.RuleMessage{
		Family:     unix.AF_INET,
		TOS:        r.TOS,
		Action:     unix.FR_ACT_TO_TBL,
		Attributes: &rtnetlink.RuleAttributes{},
	}
	if r.Table == 0 || !fitsAttribute(r.Table) || r.Priority < 0 || r.Priority > 32765 {
		return fmt.Errorf("lab: add rule %+v on %s: the table or priority is out of range", r, h.name)
	}
	short, long := table(r.Table)
	m.Table, m.Attributes.Table = short, &long
	if r.Priority > 0 {
		priority := uint32(r.Priority)
		m.Attributes.Priority = &priority
	}
	if r.From.IsValid() {
		m.Family, m.SrcLength = family(r.From.Addr()), uint8(r.From.Bits())
		ip := net.IP(r.From.Masked().Addr().AsSlice())
		m.Attributes.Src = &ip
	}
	if r.To.IsValid() {
		m.Family, m.DstLength = family(r.To.Addr()), uint8(r.To.Bits())
		ip := net.IP(r.To.Masked().Addr().AsSlice())
		m.Attributes.Dst = &ip
	}
	if err := h.conn.Rule.Add(m); err != nil {
		return fmt.Errorf("lab: add rule %+v on %s: %w", r, h.name, err)
	}
	return nil
}

// fitsAttribute tells whether n fits the four bytes that tables and metrics have.
func fitsAttribute(n int) bool { return n >= 0 && int64(n) <= 1<<32-1 }

// table gives a table's number for the message header, which has one byte for
// it, and for the attribute, which has four.
func table(n int) (short uint8, long uint32) {
	switch {
	case n == 0:
		return unix.RT_TABLE_MAIN, unix.RT_TABLE_MAIN
	case n > 255:
		return unix.RT_TABLE_UNSPEC, uint32(n)
	}
	return uint8(n), uint32(n)
}
