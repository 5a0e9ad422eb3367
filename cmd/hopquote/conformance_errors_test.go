package main

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/hopquote/hopquote/bench/lab"
)

// 99: what the kernel refuses. UDP traces open their sockets with the first
// probe, when the header is out; the others before.
func TestConformanceRefused(t *testing.T) {
	t.Parallel()
	n := openLab(t, "line")
	for dst, kind := range map[string]lab.RouteType{
		"10.1.0.0/16": lab.Unreachable, "fd01::/16": lab.Unreachable,
		"10.2.0.0/16": lab.Prohibit, "fd02::/16": lab.Prohibit,
		"10.3.0.0/16": lab.Blackhole, "fd03::/16": lab.Blackhole,
	} {
		p := netip.MustParsePrefix(dst)
		if p.Addr().Is6() && !n.HasIPv6() {
			continue
		}
		if err := n.Host("h1").AddRoute(lab.Route{Dst: p.Masked(), Type: kind}); err != nil {
			t.Fatal(err)
		}
	}
	// These bind a socket before the header, and connect behind it.
	const connections = "-M tcpconn "
	rows := []struct{ name, on, args string }{
		{"no such interface", "h1", "-i nope0 192.168.120.20"},
		{"no such interface, IPv6", "h1", "-i nope0 fd00:120::20"},
		{"interface name too long", "h1", "-i an-interface-name-of-more-than-16-bytes 192.168.120.20"},
		{"source not ours", "h1", "-s 10.9.9.9 192.168.120.20"},
		{"source not ours, IPv6", "h1", "-s fd09::9 fd00:120::20"},
		{"no route", "r1", "10.99.99.99"},
		{"no route, IPv6", "r1", "fd99::99"},
		{"unreachable", "h1", "10.1.1.1"},
		{"unreachable, IPv6", "h1", "fd01::1"},
		{"prohibited", "h1", "10.2.1.1"},
		{"prohibited, IPv6", "h1", "fd02::1"},
		{"blackhole", "h1", "10.3.1.1"},
		{"blackhole, IPv6", "h1", "fd03::1"},
		{"broadcast", "h1", "192.168.100.255"},
		{"limited broadcast", "h1", "255.255.255.255"},
		{"link-local without scope", "h1", "fe80::1"},
		{"class of nine bits", "h1", "-t 256 fd00:120::20"},
		{"past the routing table", "h1", "-r 192.168.120.20"},
		{"past the routing table, to nowhere", "h1", "-r 10.99.99.99"},
	}
	for _, method := range []struct {
		option string
		headed bool
	}{{"", true}, {"-U ", true}, {"-I ", false}, {"-T ", false}, {"-UL ", true}, {"-P 253 ", false}, {connections, false}} {
		for _, r := range rows {
			args := method.option + "-n -q1 " + r.args
			headed := method.headed
			if method.option == connections {
				headed = !strings.HasPrefix(r.args, "-i") && !strings.HasPrefix(r.args, "-s")
			}
			t.Run("99 "+r.name+" "+method.option, func(t *testing.T) {
				if strings.Contains(args, "::") && !n.HasIPv6() {
					t.Skip("the kernel has no IPv6")
				}
				compareRefused(t, n.Host(r.on), refused{args: words(args), code: 1, headed: headed})
			})
		}
	}
	for _, args := range []string{
		"-P 300 192.168.120.20", "-P 0 192.168.120.20", "-M raw -p 300 192.168.120.20", "-P -1 192.168.120.20",
		"-P 300 fd00:120::20", "-P 0 fd00:120::20",
	} {
		t.Run("99 "+args, func(t *testing.T) {
			compareRefused(t, n.Host("h1"), refused{args: words(args), code: 1})
		})
	}
}
