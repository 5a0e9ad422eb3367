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

// Attributes and header of a policy rule, linux/fib_rules.h.
const (
	ruleHeader = 12
	ruleDst    = 1 // FRA_DST
)

// Tables is what the kernel's routing tables, all of them, and policy rules of a
// family look at.
type Tables struct {
	// Prefixes are the destinations that they tell apart, sorted and each once:
	// two addresses that the same of them contain take the same Step, but for
	// which of equal next hops the kernel chose. That does not hold for what the
	// kernel has learned of single hosts (redirects).
	Prefixes []netip.Prefix
	BySource bool // a rule or route looks at the source address
	Equal    bool // a route may have several next hops of equal cost
}

// Tables reads them.
func (r *Router) Tables(v6 bool) (*Tables, error) {
	t := &Tables{}
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
			return nil, fmt.Errorf("read the routing tables: %w", err)
		}
		for _, m := range messages {
			t.add(m.Data, ask.header, ask.dst, v6)
		}
	}
	slices.SortFunc(t.Prefixes, netip.Prefix.Compare)
	t.Prefixes = slices.Compact(t.Prefixes)
	return t, nil
}

// add takes in a struct rtmsg or fib_rule_hdr, which begin alike. Routes that the
// kernel made for single hosts are left out.
func (t *Tables) add(body []byte, header int, dst uint16, v6 bool) {
	isRoute := header == unix.SizeofRtMsg
	if len(body) < header || isRoute && binary.NativeEndian.Uint32(body[8:])&unix.RTM_F_CLONED != 0 {
		return
	}
	addr := netip.IPv4Unspecified()
	if v6 {
		addr = netip.IPv6Unspecified()
	}
	ad, err := netlink.NewAttributeDecoder(body[header:])
	if err != nil {
		return
	}
	equal := false
	for ad.Next() {
		switch kind := ad.Type(); {
		case kind == dst:
			if a, isAddr := netip.AddrFromSlice(ad.Bytes()); isAddr && a.Is6() == v6 {
				addr = a
			}
		case isRoute && (kind == unix.RTA_MULTIPATH || kind == routeNextHop):
			equal = true
		}
	}
	p, err := addr.Prefix(int(body[1]))
	if err != nil || ad.Err() != nil {
		return
	}
	t.Prefixes = append(t.Prefixes, p)
	t.BySource = t.BySource || body[2] > 0
	t.Equal = t.Equal || equal
}
