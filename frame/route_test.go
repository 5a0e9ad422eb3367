package frame

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// routeOf makes a route that is right.
func routeOf(t testing.TB, kind RouteKind, gateways ...netip.Addr) Route {
	t.Helper()
	r, err := NewRoute(kind, gateways)
	must(t, err)
	return r
}

func addrs(s string) (list []netip.Addr) {
	for _, a := range strings.Fields(s) {
		list = append(list, netip.MustParseAddr(a))
	}
	return list
}

// sampleRoutes is routes of every kind, the longest included.
func sampleRoutes(t testing.TB) []Route {
	many4 := slices.Repeat(addrs("192.0.2.9"), MaxGateways4)
	many6 := slices.Repeat(addrs("2001:db8::9"), MaxGateways6)
	return []Route{
		routeOf(t, LSRR, addrs("192.0.2.9")...), routeOf(t, LSRR, addrs("192.0.2.9 192.0.2.10")...), routeOf(t, LSRR, many4...),
		routeOf(t, LSRROnce, addrs("192.0.2.9")...), routeOf(t, LSRROnce, addrs("192.0.2.9 192.0.2.10 192.0.2.9")...), routeOf(t, LSRROnce, many4...),
		routeOf(t, Routing0, addrs("2001:db8::9")...), routeOf(t, Routing0, addrs("2001:db8::9 2001:db8::a")...), routeOf(t, Routing0, many6...),
		routeOf(t, Routing2, addrs("2001:db8::9")...),
		routeOf(t, Routing4, addrs("2001:db8::9")...), routeOf(t, Routing4, addrs("2001:db8::9 2001:db8::a 2001:db8::b")...), routeOf(t, Routing4, many6...),
	}
}

// routed gives fullProbe with a route, as much longer.
func routed(m Method, r Route) Probe {
	p := fullProbe(m, r.IsIPv6(), 0)
	p.Route = r
	p.Size += r.HeaderLen()
	return p
}

func TestRouteLayout(t *testing.T) {
	for _, tt := range []struct {
		kind     RouteKind
		gateways string
		dst      string
		first    string // destination in the IP header
		want     string // what follows it
	}{
		{LSRR, "192.168.100.20", "192.168.120.20", "192.168.100.20", "01 83 0b 04 c0a87814 c0a87814"},
		{LSRR, "192.168.100.20 192.168.110.20", "192.168.120.20", "192.168.100.20", "01 83 0f 04 c0a86e14 c0a87814 c0a87814"},
		{LSRROnce, "10.2.2.3", "10.2.2.2", "10.2.2.3", "01 83 07 04 0a020202"},
		{LSRROnce, "10.2.2.3 10.2.2.4", "10.2.2.2", "10.2.2.3", "01 83 0b 04 0a020204 0a020202"},
		{Routing0, "2001:db8::9 2001:db8::a", "2001:db8::ff", "2001:db8::9",
			"11 04 00 02 00000000 20010db8 00000000 00000000 0000000a 20010db8 00000000 00000000 000000ff"},
		{Routing2, "2001:db8::9", "2001:db8::ff", "2001:db8::9",
			"11 02 02 01 00000000 20010db8 00000000 00000000 000000ff"},
		{Routing4, "2001:db8::9 2001:db8::a", "2001:db8::ff", "2001:db8::9",
			"11 04 04 02 01 00 0000 20010db8 00000000 00000000 000000ff 20010db8 00000000 00000000 0000000a"},
	} {
		p := routed(UDP, routeOf(t, tt.kind, addrs(tt.gateways)...))
		p.Dst = netip.MustParseAddr(tt.dst)
		f := putFresh(t, Link{}, &p)
		head := ipHeaderLen(p.IsIPv6())
		first, _ := netip.AddrFromSlice(f[head-len(p.Dst.AsSlice()) : head])
		if first.String() != tt.first {
			t.Errorf("%v: sent to %v, want %s", p.Route, first, tt.first)
		}
		got := fmt.Sprintf("%x", f[head:head+p.Route.HeaderLen()])
		if diff := cmp.Diff(strings.ReplaceAll(tt.want, " ", ""), got); diff != "" {
			t.Errorf("%v (-want +got):\n%s", p.Route, diff)
		}
	}
}

