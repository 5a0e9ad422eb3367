package main

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/hopquote/hopquote/bench/lab"
)

// A firewall in r1 that refuses what it should forward: r1 still answers
// probes whose TTL ends there, and those that would go on are refused.
//
//	h1 --- r1 --- r2 --- h2
func TestKernelReject(t *testing.T) {
	t.Parallel()
	const (
		r4, h4 = "192.168.100.20", "192.168.120.20"
		r6, h6 = "fd00:100::20", "fd00:120::20"
	)
	for _, tt := range []struct{ with, note, router, host string }{
		{"icmp type net-unreachable", " !N", r4, h4},
		{"icmp type host-unreachable", " !H", r4, h4},
		{"icmp type prot-unreachable", " !P", r4, h4},
		{"icmp type port-unreachable", "", r4, h4},
		{"icmp type net-prohibited", " !X", r4, h4},
		{"icmp type host-prohibited", " !X", r4, h4},
		{"icmp type admin-prohibited", " !X", r4, h4},
		{"icmpv6 type no-route", " !N", r6, h6},
		{"icmpv6 type admin-prohibited", " !X", r6, h6},
		{"icmpv6 type addr-unreachable", " !H", r6, h6},
		{"icmpv6 type port-unreachable", "", r6, h6},
		{"icmpv6 type policy-fail", " !<5>", r6, h6},
		{"icmpv6 type reject-route", " !<6>", r6, h6},
	} {
		t.Run(tt.with, func(t *testing.T) {
			n := openLab(t, "line")
			if tt.router == r6 && !n.HasIPv6() {
				t.Skip("the kernel has no IPv6")
			}
			firewall(t, n.Host("r1"), "forward", "reject with "+tt.with)
			var rows []traced
			for _, method := range []string{"", "-U", "-I", "-T"} {
				rows = append(rows, traced{args: "-n -q2 " + method + " " + tt.host, want: []string{
					" 1  " + tt.router + "  X ms  X ms",
					" 2  " + tt.router + "  X ms" + tt.note + "  X ms" + tt.note,
				}})
			}
			traceAll(t, n, "h1", rows)
		})
	}
}

// A reset comes in the name of the target, which thus seems to be nearer.
func TestKernelRejectByReset(t *testing.T) {
	t.Parallel()
	n := openLab(t, "line")
	firewall(t, n.Host("r1"), "forward", "meta l4proto tcp reject with tcp reset")
	traceAll(t, n, "h1", []traced{
		{"reset", "-n -q2 -T 192.168.120.20", []string{
			" 1  192.168.100.20  X ms  X ms",
			" 2  192.168.120.20  X ms  X ms",
		}},
		{"reset", "-n -q2 -T -O info 192.168.120.20", []string{
			" 1  192.168.100.20  X ms  X ms",
			" 2  192.168.120.20 <rst,ack>  X ms  X ms",
		}},
		{"reset", "-n -q2 -T fd00:120::20", []string{
			" 1  fd00:100::20  X ms  X ms",
			" 2  fd00:120::20  X ms  X ms",
		}},
		{"not for UDP", "-n -q2 192.168.120.20", []string{
			" 1  192.168.100.20  X ms  X ms",
			" 2  192.168.110.20  X ms  X ms",
			" 3  192.168.120.20  X ms  X ms",
		}},
	})
}

// A firewall that drops: the router answers for itself, and then nothing.
func TestKernelDrop(t *testing.T) {
	t.Parallel()
	n := openLab(t, "line")
	firewall(t, n.Host("r1"), "forward", "udp dport 33434-33534 drop")
	var rows []traced
	for _, f := range []struct{ router, host string }{
		{"192.168.100.20", "192.168.120.20"}, {"fd00:100::20", "fd00:120::20"},
	} {
		rows = append(rows, traced{args: "-n -q2 -m3 -w1 " + f.host, want: []string{
			" 1  " + f.router + "  X ms  X ms", " 2  * *", " 3  * *",
		}})
	}
	traceAll(t, n, "h1", rows)
}

// firewall adds a rule to a chain at one of the filter hooks of a host.
func firewall(t *testing.T, h *lab.Host, hook, rule string) {
	t.Helper()
	runNFT(t, h, `table inet lab {
	chain rules {
		type filter hook `+hook+` priority 0
		`+rule+`
	}
}`)
}

// runNFT lets nft load a rule set in a host. The test is skipped where there is
// no nft, or no such thing in the kernel.
func runNFT(t *testing.T, h *lab.Host, rules string) {
	t.Helper()
	path, err := exec.LookPath("nft")
	if err != nil {
		if path, err = exec.LookPath("/usr/sbin/nft"); err != nil {
			t.Skip("needs nft, to make firewalls: apt-get install nftables")
		}
	}
	cmd := exec.Command(path, "-f", "-")
	cmd.Stdin = strings.NewReader(rules)
	r := finish(t, h, cmd)
	switch {
	case r.Code == 0:
	case strings.Contains(r.Stderr, "not supported") || strings.Contains(r.Stderr, "cache initialization failed"):
		t.Skipf("the kernel lacks what this rule needs: %s", r.Stderr)
	default:
		t.Fatalf("nft: exit %d: %s", r.Code, r.Stderr)
	}
}
