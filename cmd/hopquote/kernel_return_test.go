package main

import (
	"encoding/json"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/cmd/internal/output/jsonout"
)

// What r2 sends back to h1 takes the long way, by ra and rb.
//
//	h1 --1-- r1 --2-- r2 --3-- h2
//	         r1 --6-- rb --5-- ra --4-- r2
var detour = lab.Topology{
	Name: "detour",
	Hosts: []lab.HostPlan{
		host("h1", toward(0, at{1, 20})),
		router("r1", toward(3, at{2, 20})),
		router("r2", toward(1, at{4, 20})),
		router("ra", toward(1, at{5, 20})),
		router("rb", toward(1, at{6, 20})),
		host("h2", toward(0, at{3, 10})),
	},
	Links: []lab.LinkPlan{
		between(1, "h1", "r1"), between(2, "r1", "r2"), between(3, "r2", "h2"),
		between(4, "r2", "ra"), between(5, "ra", "rb"), between(6, "rb", "r1"),
	},
}

// A router takes its address at the link by which its answer leaves, and the
// TTLs of answers tell the length of the way back: 64 less the routers on it.
func TestKernelLongerWayBack(t *testing.T) {
	t.Parallel()
	n := buildLab(t, detour)
	traceAll(t, n, "h1", []traced{
		{"udp", "-n -q2 10.0.3.20", []string{" 1  10.0.1.20  X ms  X ms", " 2  10.0.4.10  X ms  X ms", " 3  10.0.3.20  X ms  X ms"}},
		{"icmp", "-n -q2 -I 10.0.3.20", []string{" 1  10.0.1.20  X ms  X ms", " 2  10.0.4.10  X ms  X ms", " 3  10.0.3.20  X ms  X ms"}},
		{"tcp", "-n -q2 -T 10.0.3.20", []string{" 1  10.0.1.20  X ms  X ms", " 2  10.0.4.10  X ms  X ms", " 3  10.0.3.20  X ms  X ms"}},
		{"udp", "-n -q2 fd00:3::20", []string{" 1  fd00:1::20  X ms  X ms", " 2  fd00:2::20  X ms  X ms", " 3  fd00:3::20  X ms  X ms"}},
	})
	for _, dst := range []string{"10.0.3.20", "fd00:3::20"} {
		if netip.MustParseAddr(dst).Is6() && !n.HasIPv6() {
			continue
		}
		for _, method := range []string{"-U", "-I", "-T"} {
			r := runIn(t, n.Host("h1"), ours(), "-n", "-q1", "-N1", "--format=json", method, dst)
			var doc jsonout.Document
			if err := json.Unmarshal([]byte(r.Stdout), &doc); err != nil || r.Code != 0 {
				t.Fatalf("%s %s: exit %d, %s, %v", method, dst, r.Code, r.Stderr, err)
			}
			var ttls []int
			for _, h := range doc.Hops {
				for _, p := range h.Probes {
					if p.Reply == nil || p.Reply.TTL == nil {
						t.Fatalf("%s %s: no answer at hop %d", method, dst, h.TTL)
					}
					ttls = append(ttls, *p.Reply.TTL)
				}
			}
			if diff := cmp.Diff([]int{64, 64 - 3, 64 - 4}, ttls); diff != "" {
				t.Errorf("%s %s: TTLs of the answers (-want +got):\n%s", method, dst, diff)
			}
		}
	}
}

// Routers may be told to answer from the address that the probe came in by.
func TestKernelInboundAddress(t *testing.T) {
	t.Parallel()
	n := buildLab(t, detour)
	if err := n.Host("r2").Sysctl("net/ipv4/icmp_errors_use_inbound_ifaddr", "1"); err != nil {
		t.Fatal(err)
	}
	traceAll(t, n, "h1", []traced{
		{"udp", "-n -q2 10.0.3.20", []string{" 1  10.0.1.20  X ms  X ms", " 2  10.0.2.20  X ms  X ms", " 3  10.0.3.20  X ms  X ms"}},
	})
}
