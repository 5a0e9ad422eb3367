package main

import (
	"fmt"
	"net/netip"
	"os/exec"
	"strings"
	"testing"

	"github.com/hopquote/hopquote/bench/lab"
)

// The kernel tests look at networks in which Linux itself does what surprises
// traces: firewalls, refusing routes, address translation, several ways. Their
// plans number the links, and a link's first end is .10 and its second .20 in
// the networks 10.0.N.0/24 and fd00:N::/64. Interfaces are called after the
// host at the other end: to-r1.

// between plans link n of two hosts.
func between(n int, first, second string) lab.LinkPlan {
	end := func(host, other string, part int) lab.EndPlan {
		return lab.EndPlan{Host: host, Name: "to-" + other, Addresses: []netip.Prefix{
			netip.PrefixFrom(at{n, part}.v4(), 24), netip.PrefixFrom(at{n, part}.v6(), 64),
		}}
	}
	return lab.LinkPlan{Ends: [2]lab.EndPlan{end(first, second, 10), end(second, first, 20)}}
}

// at is one end of a numbered link.
type at struct{ link, part int }

func (a at) v4() netip.Addr { return netip.MustParseAddr(fmt.Sprintf("10.0.%d.%d", a.link, a.part)) }
func (a at) v6() netip.Addr { return netip.MustParseAddr(fmt.Sprintf("fd00:%d::%d", a.link, a.part)) }

// toward gives the routes of both families to a link's networks, or for 0 the
// default routes, through one next hop or several.
func toward(link int, via ...at) []lab.Route {
	dst4, dst6 := netip.PrefixFrom(netip.IPv4Unspecified(), 0), netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	if link != 0 {
		dst4, dst6 = netip.PrefixFrom(at{link, 0}.v4(), 24), netip.PrefixFrom(at{link, 0}.v6(), 64)
	}
	if len(via) == 1 {
		return []lab.Route{{Dst: dst4, Via: via[0].v4()}, {Dst: dst6, Via: via[0].v6()}}
	}
	r4, r6 := lab.Route{Dst: dst4}, lab.Route{Dst: dst6}
	for _, v := range via {
		r4.NextHops, r6.NextHops = append(r4.NextHops, v.v4()), append(r6.NextHops, v.v6())
	}
	return []lab.Route{r4, r6}
}

// host and router plan one host with its routes.
func host(name string, routes ...[]lab.Route) lab.HostPlan {
	h := lab.HostPlan{Name: name}
	for _, r := range routes {
		h.Routes = append(h.Routes, r...)
	}
	return h
}

func router(name string, routes ...[]lab.Route) lab.HostPlan {
	h := host(name, routes...)
	h.Router = true
	return h
}

// buildLab builds a planned network that ends with the test.
func buildLab(t *testing.T, plan lab.Topology) *lab.Net {
	t.Helper()
	lab.Skip(t)
	n, err := lab.Build(plan)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

// configure adds routes to a host, those of IPv6 only where there is IPv6.
func configure(t *testing.T, n *lab.Net, host string, routes ...lab.Route) {
	t.Helper()
	for _, r := range routes {
		if r.Dst.Addr().Is6() && !n.HasIPv6() {
			continue
		}
		if err := n.Host(host).AddRoute(r); err != nil {
			t.Fatal(err)
		}
	}
}

// traced is a command line, and the lines that it prints behind the header.
type traced struct {
	name, args string
	want       []string
}

// traceAll runs each command line in the host, by our program and by the
// installed traceroute if there is one.
func traceAll(t *testing.T, n *lab.Net, from string, rows []traced) {
	t.Helper()
	for _, r := range rows {
		t.Run(r.name+" "+r.args, func(t *testing.T) {
			if strings.Contains(r.args, "::") && !n.HasIPv6() {
				t.Skip("the kernel has no IPv6")
			}
			programs := []string{ours()}
			if path, err := exec.LookPath("traceroute"); err == nil {
				programs = append(programs, path)
			}
			for _, program := range programs {
				cmd := (comparison{args: r.args}).command(program)
				checkLines(t, finish(t, n.Host(from), cmd), r.want...)
			}
		})
	}
}
