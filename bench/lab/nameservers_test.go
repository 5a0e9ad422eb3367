package lab

import (
	"errors"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/sys/unix"
)

func TestNameservers(t *testing.T) {
	for _, tt := range []struct {
		name, conf string
		want       []string
	}{
		{"empty", "", nil},
		{"both families", "search example.org\nnameserver 192.0.2.1\n# nameserver 192.0.2.9\nnameserver\t2001:db8::1  # main\n", []string{"192.0.2.1", "2001:db8::1"}},
		{"at most three, each once", "nameserver 192.0.2.1\nnameserver 192.0.2.1\nnameserver ::ffff:192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4", []string{"192.0.2.1", "192.0.2.2", "192.0.2.3"}},
		{"none that could leave", "nameserver 127.0.0.53\nnameserver ::1\nnameserver fe80::1%eth0\nnameserver 0.0.0.0\nnameserver 224.0.0.251\n", nil},
		{"rubbish", "nameserver\nnameserver example.org\nnameserver 192.0.2\nnameservers 192.0.2.1\n\x00\xff", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var want []netip.Addr
			for _, s := range tt.want {
				want = append(want, netip.MustParseAddr(s))
			}
			if diff := cmp.Diff(want, nameservers(strings.NewReader(tt.conf)), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
				t.Errorf("differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNamesAreRefusedAtOnce(t *testing.T) {
	n := open(t, "line")
	f, err := os.Open(resolvConf)
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	for _, server := range nameservers(f) {
		if n.Topology().uses(server) || server.Is6() && !n.HasIPv6() {
			continue
		}
		if err := sendTo(n.Host("h1"), server.String(), 0); !errors.Is(err, unix.EHOSTUNREACH) {
			t.Errorf("sending to %s: %v, want %v", server, err, unix.EHOSTUNREACH)
		}
	}
}
