package lab

import (
	"errors"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

func TestLeastMetricCounts(t *testing.T) {
	n := open(t, "pair")
	h1 := n.Host("h1")
	for _, dst := range []string{"10.1.0.0/16", "fd01::/16"} {
		p := netip.MustParsePrefix(dst)
		if p.Addr().Is6() && !n.HasIPv6() {
			continue
		}
		first := Route{Dst: p.Masked(), Type: Prohibit, Metric: 10}
		second := Route{Dst: p.Masked(), Type: Unreachable, Metric: 20}
		if err := errors.Join(h1.AddRoute(second), h1.AddRoute(first)); err != nil {
			t.Fatal(err)
		}
		if err := sendTo(h1, p.Addr().Next().String(), 0); !errors.Is(err, unix.EACCES) {
			t.Errorf("%s: %v, want %v", dst, err, unix.EACCES)
		}
		if err := h1.DeleteRoute(first); err != nil {
			t.Fatal(err)
		}
		if err := sendTo(h1, p.Addr().Next().String(), 0); !errors.Is(err, unix.EHOSTUNREACH) {
			t.Errorf("%s without the first: %v, want %v", dst, err, unix.EHOSTUNREACH)
		}
	}
}

func TestSeveralNextHops(t *testing.T) {
	n := open(t, "pair")
	h1 := n.Host("h1")
	for _, tt := range []struct{ dst, first, second string }{
		{"10.1.0.0/16", "192.168.100.20", "192.168.100.21"},
		{"fd01::/16", "fd00:100::20", "fd00:100::21"},
	} {
		p := netip.MustParsePrefix(tt.dst).Masked()
		if p.Addr().Is6() && !n.HasIPv6() {
			continue
		}
		r := Route{Dst: p, NextHops: []netip.Addr{netip.MustParseAddr(tt.first), netip.MustParseAddr(tt.second)}}
		if err := h1.AddRoute(r); err != nil {
			t.Fatal(err)
		}
		all, err := h1.conn.Route.List()
		if err != nil {
			t.Fatal(err)
		}
		var gateways []string
		for _, m := range all {
			if a, ok := netip.AddrFromSlice(m.Attributes.Dst); !ok || a.Unmap() != p.Addr() {
				continue
			}
			for _, hop := range m.Attributes.Multipath {
				gateways = append(gateways, hop.Gateway.String())
			}
		}
		if len(gateways) != 2 || gateways[0] != tt.first || gateways[1] != tt.second {
			t.Errorf("%s goes by %v, want %s and %s", tt.dst, gateways, tt.first, tt.second)
		}
		if err := h1.DeleteRoute(r); err != nil {
			t.Error(err)
		}
	}
}
