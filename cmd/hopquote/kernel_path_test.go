package main

import (
	"net/netip"
	"testing"

	"github.com/hopquote/hopquote/bench/lab"
)

// Two ways of h1's own, the first preferred. The target is an address of h2
// that lies on neither, 10.0.9.9 and fd00:9::9, and so does one of h1's own,
// 10.0.8.8 and fd00:8::8, whose way back is the first.
//
//	h1 --1-- ra --3-- h2
//	h1 --2-- rb --4-- h2
var fork = lab.Topology{
	Name: "fork",
	Hosts: []lab.HostPlan{
		host("h1", ranked(100, toward(0, at{1, 20})), ranked(200, toward(0, at{2, 20}))),
		router("ra", toward(9, at{3, 20}), toward(8, at{1, 10})),
		router("rb", toward(9, at{4, 20})),
		host("h2", toward(1, at{3, 10}), toward(2, at{4, 10}), toward(8, at{3, 10})),
	},
	Links: []lab.LinkPlan{
		between(1, "h1", "ra"), between(2, "h1", "rb"),
		between(3, "ra", "h2"), between(4, "rb", "h2"),
	},
}

func ranked(metric int, routes []lab.Route) []lab.Route {
	for i := range routes {
		routes[i].Metric = metric
	}
	return routes
}

func openFork(t *testing.T) *lab.Net {
	t.Helper()
	n := buildLab(t, fork)
	for _, a := range []struct{ host, prefix string }{
		{"h1", "10.0.8.8/32"}, {"h1", "fd00:8::8/128"}, {"h2", "10.0.9.9/32"}, {"h2", "fd00:9::9/128"},
	} {
		prefix := netip.MustParsePrefix(a.prefix)
		if prefix.Addr().Is6() && !n.HasIPv6() {
			continue
		}
		if err := n.Host(a.host).AddAddress("lo", prefix); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// wayBy is what traces print that go by a router's link to h1.
func wayBy(link int) (v4, v6 []string) {
	r := at{link, 20}
	return []string{" 1  " + r.v4().String() + "  X ms  X ms", " 2  10.0.9.9  X ms  X ms"},
		[]string{" 1  " + r.v6().String() + "  X ms  X ms", " 2  fd00:9::9  X ms  X ms"}
}

// Of several default routes the one with the least metric counts; an interface
// chooses among those that leave by it, a source address does not.
func TestKernelDefaultRoutes(t *testing.T) {
	t.Parallel()
	n := openFork(t)
	first4, first6 := wayBy(1)
	second4, second6 := wayBy(2)
	var rows []traced
	for _, method := range []string{"", "-I ", "-T "} {
		rows = append(rows,
			traced{"least metric", method + "-n -q2 10.0.9.9", first4},
			traced{"least metric", method + "-n -q2 fd00:9::9", first6},
			traced{"interface", method + "-n -q2 -i to-rb 10.0.9.9", second4},
			traced{"interface", method + "-n -q2 -i to-rb fd00:9::9", second6},
			traced{"source on another interface", method + "-n -q2 -s 10.0.8.8 10.0.9.9", first4},
			traced{"source on another interface", method + "-n -q2 -s fd00:8::8 fd00:9::9", first6},
		)
	}
	traceAll(t, n, "h1", rows)

	for _, r := range ranked(100, toward(0, at{1, 20})) {
		if r.Dst.Addr().Is6() && !n.HasIPv6() {
			continue
		}
		if err := n.Host("h1").DeleteRoute(r); err != nil {
			t.Fatal(err)
		}
	}
	traceAll(t, n, "h1", []traced{
		{"the first is gone", "-n -q2 10.0.9.9", second4},
		{"the first is gone", "-n -q2 fd00:9::9", second6},
	})
}

// Policy rules send the probes of one TOS, and those from one address, another
// way.
func TestKernelRules(t *testing.T) {
	t.Parallel()
	n := openFork(t)
	const table = 100
	for _, r := range toward(0, at{2, 20}) {
		r.Table = table
		configure(t, n, "h1", r)
	}
	rules := []lab.Rule{
		{TOS: 0x10, Table: table, Priority: 10},
		{From: netip.MustParsePrefix("10.0.2.10/32"), Table: table, Priority: 11},
	}
	if n.HasIPv6() {
		rules = append(rules,
			lab.Rule{From: netip.MustParsePrefix("fd00:2::10/128"), Table: table, Priority: 11},
			lab.Rule{From: netip.MustParsePrefix("::/0"), TOS: 0x10, Table: table, Priority: 10})
	}
	for _, r := range rules {
		if err := n.Host("h1").AddRule(r); err != nil {
			t.Fatal(err)
		}
	}
	first4, first6 := wayBy(1)
	second4, second6 := wayBy(2)
	var rows []traced
	for _, method := range []string{"", "-I ", "-T "} {
		rows = append(rows,
			traced{"no rule", method + "-n -q2 10.0.9.9", first4},
			traced{"no rule", method + "-n -q2 fd00:9::9", first6},
			traced{"source", method + "-n -q2 -s 10.0.2.10 10.0.9.9", second4},
			traced{"source", method + "-n -q2 -s fd00:2::10 fd00:9::9", second6},
			traced{"other source", method + "-n -q2 -s 10.0.1.10 10.0.9.9", first4},
			traced{"TOS", method + "-n -q2 -t 0x10 10.0.9.9", second4},
			traced{"TOS and ECN bits", method + "-n -q2 -t 0x12 10.0.9.9", second4},
			traced{"other TOS", method + "-n -q2 -t 0x08 10.0.9.9", first4},
			traced{"class", method + "-n -q2 -t 0x10 fd00:9::9", second6},
			traced{"other class", method + "-n -q2 -t 0x08 fd00:9::9", first6},
		)
	}
	traceAll(t, n, "h1", rows)
}