// A route changes nothing behind the IP header: the transport checksum is that
// of a probe straight to the destination.
func TestRouteLeavesTransport(t *testing.T) {
	for _, r := range sampleRoutes(t) {
		for _, m := range methods {
			p := routed(m, r)
			plain := p
			plain.Route, plain.Size = Route{}, p.Size-r.HeaderLen()
			f, want := putFresh(t, ethernet, &p), putFresh(t, ethernet, &plain)
			head := 14 + ipHeaderLen(r.IsIPv6())
			if !bytes.Equal(f[head+r.HeaderLen():], want[head:]) {
				t.Errorf("%s over %d of kind %d: transport\n% x, want\n% x", m, r.Gateways(), r.Kind(), f[head+r.HeaderLen():], want[head:])
			}
			ip := f[14:]
			if n := int(ip[0]&0xf) * 4; !r.IsIPv6() && (n != 20+r.HeaderLen() || naiveSum(ip[:n], 0) != 0xffff) {
				t.Errorf("%s over %d of kind %d: IPv4 header of %d bytes sums up to %#x", m, r.Gateways(), r.Kind(), n, naiveSum(ip[:n], 0))
			}
			if len(ip) != p.Size {
				t.Errorf("%s over %d of kind %d: %d bytes, want %d", m, r.Gateways(), r.Kind(), len(ip), p.Size)
			}
			back, err := ReadProbe(f, LinkEthernet)
			if err != nil || back != p {
				t.Errorf("%s over %d of kind %d: read %+v, %v; want %+v", m, r.Gateways(), r.Kind(), back, err, p)
			}
			for n := range f {
				if _, err := ReadProbe(f[:n:n], LinkEthernet); err == nil {
					t.Errorf("%s over %d of kind %d: no error for %d of %d bytes", m, r.Gateways(), r.Kind(), n, len(f))
				}
			}
		}
	}
}

func TestRouteSizes(t *testing.T) {
	for _, tt := range []struct {
		kind RouteKind
		n    int
		want int // of a UDP probe with 32 bytes of payload
	}{
		{LSRR, 1, 72}, {LSRR, 2, 76}, {LSRR, 8, 100}, {LSRROnce, 1, 68}, {Routing2, 1, 104}, {Routing0, 2, 120},
	} {
		gateways := slices.Repeat([]netip.Addr{dst4}, tt.n)
		if tt.kind >= Routing0 {
			gateways = slices.Repeat([]netip.Addr{dst6}, tt.n)
		}
		p := routed(UDP, routeOf(t, tt.kind, gateways...))
		if p.Size != tt.want || p.HeaderLen() != tt.want-32 {
			t.Errorf("kind %d with %d: Size %d, HeaderLen %d, want %d and %d", tt.kind, tt.n, p.Size, p.HeaderLen(), tt.want, tt.want-32)
		}
	}
}

func TestNewRouteErrors(t *testing.T) {
	for _, tt := range []struct {
		kind     RouteKind
		gateways []netip.Addr
		want     string
	}{
		{0, addrs("192.0.2.9"), "new route: unknown kind 0"},
		{6, addrs("192.0.2.9"), "new route: unknown kind 6"},
		{LSRR, nil, "new route: 0 gateways, want 1..8"},
		{LSRROnce, slices.Repeat(addrs("192.0.2.9"), 9), "new route: 9 gateways, want 1..8"},
		{Routing2, addrs("2001:db8::9 2001:db8::9"), "new route: 2 gateways, want 1..1"},
		{Routing0, slices.Repeat(addrs("2001:db8::9"), 128), "new route: 128 gateways, want 1..127"},
		{LSRR, addrs("2001:db8::9"), `new route: gateway "2001:db8::9" is not an unmapped IPv4 address without zone`},
		{Routing0, addrs("2001:db8::9 192.0.2.9"), `new route: gateway "192.0.2.9" is not an unmapped IPv6 address without zone`},
		{Routing0, addrs("fe80::1%eth0"), `new route: gateway "fe80::1%eth0" is not an unmapped IPv6 address without zone`},
		{LSRR, addrs("::ffff:192.0.2.9"), `new route: gateway "::ffff:192.0.2.9" is not an unmapped IPv4 address without zone`},
		{LSRR, []netip.Addr{{}}, `new route: gateway "invalid IP" is not an unmapped IPv4 address without zone`},
	} {
		if r, err := NewRoute(tt.kind, tt.gateways); err == nil || err.Error() != tt.want || !r.IsZero() {
			t.Errorf("NewRoute(%d, %v) = %v, %v; want %s", tt.kind, tt.gateways, r, err, tt.want)
		}
	}
}

