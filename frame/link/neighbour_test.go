package link

import (
	"net/netip"
	"testing"
)

func TestGroupMAC(t *testing.T) {
	tests := []struct {
		addr string
		want [6]byte
		ok   bool
	}{
		{"224.0.0.1", [6]byte{0x01, 0, 0x5e, 0, 0, 1}, true},
		{"239.129.2.3", [6]byte{0x01, 0, 0x5e, 1, 2, 3}, true}, // the 24th bit is lost
		{"255.255.255.255", broadcastMAC, true},
		{"ff02::1", [6]byte{0x33, 0x33, 0, 0, 0, 1}, true},
		{"ff02::1:ff12:3456", [6]byte{0x33, 0x33, 0xff, 0x12, 0x34, 0x56}, true},
		{"192.0.2.1", [6]byte{}, false},
		{"fe80::1", [6]byte{}, false},
	}
	for _, tt := range tests {
		got, ok := groupMAC(netip.MustParseAddr(tt.addr))
		if got != tt.want || ok != tt.ok {
			t.Errorf("%s: %x %v, want %x %v", tt.addr, got, ok, tt.want, tt.ok)
		}
	}
}

func TestFixedMAC(t *testing.T) {
	own := [6]byte{2, 0, 0, 0, 0, 7}
	tests := []struct {
		name  string
		flags uint32
		want  [6]byte
		ok    bool
	}{
		{"broadcast Ethernet", 0x1043, [6]byte{}, false},
		{"loopback", 0x49, own, true},
		{"without ARP", 0xc3, own, true},
		{"point to point", 0x51, broadcastMAC, true},
		{"point to point without ARP", 0xd1, own, true},
	}
	for _, tt := range tests {
		got, ok := fixedMAC(tt.flags, own)
		if got != tt.want || ok != tt.ok {
			t.Errorf("%s: %x %v, want %x %v", tt.name, got, ok, tt.want, tt.ok)
		}
	}
}
