package survey

import (
	"fmt"
	"net/netip"
	"os/exec"
	"strings"
	"testing"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/bench/simnet/internet"
)

// openLAN makes a prober h1 on a LAN with two gateways and two hosts, and a third
// gateway on a link of its own. Behind each gateway is a host that has all of
// the addresses there, of IPv6 the first 16.
//
//	h1 .1 ---+--- .11 r1 --- d1 20.1.0.0/16, 2600:1::/32
//	  |      +--- .12 r2 --- d2 20.2.0.0/16, 2600:2::/32
//	  |      +--- .30 a
//	  |      +--- .31 b
//	  |  20.50.0.0/24, 2600:50::/64
//	  +--- 20.60.0.0/24 --- r3: 20.7.0.0/16, 2600:7::/32
//
// h1 goes to 20.2.0.0/16 by r2, to 20.7.0.0/16 by r3, to all else by r1, but not
// to 20.3.0.0/16, which is a blackhole, and asks 20.50.0.99, which nobody has,
// for 20.4.0.0/16. It is the same in IPv6.
func openLAN(t *testing.T) *internet.Net {
	t.Helper()
	lab.Skip(t)
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("no ip (iproute2): the test needs a bridge")
	}
	lan := func(host string, n int) lab.LinkPlan {
		return lab.LinkPlan{Ends: [2]lab.EndPlan{
			{Host: host, Name: "lan", Addresses: prefixes(fmt.Sprintf("20.50.0.%d/24 2600:50::%d/64", n, n))}, {Host: "sw", Name: host},
		}}
	}
	behind := func(router string, n int, host string) lab.LinkPlan {
		own := ""
		for i := range 16 { // a host names itself in ICMPv6 by addresses only, not by what is routed to it
			own += fmt.Sprintf(" 2600:%d::%x/128", n, i)
		}
		return lab.LinkPlan{Ends: [2]lab.EndPlan{
			{Host: router, Name: "far", Addresses: prefixes(fmt.Sprintf("20.60.%d.1/24 2600:60:%d::1/64", n, n))},
			{Host: host, Name: "near", Addresses: prefixes(fmt.Sprintf("20.60.%d.2/24 2600:60:%d::2/64%s", n, n, own))},
		}}
	}
	via := func(list ...string) (routes []lab.Route) {
		for i := 0; i < len(list); i += 2 {
			routes = append(routes, lab.Route{Dst: netip.MustParsePrefix(list[i]), Via: netip.MustParseAddr(list[i+1])})
		}
		return routes
	}
	none := func(p string) lab.Route { return lab.Route{Dst: netip.MustParsePrefix(p), Type: lab.Blackhole} }
	n, err := lab.Build(lab.Topology{
		Name: "lan",
		Hosts: []lab.HostPlan{
			{Name: internet.Prober, Routes: append(via("0.0.0.0/0", "20.50.0.11", "::/0", "2600:50::11", "20.2.0.0/16", "20.50.0.12", "2600:2::/32", "2600:50::12",
				"20.4.0.0/16", "20.50.0.99", "2600:4::/32", "2600:50::99", "20.7.0.0/16", "20.60.7.2", "2600:7::/32", "2600:60:7::2"),
				none("20.3.0.0/16"), none("2600:3::/32"))},
			{Name: "sw"}, {Name: "a"}, {Name: "b"}, {Name: "r3"},
			{Name: "r1", Router: true, Routes: via("20.1.0.0/16", "20.60.1.2", "2600:1::/32", "2600:60:1::2")},
			{Name: "r2", Router: true, Routes: via("20.2.0.0/16", "20.60.2.2", "2600:2::/32", "2600:60:2::2")},
			{Name: "d1", Routes: via("0.0.0.0/0", "20.60.1.1", "::/0", "2600:60:1::1")},
			{Name: "d2", Routes: via("0.0.0.0/0", "20.60.2.1", "::/0", "2600:60:2::1")},
		},
		Links: []lab.LinkPlan{
			lan(internet.Prober, 1), lan("r1", 11), lan("r2", 12), lan("a", 30), lan("b", 31),
			behind("r1", 1, "d1"), behind("r2", 2, "d2"), behind(internet.Prober, 7, "r3"),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	runIP(t, n, "sw", "link add name sw0 type bridge")
	for _, port := range []string{internet.Prober, "r1", "r2", "a", "b"} {
		runIP(t, n, "sw", "link set dev "+port+" master sw0")
	}
	runIP(t, n, "sw", "link set sw0 up")
	for host, nets := range map[string]string{"d1": "20.1.0.0/16", "d2": "20.2.0.0/16"} {
		runIP(t, n, host, "route add local "+nets+" dev lo")
	}
	for _, family := range []string{"ipv4", "ipv6"} { // who does not answer is given up sooner
		if err := n.Host(internet.Prober).Sysctl("net/"+family+"/neigh/lan/retrans_time_ms", "100"); err != nil {
			t.Fatal(err)
		}
	}
	return &internet.Net{Net: n}
}

func prefixes(list string) (all []netip.Prefix) {
	for _, p := range strings.Fields(list) {
		all = append(all, netip.MustParsePrefix(p))
	}
	return all
}

// runIP runs iproute2's ip in a host and gives what it prints.
func runIP(t *testing.T, n *lab.Net, host, args string) string {
	t.Helper()
	var out strings.Builder
	cmd := exec.Command("ip", strings.Fields(args)...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := n.Host(host).Start(cmd); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%s: ip %s: %v: %s", host, args, err, out.String())
	}
	return out.String()
}

// lanPath gives who answers to each TTL on the way to an address of openLAN's
// network, the address itself last; nil where nobody does.
func lanPath(dst netip.Addr) []netip.Addr {
	gateway := func(s4, s6 string) []netip.Addr {
		if dst.Is4() {
			return []netip.Addr{netip.MustParseAddr(s4), dst}
		}
		return []netip.Addr{netip.MustParseAddr(s6), dst}
	}
	in := func(list string) bool {
		for _, p := range prefixes(list) {
			if p.Contains(dst) {
				return true
			}
		}
		return false
	}
	switch {
	case in("20.1.0.0/16 2600:1::/32"):
		return gateway("20.50.0.11", "2600:50::11")
	case in("20.2.0.0/16 2600:2::/32"):
		return gateway("20.50.0.12", "2600:50::12")
	case in("20.50.0.11/32 20.50.0.12/32 20.50.0.30/31 2600:50::11/128 2600:50::12/128 2600:50::30/127"):
		return []netip.Addr{dst}
	}
	return nil
}
