package main

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/hopquote/hopquote/bench/lab"
)

// The MTU of a route decides on TCP's offers, and on where probes are cut.
func TestConformanceRouteMTU(t *testing.T) {
	t.Parallel()
	n, w := openLine(t)
	h1 := n.Host("h1")
	for _, r := range []struct {
		dst, via string
		mtu      int
		size     int // less than the link's MTU, more than the route's
	}{
		{"192.168.120.20/32", "192.168.100.20", 1000, 1400},
		{"192.168.120.20/32", "192.168.100.20", 400, 700},
		{"fd00:120::20/128", "fd00:100::20", 1300, 1400},
	} {
		route := lab.Route{Dst: netip.MustParsePrefix(r.dst), Via: netip.MustParseAddr(r.via), MTU: r.mtu}
		dst := route.Dst.Addr()
		if dst.Is6() && !n.HasIPv6() {
			continue
		}
		if err := h1.AddRoute(route); err != nil {
			t.Fatal(err)
		}
		for _, args := range []string{
			fmt.Sprintf("-n -q1 -m1 -T %s", dst),
			fmt.Sprintf("-n -q1 -m1 %s %d", dst, r.size),
			fmt.Sprintf("-n -q1 -m1 -I %s %d", dst, r.size),
			fmt.Sprintf("-n -q1 -m1 -F %s %d", dst, r.size),
			fmt.Sprintf("-n -q1 -m1 -F -I %s %d", dst, r.size),
		} {
			t.Run(fmt.Sprintf("104 MTU %d %s", r.mtu, args), func(t *testing.T) { w.compare(t, comparison{args: args}) })
		}
		if err := h1.DeleteRoute(route); err != nil {
			t.Fatal(err)
		}
	}
}

// Links of 1500, 1000 and 500 bytes: routers refuse probes that must not be
// cut, and what the kernel learns by that changes nothing for later runs but
// where probes are cut and what TCP offers.
func TestConformancePathMTU(t *testing.T) {
	t.Parallel()
	w := openWire(t, openLab(t, "mtu"))
	for _, first := range []string{"not known", "known"} {
		for _, args := range []string{
			"-n -q2 192.168.120.20 1400",
			"-n -q2 -F 192.168.120.20 400",
			"-n -q2 -F 192.168.120.20 700",
			"-n -q2 -F 192.168.120.20 1400",
			"-n -q2 -F -I 192.168.120.20 700",
			"-n -q2 -F -I 192.168.120.20 1400",
			"-n -q2 -T 192.168.120.20",
			"-n -q2 -I 192.168.120.20 1400",
		} {
			t.Run("81 "+first+" "+args, func(t *testing.T) { w.compare(t, comparison{args: args}) })
		}
	}
}
