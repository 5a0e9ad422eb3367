package main

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/cmd/internal/output/jsonout"
)

// Two ways of the same length. Replies come by way of ra.
//
//	         2 --- ra --- 4
//	h1 --1-- r1           r3 --6-- h2
//	         3 --- rb --- 5
var diamond = lab.Topology{
	Name: "diamond",
	Hosts: []lab.HostPlan{
		host("h1", toward(0, at{1, 20})),
		router("r1", toward(0, at{2, 20}, at{3, 20})),
		router("ra", toward(6, at{4, 20}), toward(1, at{2, 10})),
		router("rb", toward(6, at{5, 20}), toward(1, at{3, 10})),
		router("r3", toward(0, at{4, 10})),
		host("h2", toward(0, at{6, 10})),
	},
	Links: []lab.LinkPlan{
		between(1, "h1", "r1"), between(2, "r1", "ra"), between(3, "r1", "rb"),
		between(4, "ra", "r3"), between(5, "rb", "r3"), between(6, "r3", "h2"),
	},
}

// A router that divides flows between two next hops by addresses and ports:
// probes with ports of their own see both, probes of one flow one of them.
func TestKernelMultipath(t *testing.T) {
	t.Parallel()
	n := buildLab(t, diamond)
	keys := []string{"net/ipv4/fib_multipath_hash_policy"}
	if n.HasIPv6() {
		keys = append(keys, "net/ipv6/fib_multipath_hash_policy")
	}
	for _, key := range keys {
		if err := n.Host("r1").Sysctl(key, "1"); err != nil {
			t.Fatal(err)
		}
	}
	both := func(a, b string) []string { return []string{a, b} }
	for _, tt := range []struct {
		args    string
		routers []string
		isOne   bool // flow
	}{
		{"10.0.6.20", both("10.0.2.20", "10.0.3.20"), false},
		{"-U 10.0.6.20", both("10.0.2.20", "10.0.3.20"), false},
		{"-T 10.0.6.20", both("10.0.2.20", "10.0.3.20"), false},
		{"-I 10.0.6.20", both("10.0.2.20", "10.0.3.20"), true},
		{"-U --sport=5555 10.0.6.20", both("10.0.2.20", "10.0.3.20"), true},
		{"-T --sport=5555 10.0.6.20", both("10.0.2.20", "10.0.3.20"), true},
		{"fd00:6::20", both("fd00:2::20", "fd00:3::20"), false},
		{"-T fd00:6::20", both("fd00:2::20", "fd00:3::20"), false},
		{"-I fd00:6::20", both("fd00:2::20", "fd00:3::20"), true},
		{"-U --sport=5555 fd00:6::20", both("fd00:2::20", "fd00:3::20"), true},
		{"-T --sport=5555 fd00:6::20", both("fd00:2::20", "fd00:3::20"), true},
	} {
		t.Run(tt.args, func(t *testing.T) {
			if tt.routers[0][0] == 'f' && !n.HasIPv6() {
				t.Skip("the kernel has no IPv6")
			}
			var seen []string
			// By chance ten flows may all go one way, but not in all runs.
			for run := range 10 {
				seen = append(seen, respondersAt(t, n, 2, tt.args)...)
				slices.Sort(seen)
				if seen = slices.Compact(seen); len(seen) > 1 || tt.isOne && run == 2 {
					break
				}
			}
			for _, r := range seen {
				if !slices.Contains(tt.routers, r) {
					t.Errorf("%s is none of %v", r, tt.routers)
				}
			}
			want := 2
			if tt.isOne {
				want = 1
			}
			if len(seen) != want {
				t.Errorf("%v answered at hop 2, want %d of %v", seen, want, tt.routers)
			}
		})
	}
}

// Without ports in the hash all probes of a host go one way.
func TestKernelMultipathByAddress(t *testing.T) {
	t.Parallel()
	n := buildLab(t, diamond)
	var seen []string
	for range 3 {
		seen = append(seen, respondersAt(t, n, 2, "10.0.6.20")...)
	}
	if slices.Sort(seen); len(slices.Compact(seen)) != 1 {
		t.Errorf("%v answered at hop 2, want one", seen)
	}
}

// respondersAt tells who answered the ten probes of a TTL.
func respondersAt(t *testing.T, n *lab.Net, ttl int, args string) []string {
	t.Helper()
	r := runIn(t, n.Host("h1"), ours(), append([]string{"-n", "-q10", "-w5", "--format=json"}, words(args)...)...)
	var doc jsonout.Document
	if err := json.Unmarshal([]byte(r.Stdout), &doc); err != nil || r.Code != 0 {
		t.Fatalf("exit %d, %s, %v", r.Code, r.Stderr, err)
	}
	checkCounts(t, &doc)
	var all []string
	for _, h := range doc.Hops {
		if h.TTL != ttl {
			continue
		}
		for _, p := range h.Probes {
			if p.Responder == nil {
				t.Fatalf("TTL %d: no answer to query %d", ttl, p.Query)
			}
			all = append(all, p.Responder.String())
		}
	}
	if len(all) != 10 {
		t.Fatalf("%d probes with TTL %d, want 10", len(all), ttl)
	}
	return all
}