func TestRouteAsValue(t *testing.T) {
	a, b := routeOf(t, LSRR, addrs("192.0.2.9 192.0.2.10")...), routeOf(t, LSRR, addrs("192.0.2.9 192.0.2.10")...)
	if a != b || a == routeOf(t, LSRROnce, addrs("192.0.2.9 192.0.2.10")...) || a == routeOf(t, LSRR, addrs("192.0.2.10 192.0.2.9")...) {
		t.Error("routes compare wrongly")
	}
	if a.String() != "192.0.2.9,192.0.2.10" || a.Gateways() != 2 || a.Gateway(1) != netip.MustParseAddr("192.0.2.10") {
		t.Errorf("route is %v, of %d, the second %v", a, a.Gateways(), a.Gateway(1))
	}
	if !a.Passes(netip.MustParseAddr("192.0.2.10")) || a.Passes(dst4) || a.Passes(dst6) || (Route{}).Passes(netip.Addr{}) {
		t.Error("Passes is wrong")
	}
	if z := (Route{}); !z.IsZero() || z.HeaderLen() != 0 || z.Gateways() != 0 || z.String() != "" {
		t.Errorf("the zero route is %q with %d bytes", z, z.HeaderLen())
	}
}

func TestReadRouteErrors(t *testing.T) {
	v4 := routed(UDP, routeOf(t, LSRR, addrs("192.0.2.9 192.0.2.10")...))
	v6 := routed(UDP, routeOf(t, Routing4, addrs("2001:db8::9 2001:db8::a")...))
	nine := routed(UDP, routeOf(t, LSRR, slices.Repeat(addrs("192.0.2.9"), 8)...))
	for _, tt := range []struct {
		name  string
		probe Probe
		at    int
		bytes []byte
		want  string
	}{
		{"option type", v4, 21, []byte{0x89}, "IPv4 options"},
		{"option length", v4, 22, []byte{0x0b}, "IPv4 options"},
		{"pointer", v4, 23, []byte{8}, "IPv4 options"},
		{"no NOP", v4, 20, []byte{0}, "IPv4 options"},
		{"nine slots that differ", nine, 59, []byte{99}, "IPv4 options"},
		{"routing type", v6, 42, []byte{3}, "routing header type 3"},
		{"segments left", v6, 43, []byte{1}, "routing header is not"},
		{"odd length", v6, 41, []byte{3}, "routing header is not"},
		{"no address", v6, 41, []byte{0}, "routing header is not"},
		{"past the end", v6, 41, []byte{254, 4, 127, 126}, "routing header is not"},
		{"last entry", v6, 44, []byte{0}, "routing header is not"},
		{"flags", v6, 45, []byte{1}, "routing header is not"},
		{"mapped gateway", v6, 64, []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, "routing header is not"},
		{"mapped destination", v6, 48, []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, "IPv4-mapped"},
	} {
		f := putFresh(t, Link{}, &tt.probe)
		copy(f[tt.at:], tt.bytes)
		if p, err := ReadProbe(f, LinkRaw); err == nil || !strings.Contains(err.Error(), tt.want) || p != (Probe{}) {
			t.Errorf("%s: %+v, %v; want no probe and an error with %q", tt.name, p, err, tt.want)
		}
	}
}
