package link

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// Router asks the kernel where packets to many destinations would go first. It
// stays in the calling thread's namespace and needs no privilege.
type Router struct {
	kernel *kernel
	want   Want
	oif    int
}

// OpenRouter opens a Router for packets that are all like w, but for Dst.
func OpenRouter(w Want) (*Router, error) {
	oif, err := w.outInterface()
	if err != nil {
		return nil, err
	}
	k, err := openKernel()
	if err != nil {
		return nil, err
	}
	return &Router{k, w, oif}, nil
}

// Close closes the socket.
func (r *Router) Close() { r.kernel.close() }

// Way is what becomes of a packet.
type Way uint8

// The ways.
const (
	ByGateway Way = iota // it goes to a next hop of another address
	OnLink               // its destination is on the link, and the next hop itself
	ToSelf               // it is delivered on this host
	ToGroup              // its destination is broadcast, multicast or anycast of this host
	Refused              // there is no route, or one of type unreachable, prohibit or blackhole
)

// Step is the first step to a destination.
type Step struct {
	Way       Way
	Interface int        // index, where it is not Refused
	NextHop   netip.Addr // ByGateway; may be IPv6 for an IPv4 destination (RFC 5549)
	MTU       int        // bytes of IP packet, of the route; 0: the interface's
	Err       error      // Refused: why, an errno
}

// refusals are the route types, and what connect(2) says of them.
var refusals = map[uint8]unix.Errno{
	unix.RTN_UNREACHABLE: unix.EHOSTUNREACH, unix.RTN_PROHIBIT: unix.EACCES, unix.RTN_BLACKHOLE: unix.EINVAL, unix.RTN_THROW: unix.ENETUNREACH,
}

// Step gives the first step of a packet to dst from src, which is not valid
// where the kernel chooses it. Where a route has several next hops it is one of
// them: the one that the kernel chose for dst.
func (r *Router) Step(dst, src netip.Addr) (Step, error) {
	w, e := r.want, Envelope{Dst: dst, Src: src}
	if !src.IsValid() {
		e.Src = netip.IPv6Unspecified()
		if dst.Is4() {
			e.Src = netip.IPv4Unspecified()
		}
	}
	found, err := r.kernel.route(&w, &e, r.oif)
	var errno unix.Errno
	if errors.As(err, &errno) && slices.Contains([]unix.Errno{unix.ENETUNREACH, unix.EHOSTUNREACH, unix.EACCES, unix.EINVAL}, errno) {
		return Step{Way: Refused, Err: errno}, nil
	}
	if err != nil {
		return Step{}, fmt.Errorf("route to %v: %w", dst, err)
	}
	s := Step{Interface: found.oif, NextHop: found.gateway, MTU: found.mtu}
	switch found.kind {
	case unix.RTN_UNICAST:
		if !s.NextHop.IsValid() {
			s.Way = OnLink
		}
	case unix.RTN_LOCAL:
		s.Way = ToSelf
	case unix.RTN_BROADCAST, unix.RTN_MULTICAST, unix.RTN_ANYCAST:
		s.Way = ToGroup
	default:
		s = Step{Way: Refused, Err: unix.ENETUNREACH}
		if errno, ok := refusals[found.kind]; ok {
			s.Err = errno
		}
	}
	return s, nil
}

// Solicits tells whether next hops on an interface have link addresses that
// somebody must be asked for.
func (r *Router) Solicits(index int) (bool, error) {
	d, err := r.kernel.device(index)
	if err != nil {
		return false, err
	}
	h, err := d.header()
	return h.Type.HeaderLen() == ethernetLen && d.flags&(flagLoopback|flagNoARP|flagPointToPoint) == 0, err
}

// Attributes and header of a policy rule, linux/fib_rules.h.
const (
	ruleHeader = 12
	ruleDst    = 1 // FRA_DST
)

// Prefixes gives the destinations that the kernel's routing tables, all of
// them, and policy rules tell apart, sorted and each once: two addresses that
// the same of them contain take the same Step. That does not hold for what the
// kernel has learned of single hosts (redirects), nor where a route has several
// next hops. bySource tells whether a rule or route looks at the source address.
func (r *Router) Prefixes(v6 bool) (list []netip.Prefix, bySource bool, err error) {
	fam := uint8(unix.AF_INET)
	if v6 {
		fam = unix.AF_INET6
	}
	for _, ask := range []struct {
		kind   netlink.HeaderType
		header int
		dst    uint16
	}{{unix.RTM_GETROUTE, unix.SizeofRtMsg, unix.RTA_DST}, {unix.RTM_GETRULE, ruleHeader, ruleDst}} {
		header := make([]byte, ask.header)
		header[0] = fam
		messages, err := r.kernel.conn.Execute(netlink.Message{
			Header: netlink.Header{Type: ask.kind, Flags: netlink.Request | netlink.Dump}, Data: header,
		})
		if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EAFNOSUPPORT) {
			continue // a kernel without policy rules, or without the family
		}
		if err != nil {
			return nil, false, fmt.Errorf("read the routing tables: %w", err)
		}
		for _, m := range messages {
			p, src, ok := destinationOf(m.Data, ask.header, ask.dst, v6)
			if ok {
				list = append(list, p)
				bySource = bySource || src
			}
		}
	}
	slices.SortFunc(list, netip.Prefix.Compare)
	return slices.Compact(list), bySource, nil
}

// destinationOf reads the destination prefix of a struct rtmsg or fib_rule_hdr,
// which begin alike, and tells whether it has a source prefix too. Routes that
// the kernel made for single hosts are left out.
func destinationOf(body []byte, header int, dst uint16, v6 bool) (p netip.Prefix, bySource, ok bool) {
	if len(body) < header {
		return p, false, false
	}
	if header == unix.SizeofRtMsg && binary.NativeEndian.Uint32(body[8:])&unix.RTM_F_CLONED != 0 {
		return p, false, false
	}
	addr := netip.IPv4Unspecified()
	if v6 {
		addr = netip.IPv6Unspecified()
	}
	ad, err := netlink.NewAttributeDecoder(body[header:])
	if err != nil {
		return p, false, false
	}
	for ad.Next() {
		if ad.Type() == dst {
			if a, isAddr := netip.AddrFromSlice(ad.Bytes()); isAddr && a.Is6() == v6 {
				addr = a
			}
		}
	}
	p, err = addr.Prefix(int(body[1]))
	return p, body[2] > 0, err == nil && ad.Err() == nil
}
