package frame

import (
	"net/netip"
	"testing"
)

func TestAddrWords(t *testing.T) {
	if !addrInPlace {
		t.Error("addresses are laid out in a new way: addrWords is slow")
	}
	for _, tt := range []struct {
		addr      string
		high, low uint64
	}{
		{"::", 0, 0},
		{"102:304:506:708:90a:b0c:d0e:f10", 0x0102030405060708, 0x090a0b0c0d0e0f10},
		{"fe80::1%eth0", 0xfe80 << 48, 1},
		{"::ffff:192.0.2.1", 0, 0xffffc0000201},
	} {
		a := netip.MustParseAddr(tt.addr)
		if high, low := addrWords(&a); high != tt.high || low != tt.low {
			t.Errorf("addrWords(%s) = %#x, %#x, want %#x, %#x", a, high, low, tt.high, tt.low)
		}
		if high, low := addrWordsSlowly(&a); high != tt.high || low != tt.low {
			t.Errorf("addrWordsSlowly(%s) = %#x, %#x, want %#x, %#x", a, high, low, tt.high, tt.low)
		}
	}
}
