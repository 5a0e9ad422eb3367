package link

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hopquote/hopquote/frame"
	"golang.org/x/sys/unix"
)

func TestDeviceHeader(t *testing.T) {
	mac := []byte{2, 0, 0, 0, 0, 1}
	ethernet := frame.Link{Type: frame.LinkEthernet, Src: mac1}
	tests := []struct {
		name   string
		device device
		want   frame.Link
		err    string
	}{
		{"Ethernet", device{kind: unix.ARPHRD_ETHER, mac: mac}, ethernet, ""},
		{"loopback", device{kind: unix.ARPHRD_LOOPBACK, mac: make([]byte, 6)}, frame.Link{Type: frame.LinkEthernet}, ""},
		{"tun", device{kind: unix.ARPHRD_NONE}, frame.Link{}, ""},
		{"PPP", device{kind: unix.ARPHRD_PPP}, frame.Link{}, ""},
		{"GRE", device{kind: unix.ARPHRD_IPGRE, mac: []byte{192, 0, 2, 1}}, frame.Link{}, ""},
		{"InfiniBand", device{kind: unix.ARPHRD_INFINIBAND, mac: make([]byte, 20)}, frame.Link{},
			"interface x0: link layer 32 is neither Ethernet, loopback nor a bare IP tunnel"},
		{"odd Ethernet", device{kind: unix.ARPHRD_ETHER, mac: make([]byte, 8)}, frame.Link{},
			"interface x0: hardware address of 8 bytes, not 6"},
	}
	for _, tt := range tests {
		tt.device.Name = "x0"
		got, err := tt.device.header()
		text := ""
		if err != nil {
			text = err.Error()
		}
		if text != tt.err {
			t.Errorf("%s: error %q, want %q", tt.name, text, tt.err)
		}
		if diff := cmp.Diff(tt.want, got); err == nil && diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}
