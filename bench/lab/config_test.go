package lab

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// sendTo sends an empty datagram from the host and gives the errno that the
// kernel refuses it with.
func sendTo(h *Host, addr string, tos int) error {
	return h.Do(func() error {
		dst := netip.AddrPortFrom(netip.MustParseAddr(addr), 9)
		domain := int(family(dst.Addr()))
		fd, err := unix.Socket(domain, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		if domain == unix.AF_INET {
			if err := unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_TOS, tos); err != nil {
				return err
			}
			return unix.Sendto(fd, nil, 0, &unix.SockaddrInet4{Port: 9, Addr: dst.Addr().As4()})
		}
		return unix.Sendto(fd, nil, 0, &unix.SockaddrInet6{Port: 9, Addr: dst.Addr().As16()})
	})
}

func TestRefusingRoutes(t *testing.T) {
	n := open(t, "line")
	h1, r1 := n.Host("h1"), n.Host("r1")
	for _, tt := range []struct {
		name string
		kind RouteType
		here error // what a sender on the host gets
		v4   icmpError
		v6   icmpError
	}{
		{"unreachable", Unreachable, unix.EHOSTUNREACH, icmpError{kind: 3, code: 1}, icmpError{kind: 1, code: 0}},
		{"prohibit", Prohibit, unix.EACCES, icmpError{kind: 3, code: 13}, icmpError{kind: 1, code: 1}},
		{"blackhole", Blackhole, unix.EINVAL, icmpError{}, icmpError{}},
	} {
		for _, dst := range []string{"192.168.120.20", "fd00:120::20"} {
			t.Run(tt.name+"-"+dst, func(t *testing.T) {
				addr := netip.MustParseAddr(dst)
				want := tt.v4
				want.from = netip.MustParseAddr("192.168.100.20")
				if addr.Is6() {
					if !n.HasIPv6() {
						t.Skip("the kernel has no IPv6")
					}
					want = tt.v6
					want.from = netip.MustParseAddr("fd00:100::20")
				}
				r := Route{Dst: netip.PrefixFrom(addr, addr.BitLen()), Type: tt.kind}
				for _, h := range []*Host{h1, r1} {
					if err := h.AddRoute(r); err != nil {
						t.Fatal(err)
					}
				}
				if err := sendTo(h1, dst, 0); !errors.Is(err, tt.here) {
					t.Errorf("sending on the host itself: %v, want %v", err, tt.here)
				}
				if err := h1.DeleteRoute(r); err != nil {
					t.Fatal(err)
				}
				if want.kind != 0 {
					got, err := provoke(udpSocket(t, h1, addr), addr, 9)
					if err != nil || got != want {
						t.Errorf("the router answers %+v, %v, want %+v", got, err, want)
					}
				}
				if err := r1.DeleteRoute(r); err != nil {
					t.Fatal(err)
				}
				if err := exchange(h1, n.Host("h2"), dst); err != nil {
					t.Errorf("after the routes were deleted: %v", err)
				}
			})
		}
	}
}

