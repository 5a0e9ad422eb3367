package dump_test

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/cmd/internal/output/dump"
	"github.com/hopquote/hopquote/frame"
)

func TestSent(t *testing.T) {
	packet := make([]byte, 33)
	for i := range packet {
		packet[i] = byte(i)
	}
	want := "[ 33 bytes\n\t 0001 0203 0405 0607 0809 0a0b 0c0d 0e0f\n\t 1011 1213 1415 1617 1819 1a1b 1c1d 1e1f\n\t 20\n]\n"
	if diff := cmp.Diff(want, string(dump.Sent(nil, packet))); diff != "" {
		t.Errorf("33 bytes (-want +got):\n%s", diff)
	}
	if got := string(dump.Sent(nil, packet[:16])); got != "[ 16 bytes\n\t 0001 0203 0405 0607 0809 0a0b 0c0d 0e0f\n]\n" {
		t.Errorf("16 bytes: %q", got)
	}
}

func message(from, to string, typ, code uint8, quote ...byte) []byte {
	m := frame.ErrorMessage{
		From: netip.MustParseAddr(from), To: netip.MustParseAddr(to), TTL: 9, Type: typ, Code: code, Quote: quote,
	}
	return m.Append(nil)
}

func TestOther(t *testing.T) {
	for _, c := range []struct {
		packet []byte
		want   string
	}{
		{message("10.1.1.1", "10.9.9.1", 5, 1, 1, 2, 3, 4, 5),
			"\n13 bytes from 10.1.1.1 to 10.9.9.1: icmp type 5 (Redirect) code 1\n 4: 01020304\n 8: 05\n"},
		{message("10.1.1.1", "10.9.9.1", 16, 0), "\n8 bytes from 10.1.1.1 to 10.9.9.1: icmp type 16 (Info Reply) code 0\n"},
		{message("10.1.1.1", "10.9.9.1", 17, 0), "\n8 bytes from 10.1.1.1 to 10.9.9.1: icmp type 17 (OUT-OF-RANGE) code 0\n"},
		{message("fd00::1", "fd00::9", 2, 0), "\n8 bytes from fd00::1 to fd00::9: icmp type 2 (Packet Too Big) code 0\n"},
		{append(message("fd00::1", "fd00::9", 200, 0), 1, 2), "\n8 bytes from fd00::1 to fd00::9: icmp type 200 (ICMPv6 200) code 0\n"},
	} {
		m, ok := dump.Parse(c.packet)
		if !ok || m.TTL != 9 {
			t.Errorf("%x is not read: %+v", c.packet, m)
			continue
		}
		if diff := cmp.Diff(c.want, string(m.Other(nil))); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestIsNeighbour(t *testing.T) {
	for typ, want := range map[uint8]bool{1: false, 132: false, 133: true, 136: true, 137: false} {
		if m, ok := dump.Parse(message("fd00::1", "fd00::9", typ, 0)); !ok || m.IsNeighbour() != want {
			t.Errorf("type %d: %t, want %t", typ, m.IsNeighbour(), want)
		}
	}
	if m, ok := dump.Parse(message("10.1.1.1", "10.9.9.1", 135, 0)); !ok || m.IsNeighbour() {
		t.Error("IPv4 has no neighbour discovery")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(message("10.1.1.1", "10.9.9.1", 11, 0, 0x45))
	f.Add(message("fd00::1", "fd00::9", 3, 0, 0x60))
	f.Add([]byte{0x4f})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, ok := dump.Parse(b)
		if ok && (len(m.ICMP) < 8 || len(m.Packet) < len(m.ICMP)+20 || len(m.Packet) > len(b)) {
			t.Errorf("%x: %+v", b, m)
		}
		if ok {
			m.Other(nil)
		}
	})
}
