package main

import (
	"net/netip"
	"testing"

	"github.com/hopquote/hopquote/bench/lab"
)

// A link of h1's without addresses, or for IPv6 with link-local ones only, as on
// an unnumbered line: probes leave by it with an address of another interface.
//
//	h1 --1-- r1
//	h1 ----- r1
func TestKernelInterfaceWithoutAddress(t *testing.T) {
	t.Parallel()
	n := buildLab(t, lab.Topology{
		Name: "unnumbered",
		Hosts: []lab.HostPlan{
			host("h1", []lab.Route{
				{Dst: netip.MustParsePrefix("10.0.9.0/24"), Link: "bare"},
				{Dst: netip.MustParsePrefix("fd00:9::/64"), Via: netip.MustParseAddr("fe80::20"), Link: "bare"},
			}),
			router("r1", []lab.Route{
				{Dst: netip.MustParsePrefix("10.0.1.10/32"), Link: "bare"},
				{Dst: netip.MustParsePrefix("fd00:1::10/128"), Via: netip.MustParseAddr("fe80::10"), Link: "bare"},
			}),
		},
		Links: []lab.LinkPlan{
			between(1, "h1", "r1"),
			{Ends: [2]lab.EndPlan{
				{Host: "h1", Name: "bare", Addresses: []netip.Prefix{netip.MustParsePrefix("fe80::10/64")}},
				{Host: "r1", Name: "bare", Addresses: []netip.Prefix{netip.MustParsePrefix("fe80::20/64")}},
			}},
		},
	})
	for _, a := range []string{"10.0.9.9/32", "fd00:9::9/128"} {
		prefix := netip.MustParsePrefix(a)
		if prefix.Addr().Is6() && !n.HasIPv6() {
			continue
		}
		if err := n.Host("r1").AddAddress("lo", prefix); err != nil {
			t.Fatal(err)
		}
	}
	var rows []traced
	for _, method := range []string{"", "-I ", "-T "} {
		for _, dst := range []string{"10.0.9.9", "fd00:9::9"} {
			want := []string{" 1  " + dst + "  X ms  X ms"}
			rows = append(rows,
				traced{"by route", method + "-n -q2 " + dst, want},
				traced{"by name", method + "-n -q2 -i bare " + dst, want})
		}
	}
	traceAll(t, n, "h1", rows)
}

// A host with nothing but IPv6 reaches IPv6, and says at once what it has no
// network for.
//
//	h1 --1-- r1 --2-- h2
func TestKernelOnlyIPv6(t *testing.T) {
	t.Parallel()
	plan := lab.Topology{
		Name: "IPv6",
		Hosts: []lab.HostPlan{
			host("h1", toward(0, at{1, 20})[1:]), router("r1"), host("h2", toward(0, at{2, 10})[1:]),
		},
		Links: []lab.LinkPlan{between(1, "h1", "r1"), between(2, "r1", "h2")},
	}
	for i := range plan.Links {
		for e := range plan.Links[i].Ends {
			end := &plan.Links[i].Ends[e]
			end.Addresses = end.Addresses[1:]
		}
	}
	n := buildLab(t, plan)
	if !n.HasIPv6() {
		t.Skip("the kernel has no IPv6")
	}
	var rows []traced
	for _, method := range []string{"", "-I ", "-T "} {
		rows = append(rows, traced{"IPv6", method + "-n -q2 fd00:2::20", []string{
			" 1  fd00:1::20  X ms  X ms", " 2  fd00:2::20  X ms  X ms",
		}})
	}
	traceAll(t, n, "h1", rows)
	for _, method := range []string{"-U", "-I", "-T"} {
		compareRefused(t, n.Host("h1"), refused{
			args: []string{method, "-n", "10.0.2.20"}, code: 1, headed: method == "-U",
		})
	}
}
