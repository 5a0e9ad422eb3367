package link_test

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/frame/link"
)

// Routes with several next hops tell them all, in whichever way they were
// entered; other routes of the same tables have none.
func TestEqual(t *testing.T) {
	n := openLine(t)
	h := n.Host("h1")
	for _, r := range []string{
		"link add name more type veth peer name less", "link set more up", "link set less up", "addr add 192.168.7.1/24 dev more", "addr add fd00:7::1/64 dev more nodad",
		"route add 20.0.0.0/16 via 192.168.100.20",
		"route add 20.1.0.0/16 nexthop via 192.168.100.20 weight 3 nexthop via 192.168.100.21 nexthop via 192.168.7.9 weight 256",
		"route add 20.2.0.0/16 nexthop dev more nexthop via 192.168.100.20 nexthop via inet6 fd00:100::20 dev veth1-h1",
		"route add 2600:1::/32 nexthop via fd00:100::20 weight 3 nexthop via fd00:100::21 nexthop via fd00:7::9 weight 256",
		"route add 20.3.0.0/16 mtu 1300 nexthop via 192.168.100.20 nexthop via 192.168.100.21",
		"nexthop add id 1 via 192.168.100.20 dev veth1-h1", "nexthop add id 2 via 192.168.7.9 dev more", "nexthop add id 3 group 1,3/2,200",
		"nexthop add id 4 via fd00:100::20 dev veth1-h1", "nexthop add id 5 via fd00:7::9 dev more", "nexthop add id 6 group 4/5,2",
		"route add 20.4.0.0/16 nhid 3", "route add 2600:4::/32 nhid 6", "route add 20.5.0.0/16 nhid 1", "route add 2600:5::/32 nhid 4",
	} {
		ip(t, h, r)
	}
	var line, more int
	in(t, h, func() error {
		for name, index := range map[string]*int{"veth1-h1": &line, "more": &more} {
			ifi, err := net.InterfaceByName(name)
			if err != nil {
				return err
			}
			*index = ifi.Index
		}
		return nil
	})
	hop := func(index int, a string, weight int) link.EqualHop {
		var gateway netip.Addr
		if a != "" {
			gateway = addr(a)
		}
		return link.EqualHop{Interface: index, NextHop: gateway, Weight: weight}
	}
	want := map[string][]link.EqualHop{
		"20.0.0.1": nil, "192.168.100.77": nil, "20.99.0.1": nil, "20.5.0.1": nil, "2600:5::1": nil, "fd00:100::77": nil, "192.168.100.10": nil,
		"20.1.0.1":  {hop(line, "192.168.100.20", 3), hop(line, "192.168.100.21", 1), hop(more, "192.168.7.9", 256)},
		"20.2.0.1":  {hop(line, "192.168.100.20", 1), hop(line, "fd00:100::20", 1), hop(more, "", 1)},
		"20.3.0.1":  {hop(line, "192.168.100.20", 1), hop(line, "192.168.100.21", 1)},
		"2600:1::1": {hop(line, "fd00:100::20", 3), hop(line, "fd00:100::21", 1), hop(more, "fd00:7::9", 256)},
		"20.4.0.1":  {hop(line, "192.168.100.20", 3), hop(more, "192.168.7.9", 200)},
		"2600:4::1": {hop(line, "fd00:100::20", 1), hop(more, "fd00:7::9", 2)},
	}
	for _, compat := range []string{"1", "0"} { // whether routes say what their objects have
		if err := h.Sysctl("net/ipv4/nexthop_compat_mode", compat); err != nil {
			t.Fatal(err)
		}
		for _, iface := range []string{"", "veth1-h1"} {
			in(t, h, func() error { return checkEqual(t, link.Want{Interface: iface}, want, line) })
		}
	}
}

// checkEqual asks for all destinations at once, many times over, as for many
// routes.
func checkEqual(t *testing.T, w link.Want, want map[string][]link.EqualHop, index int) error {
	r, err := link.OpenRouter(w)
	if err != nil {
		return err
	}
	defer r.Close()
	for _, v6 := range []bool{false, true} {
		tables, err := r.Tables(v6)
		if err != nil {
			return err
		}
		if !tables.Equal {
			t.Errorf("IPv6 %t: no route has several next hops", v6)
		}
		var dsts []netip.Addr
		for dst := range want {
			if a := addr(dst); a.Is6() == v6 {
				dsts = append(dsts, slices.Repeat([]netip.Addr{a}, 17)...)
			}
		}
		steps, err := r.Steps(dsts, netip.Addr{}, true)
		if err != nil {
			return err
		}
		for i, s := range steps {
			equal := want[dsts[i].String()]
			if w.Interface != "" {
				equal = slices.DeleteFunc(slices.Clone(equal), func(h link.EqualHop) bool { return h.Interface != index })
			}
			if len(equal) < 2 {
				equal = nil
			}
			if d := cmp.Diff(equal, s.Equal, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); d != "" {
				return fmt.Errorf("%s by %q (-want +got):\n%s", dsts[i], w.Interface, d)
			}
			if strings.HasPrefix(dsts[i].String(), "20.3.") && s.MTU != 1300 {
				t.Errorf("%s: MTU %d", dsts[i], s.MTU)
			}
		}
		plain, err := r.Steps(dsts, netip.Addr{}, false)
		if err != nil {
			return err
		}
		for i, s := range plain {
			if s.Equal != nil || s.Way != steps[i].Way || s.Interface != steps[i].Interface {
				t.Errorf("%s: %+v, and %+v", dsts[i], s, steps[i])
			}
		}
	}
	return nil
}
