package link

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// routeBody is the answer of a kernel, header first.
func routeBody(t testing.TB, kind uint8, fill func(*netlink.AttributeEncoder)) []byte {
	t.Helper()
	ae := netlink.NewAttributeEncoder()
	fill(ae)
	b, err := ae.Encode()
	if err != nil {
		t.Fatal(err)
	}
	header := make([]byte, unix.SizeofRtMsg)
	header[7] = kind
	return append(header, b...)
}

func TestParseRoute(t *testing.T) {
	tests := []struct {
		name string
		fill func(*netlink.AttributeEncoder)
		want route
	}{
		{"on link", func(ae *netlink.AttributeEncoder) {
			ae.Uint32(unix.RTA_OIF, 7)
		}, route{kind: 1, oif: 7}},
		{"gateway and metrics", func(ae *netlink.AttributeEncoder) {
			ae.Uint32(unix.RTA_OIF, 7)
			ae.Bytes(unix.RTA_GATEWAY, []byte{192, 0, 2, 1})
			ae.Nested(unix.RTA_METRICS, func(m *netlink.AttributeEncoder) error {
				m.Uint32(unix.RTAX_ADVMSS, 1)
				m.Uint32(unix.RTAX_MTU, 1400)
				return nil
			})
		}, route{kind: 1, oif: 7, gateway: netip.MustParseAddr("192.0.2.1"), mtu: 1400}},
		{"gateway of the other family", func(ae *netlink.AttributeEncoder) {
			ae.Bytes(unix.RTA_VIA, append([]byte{unix.AF_INET6, 0}, netip.MustParseAddr("fe80::1").AsSlice()...))
			ae.Uint32(unix.RTA_OIF, 7)
		}, route{kind: 1, oif: 7, gateway: netip.MustParseAddr("fe80::1")}},
	}
	for _, tt := range tests {
		got, err := parseRoute(routeBody(t, unix.RTN_UNICAST, tt.fill))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(route{}), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestParseRouteRefuses(t *testing.T) {
	tests := map[string][]byte{
		"empty":        nil,
		"short":        make([]byte, 11),
		"no interface": routeBody(t, unix.RTN_UNICAST, func(*netlink.AttributeEncoder) {}),
		"interface of 1 byte": routeBody(t, unix.RTN_UNICAST, func(ae *netlink.AttributeEncoder) {
			ae.Uint8(unix.RTA_OIF, 7)
		}),
	}
	for name, body := range tests {
		if r, err := parseRoute(body); err == nil {
			t.Errorf("%s: taken as %+v", name, r)
		}
	}
}