func TestRulesChooseTables(t *testing.T) {
	n := open(t, "line")
	h1 := n.Host("h1")
	const far = "192.168.120.20"
	for _, number := range []int{100, 100000} {
		r := Route{Dst: netip.MustParsePrefix("192.168.120.0/24"), Type: Prohibit, Table: number}
		if err := h1.AddRoute(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := sendTo(h1, far, 0x10); err != nil {
		t.Fatalf("before any rule: %v", err)
	}
	if err := h1.AddRule(Rule{TOS: 0x10, Table: 100}); err != nil {
		t.Fatal(err)
	}
	if err := sendTo(h1, far, 0x10); !errors.Is(err, unix.EACCES) {
		t.Errorf("with the rule's TOS: %v, want %v", err, unix.EACCES)
	}
	if err := sendTo(h1, far, 0); err != nil {
		t.Errorf("with another TOS: %v", err)
	}
	if err := h1.AddRule(Rule{From: netip.MustParsePrefix("192.168.100.0/24"), Table: 100000, Priority: 7}); err != nil {
		t.Fatal(err)
	}
	bound := func(source string) error {
		return h1.Do(func() error {
			c, err := net.DialUDP("udp", &net.UDPAddr{IP: net.ParseIP(source)}, &net.UDPAddr{IP: net.ParseIP(far), Port: 9})
			if err != nil {
				return err
			}
			return c.Close()
		})
	}
	if err := bound("192.168.100.10"); !errors.Is(err, unix.EACCES) {
		t.Errorf("from the rule's source: %v, want %v", err, unix.EACCES)
	}
	if err := h1.AddAddress("lo", netip.MustParsePrefix("172.16.0.1/32")); err != nil {
		t.Fatal(err)
	}
	if err := bound("172.16.0.1"); err != nil {
		t.Errorf("from another source: %v", err)
	}
	if n.HasIPv6() {
		if err := h1.AddRule(Rule{To: netip.MustParsePrefix("fd00:120::/64"), Table: 5}); err != nil {
			t.Error(err)
		}
	}
}

func TestLinksAndAddresses(t *testing.T) {
	n := open(t, "line")
	h1, r1, h2 := n.Host("h1"), n.Host("r1"), n.Host("h2")
	const link, far = "veth1-h1", "192.168.120.20"

	if err := h1.SetLink(link, false); err != nil {
		t.Fatal(err)
	}
	if err := sendTo(h1, far, 0); !errors.Is(err, unix.ENETUNREACH) {
		t.Errorf("link down: %v, want %v", err, unix.ENETUNREACH)
	}
	if err := h1.SetLink(link, true); err != nil {
		t.Fatal(err)
	}
	if err := h1.AddDefaultRoute(netip.MustParseAddr("192.168.100.20")); err != nil {
		t.Fatal(err)
	}
	if err := waitCarrier(h1, EndPlan{Name: link}); err != nil {
		t.Fatal(err)
	}
	if err := exchange(h1, h2, far); err != nil {
		t.Errorf("link up again: %v", err)
	}

	if err := errors.Join(h1.SetMTU(link, 700), r1.SetMTU("veth1-r1", 700)); err != nil {
		t.Fatal(err)
	}
	if l, err := h1.link(link); err != nil || l.Attributes.MTU != 700 {
		t.Errorf("MTU is %d, %v, want 700", l.Attributes.MTU, err)
	}

	old, additional := netip.MustParsePrefix("192.168.100.10/24"), netip.MustParsePrefix("192.168.100.11/24")
	if err := errors.Join(h1.DeleteAddress(link, old), h1.AddAddress(link, additional)); err != nil {
		t.Fatal(err)
	}
	// The old address took the default route with it.
	r := Route{Dst: netip.MustParsePrefix("192.168.120.0/24"), Via: netip.MustParseAddr("192.168.100.20"), Link: link, Src: additional.Addr(), MTU: 600}
	if err := h1.AddRoute(r); err != nil {
		t.Fatal(err)
	}
	if err := exchange(h1, h2, far); err != nil {
		t.Errorf("from the new address: %v", err)
	}

	if err := r1.DeleteLink("veth1-r1"); err != nil {
		t.Fatal(err)
	}
	if _, err := h1.link(link); !errors.Is(err, unix.ENODEV) {
		t.Errorf("the far end of a deleted link: %v, want %v", err, unix.ENODEV)
	}
}

func TestConfigurationErrors(t *testing.T) {
	n := open(t, "pair")
	h1 := n.Host("h1")
	if n.Host("h3") != nil {
		t.Error("Host gives a host that is not there")
	}
	prefix := netip.MustParsePrefix("10.0.0.1/24")
	for _, tt := range []struct {
		name  string
		err   error
		errno error // nil when we refuse by ourselves
		text  string
	}{
		{"no link up", h1.SetLink("eth9", true), unix.ENODEV, `h1 has no link "eth9"`},
		{"no link to delete", h1.DeleteLink("eth9"), unix.ENODEV, `"eth9"`},
		{"no link for an address", h1.AddAddress("eth9", prefix), unix.ENODEV, `"eth9"`},
		{"no address to delete", h1.DeleteAddress("veth1-h1", prefix), unix.EADDRNOTAVAIL, "10.0.0.1/24"},
		{"no address", h1.AddAddress("veth1-h1", netip.Prefix{}), nil, "not an IPv4 or IPv6"},
		{"MTU", h1.SetMTU("veth1-h1", 67), nil, "68..65535"},
		{"route to nowhere", h1.AddRoute(Route{Dst: prefix, Via: netip.MustParseAddr("172.16.0.1")}), unix.ENETUNREACH, "10.0.0.1/24"},
		{"route of no type", h1.AddRoute(Route{Dst: prefix, Type: 99}), nil, "out of range"},
		{"route with no destination", h1.AddRoute(Route{}), nil, "out of range"},
		{"route of a metric too large", h1.AddRoute(Route{Dst: prefix, Metric: 1 << 32}), nil, "out of range"},
		{"several next hops and one", h1.AddRoute(Route{Dst: prefix, Via: prefix.Addr(), NextHops: []netip.Addr{prefix.Addr()}}), nil, "exclude"},
		{"several next hops that refuse", h1.AddRoute(Route{Dst: prefix, Type: Prohibit, NextHops: []netip.Addr{prefix.Addr()}}), nil, "exclude"},
		{"rule without a table", h1.AddRule(Rule{TOS: 4}), nil, "out of range"},
		{"rule after main", h1.AddRule(Rule{Table: 4, Priority: 40000}), nil, "out of range"},
		{"foreign sysctl", h1.Sysctl("kernel/hostname", "x"), nil, "belong to a namespace"},
		{"sysctl out of the tree", h1.Sysctl("net/../kernel/hostname", "x"), nil, "belong to a namespace"},
		{"no sysctl", h1.Sysctl("net/ipv4/nonesuch", "x"), unix.ENOENT, "net/ipv4/nonesuch=x"},
		{"sysctl value", h1.Sysctl("net/ipv4/ip_forward", "x"), unix.EINVAL, "ip_forward=x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.err == nil {
				t.Fatal("no error")
			}
			if tt.errno != nil && !errors.Is(tt.err, tt.errno) {
				t.Errorf("%v is not %v", tt.err, tt.errno)
			}
			if s := fmt.Sprint(tt.err); !strings.Contains(s, tt.text) || strings.Contains(s, "\n") || !strings.HasPrefix(s, "lab: ") {
				t.Errorf("error %q does not say %q in one line", s, tt.text)
			}
		})
	}
	if n, err := Open("nowhere"); err == nil || !strings.Contains(err.Error(), "line, pair") {
		t.Errorf("Open(nowhere) = %v, %v", n, err)
	}
}

func TestSysctl(t *testing.T) {
	n := open(t, "pair")
	h1 := n.Host("h1")
	if err := h1.Sysctl("net/ipv4/ip_default_ttl", "33"); err != nil {
		t.Fatal(err)
	}
	ttl := func(h *Host) (v int) {
		t.Helper()
		err := h.Do(func() error {
			fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				return err
			}
			defer unix.Close(fd)
			v, err = unix.GetsockoptInt(fd, unix.SOL_IP, unix.IP_TTL)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if here, there := ttl(h1), ttl(n.Host("h2")); here != 33 || there == 33 {
		t.Errorf("TTL %d in h1 and %d in h2, want 33 and the default", here, there)
	}
}
