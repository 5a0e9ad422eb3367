package link_test

import (
	"errors"
	"net"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/frame/link"
	"golang.org/x/sys/unix"
)

// summary is what a test expects of an Envelope.
type summary struct {
	Interface, Src, Dst, NextHop string
	MTU, LinkMTU                 int
	Local                        bool
}

func summarize(e link.Envelope) summary {
	return summary{e.Interface.Name, e.Src.String(), e.Dst.String(), e.NextHop.String(), e.MTU, e.LinkMTU, e.Local}
}

func TestLookup(t *testing.T) {
	n := openLine(t)
	h1 := n.Host("h1")
	ip(t, h1, "addr add 192.168.100.11/24 dev veth1-h1")
	ip(t, h1, "addr add fd00:100::11/64 dev veth1-h1 nodad preferred_lft 0")
	ip(t, h1, "route add 10.1.0.0/16 via 192.168.100.20 mtu 1400")
	ip(t, h1, "route add 10.2.0.0/16 via 192.168.100.30")
	ip(t, h1, "route add 10.3.0.0/16 via inet6 fd00:100::20 dev veth1-h1")
	ip(t, h1, "-6 route add fd00:a1::/64 via fd00:100::20 mtu 1400")
	// TOS 0x10 leaves by a table of its own, and so does TCP to port 443.
	ip(t, h1, "route add default via 192.168.100.40 table 100")
	ip(t, h1, "rule add tos 0x10 table 100")
	ip(t, h1, "rule add ipproto tcp dport 443 table 100")
	ip(t, h1, "rule add fwmark 7 table 100")
	ip(t, h1, "rule add from 192.168.100.11 table 100")
	ip(t, h1, "-6 route add default via fd00:100::40 table 100")
	ip(t, h1, "-6 rule add tos 0x10 table 100")
	ip(t, h1, "-6 rule add from fd00:100::11 table 100")

	const v4, v6, lo4, lo6 = "192.168.100.10", "fd00:100::10", "127.0.0.1", "::1"
	const veth = "veth1-h1"
	tests := []struct {
		name string
		want link.Want
		is   summary
	}{
		{"on link", link.Want{Dst: addr("192.168.100.20")},
			summary{veth, v4, "192.168.100.20", "192.168.100.20", 1500, 1500, false}},
		{"gateway", link.Want{Dst: addr("192.168.120.20")},
			summary{veth, v4, "192.168.120.20", "192.168.100.20", 1500, 1500, false}},
		{"IPv4 in IPv6", link.Want{Dst: addr("::ffff:192.168.120.20")},
			summary{veth, v4, "192.168.120.20", "192.168.100.20", 1500, 1500, false}},
		{"route MTU", link.Want{Dst: addr("10.1.2.3")},
			summary{veth, v4, "10.1.2.3", "192.168.100.20", 1400, 1500, false}},
		{"other gateway", link.Want{Dst: addr("10.2.2.3")},
			summary{veth, v4, "10.2.2.3", "192.168.100.30", 1500, 1500, false}},
		{"IPv6 gateway for IPv4", link.Want{Dst: addr("10.3.2.3")},
			summary{veth, v4, "10.3.2.3", "fd00:100::20", 1500, 1500, false}},
		{"source", link.Want{Dst: addr("192.168.100.20"), Src: addr("192.168.100.11")},
			summary{veth, "192.168.100.11", "192.168.100.20", "192.168.100.40", 1500, 1500, false}},
		{"interface", link.Want{Dst: addr("192.168.120.20"), Interface: veth},
			summary{veth, v4, "192.168.120.20", "192.168.100.20", 1500, 1500, false}},
		{"TOS rule", link.Want{Dst: addr("192.168.120.20"), TOS: 0x10},
			summary{veth, v4, "192.168.120.20", "192.168.100.40", 1500, 1500, false}},
		{"TOS with ECN bits", link.Want{Dst: addr("192.168.120.20"), TOS: 0x13},
			summary{veth, v4, "192.168.120.20", "192.168.100.40", 1500, 1500, false}},
		{"port rule", link.Want{Dst: addr("192.168.120.20"), Protocol: unix.IPPROTO_TCP, DstPort: 443},
			summary{veth, v4, "192.168.120.20", "192.168.100.40", 1500, 1500, false}},
		{"port rule of other port", link.Want{Dst: addr("192.168.120.20"), Protocol: unix.IPPROTO_TCP, DstPort: 80},
			summary{veth, v4, "192.168.120.20", "192.168.100.20", 1500, 1500, false}},
		{"mark", link.Want{Dst: addr("192.168.120.20"), Mark: 7},
			summary{veth, v4, "192.168.120.20", "192.168.100.40", 1500, 1500, false}},
		{"bypassing routes", link.Want{Dst: addr("192.168.100.20"), DontRoute: true},
			summary{veth, v4, "192.168.100.20", "192.168.100.20", 1500, 1500, false}},
		{"multicast", link.Want{Dst: addr("224.0.0.5")},
			summary{veth, v4, "224.0.0.5", "224.0.0.5", 1500, 1500, false}},
		{"loopback", link.Want{Dst: addr(lo4)},
			summary{"lo", lo4, lo4, lo4, 65535, 65535, true}},
		{"unspecified", link.Want{Dst: addr("0.0.0.0")},
			summary{"lo", lo4, lo4, lo4, 65535, 65535, true}},
		{"own address", link.Want{Dst: addr(v4)},
			summary{"lo", v4, v4, v4, 65535, 65535, true}},
		{"own address by interface", link.Want{Dst: addr(v4), Interface: veth},
			summary{"lo", v4, v4, v4, 65535, 65535, true}},

		{"IPv6 on link", link.Want{Dst: addr("fd00:100::20")},
			summary{veth, v6, "fd00:100::20", "fd00:100::20", 1500, 1500, false}},
		{"IPv6 gateway", link.Want{Dst: addr("fd00:120::20")},
			summary{veth, v6, "fd00:120::20", "fd00:100::20", 1500, 1500, false}},
		{"IPv6 route MTU", link.Want{Dst: addr("fd00:a1::1")},
			summary{veth, v6, "fd00:a1::1", "fd00:100::20", 1400, 1500, false}},
		{"IPv6 source rule", link.Want{Dst: addr("fd00:120::20"), Src: addr("fd00:100::11")},
			summary{veth, "fd00:100::11", "fd00:120::20", "fd00:100::40", 1500, 1500, false}},
		{"IPv6 interface", link.Want{Dst: addr("fd00:120::20"), Interface: veth},
			summary{veth, v6, "fd00:120::20", "fd00:100::20", 1500, 1500, false}},
		{"IPv6 traffic class rule", link.Want{Dst: addr("fd00:120::20"), TOS: 0x10},
			summary{veth, v6, "fd00:120::20", "fd00:100::40", 1500, 1500, false}},
		{"IPv6 bypass is ignored", link.Want{Dst: addr("fd00:100::20"), DontRoute: true},
			summary{veth, v6, "fd00:100::20", "fd00:100::20", 1500, 1500, false}},
		{"IPv6 loopback", link.Want{Dst: addr(lo6)},
			summary{"lo", lo6, lo6, lo6, 65536, 65536, true}},
		{"IPv6 unspecified", link.Want{Dst: addr("::")},
			summary{"lo", lo6, lo6, lo6, 65536, 65536, true}},
		{"IPv6 own address", link.Want{Dst: addr(v6)},
			summary{"lo", v6, v6, v6, 65536, 65536, true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.is, summarize(lookup(t, h1, tt.want))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestLookupHeader(t *testing.T) {
	h1 := openLine(t).Host("h1")
	mac := macOf(t, h1, "veth1-h1")
	e := lookup(t, h1, link.Want{Dst: addr("192.168.120.20")})
	if want := (frame.Link{Type: frame.LinkEthernet, Src: [6]byte(mac)}); e.Header != want {
		t.Errorf("header %+v, want %+v", e.Header, want)
	}
	e = lookup(t, h1, link.Want{Dst: addr("127.0.0.1")})
	if want := (frame.Link{Type: frame.LinkEthernet}); e.Header != want {
		t.Errorf("loopback header %+v, want %+v", e.Header, want)
	}
}

func TestLookupLinkLocal(t *testing.T) {
	n := openLine(t)
	h1, r1 := n.Host("h1"), n.Host("r1")
	own, peer := linkLocal(t, h1, "veth1-h1"), linkLocal(t, r1, "veth1-r1")
	e := lookup(t, h1, link.Want{Dst: peer.WithZone("veth1-h1")})
	want := summary{"veth1-h1", own.String(), peer.String(), peer.String(), 1500, 1500, false}
	if diff := cmp.Diff(want, summarize(e)); diff != "" {
		t.Errorf("by zone (-want +got):\n%s", diff)
	}
	e = lookup(t, h1, link.Want{Dst: peer, Interface: "veth1-h1"})
	if diff := cmp.Diff(want, summarize(e)); diff != "" {
		t.Errorf("by interface (-want +got):\n%s", diff)
	}
	if e := lookup(t, h1, link.Want{Dst: own, Interface: "veth1-h1"}); !e.Local {
		t.Errorf("own link-local address is not local: %+v", e)
	}
}

func linkLocal(t *testing.T, h *lab.Host, name string) netip.Addr {
	t.Helper()
	var found netip.Addr
	in(t, h, func() error {
		ifi, err := net.InterfaceByName(name)
		if err != nil {
			return err
		}
		addrs, err := ifi.Addrs()
		for _, a := range addrs {
			if p := netip.MustParsePrefix(a.String()); p.Addr().Is6() && p.Addr().IsLinkLocalUnicast() {
				found = p.Addr()
			}
		}
		return err
	})
	if !found.IsValid() {
		t.Fatalf("%s has no link-local address", name)
	}
	return found
}

func TestLookupErrors(t *testing.T) {
	h1 := openLine(t).Host("h1")
	for i, kind := range []lab.RouteType{lab.Unreachable, lab.Prohibit, lab.Blackhole} {
		for _, p := range []string{"10.0.%.0/24", "fd00:a%::/64"} {
			dst := netip.MustParsePrefix(string(replace(p, '%', byte('1'+i))))
			if err := h1.AddRoute(lab.Route{Dst: dst, Type: kind}); err != nil {
				t.Fatal(err)
			}
		}
	}
	tests := []struct {
		name, err string
		want      link.Want
		is        error
	}{
		{"no such interface", "setsockopt SO_BINDTODEVICE: No such device",
			link.Want{Dst: addr("192.168.120.20"), Interface: "nope0"}, unix.ENODEV},
		{"foreign source", "bind: Cannot assign requested address",
			link.Want{Dst: addr("192.168.120.20"), Src: addr("192.0.2.1")}, unix.EADDRNOTAVAIL},
		{"foreign IPv6 source", "bind: Cannot assign requested address",
			link.Want{Dst: addr("fd00:120::20"), Src: addr("fd00:bad::1")}, unix.EADDRNOTAVAIL},
		{"unreachable", "connect: No route to host", link.Want{Dst: addr("10.0.1.1")}, unix.EHOSTUNREACH},
		{"prohibit", "connect: Permission denied", link.Want{Dst: addr("10.0.2.1")}, unix.EACCES},
		{"blackhole", "connect: Invalid argument", link.Want{Dst: addr("10.0.3.1")}, unix.EINVAL},
		{"IPv6 unreachable", "connect: No route to host", link.Want{Dst: addr("fd00:a1::1")}, unix.EHOSTUNREACH},
		{"IPv6 prohibit", "connect: Permission denied", link.Want{Dst: addr("fd00:a2::1")}, unix.EACCES},
		{"IPv6 blackhole", "connect: Invalid argument", link.Want{Dst: addr("fd00:a3::1")}, unix.EINVAL},
		{"broadcast", "connect: Permission denied", link.Want{Dst: addr("192.168.100.255")}, unix.EACCES},
		{"limited broadcast", "connect: Permission denied", link.Want{Dst: addr("255.255.255.255")}, unix.EACCES},
		{"bypassing routes", "connect: Network is unreachable",
			link.Want{Dst: addr("192.168.120.20"), DontRoute: true}, unix.ENETUNREACH},
		{"link-local without a zone", "connect: Invalid argument", link.Want{Dst: addr("fe80::1")}, unix.EINVAL},
		{"unknown zone", "connect: No such device", link.Want{Dst: addr("fe80::1%nope0")}, unix.ENODEV},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { wantError(t, h1, tt.want, tt.err, tt.is) })
	}

	t.Run("no route", func(t *testing.T) {
		ip(t, h1, "route del default")
		ip(t, h1, "-6 route del default")
		wantError(t, h1, link.Want{Dst: addr("192.0.2.1")}, "connect: Network is unreachable", unix.ENETUNREACH)
		wantError(t, h1, link.Want{Dst: addr("fd00:120::20")}, "connect: Network is unreachable", unix.ENETUNREACH)
	})
	t.Run("IPv6 only", func(t *testing.T) {
		if err := h1.DeleteAddress("veth1-h1", netip.MustParsePrefix("192.168.100.10/24")); err != nil {
			t.Fatal(err)
		}
		wantError(t, h1, link.Want{Dst: addr("192.168.100.20")}, "connect: Network is unreachable", unix.ENETUNREACH)
		lookup(t, h1, link.Want{Dst: addr("fd00:100::20")})
	})
	t.Run("mixed families", func(t *testing.T) {
		if _, err := link.Lookup(link.Want{Dst: addr("192.0.2.1"), Src: addr("::1")}); err == nil {
			t.Error("taken")
		}
		if _, err := link.Lookup(link.Want{}); err == nil {
			t.Error("no destination: taken")
		}
	})
}

func wantError(t *testing.T, h *lab.Host, w link.Want, text string, is error) {
	t.Helper()
	err := h.Do(func() error { _, err := link.Lookup(w); return err })
	var op *link.OpError
	if err == nil || err.Error() != text || !errors.As(err, &op) || !errors.Is(err, is) {
		t.Errorf("got error %v, want %q", err, text)
	}
}

func replace(s string, old, with byte) []byte {
	b := []byte(s)
	for i := range b {
		if b[i] == old {
			b[i] = with
		}
	}
	return b
}

func TestLookupInterfaceWithoutAddress(t *testing.T) {
	h1 := openLine(t).Host("h1")
	ip(t, h1, "link add bare0 type veth peer name bare1")
	ip(t, h1, "link set bare0 up")
	ip(t, h1, "link set bare1 up")
	ip(t, h1, "route add 10.9.0.0/16 dev bare0")
	// The kernel borrows an address of another interface.
	e := lookup(t, h1, link.Want{Dst: addr("10.9.0.1")})
	want := summary{"bare0", "192.168.100.10", "10.9.0.1", "10.9.0.1", 1500, 1500, false}
	if diff := cmp.Diff(want, summarize(e)); diff != "" {
		t.Errorf("borrowing (-want +got):\n%s", diff)
	}
	if err := h1.DeleteAddress("veth1-h1", netip.MustParsePrefix("192.168.100.10/24")); err != nil {
		t.Fatal(err)
	}
	e = lookup(t, h1, link.Want{Dst: addr("10.9.0.1")})
	want.Src = "0.0.0.0"
	if diff := cmp.Diff(want, summarize(e)); diff != "" {
		t.Errorf("nothing to borrow (-want +got):\n%s", diff)
	}
}
