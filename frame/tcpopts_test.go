package frame

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The layouts that Linux traceroute 2.1.2 sends for its -O settings, and one
// of each that it has no setting for.
func TestTCPOptionLayouts(t *testing.T) {
	const ts = "080a 01020304 00000000"
	for _, tt := range []struct {
		name string
		h    TCPHeader
		want string
		size int // IPv4
	}{
		{"sysctl", TCPHeader{Flags: FlagSYN, MSS: 1460, SACK: true, Timestamps: true, TSVal: 0x01020304, WScale: true, Shift: 2},
			"020405b4 0402" + ts + "01 030302", 60},
		{"syn", TCPHeader{Flags: FlagSYN, MSS: 1460}, "020405b4", 44},
		{"ack", TCPHeader{Flags: FlagACK}, "", 40},
		{"flags=0", TCPHeader{}, "", 40},
		{"syn,ack", TCPHeader{Flags: FlagSYN | FlagACK, MSS: 1460}, "020405b4", 44},
		{"ecn", TCPHeader{Flags: FlagSYN | FlagECE | FlagCWR, MSS: 1460}, "020405b4", 44},
		{"sack", TCPHeader{Flags: FlagSYN, MSS: 1460, SACK: true}, "020405b4 0101 0402", 48},
		{"timestamps", TCPHeader{Flags: FlagSYN, MSS: 1460, Timestamps: true, TSVal: 0x01020304},
			"020405b4 0101" + ts, 56},
		{"window_scaling", TCPHeader{Flags: FlagSYN, MSS: 1460, WScale: true, Shift: 2}, "020405b4 01 030302", 48},
		{"mss=900", TCPHeader{Flags: FlagSYN, MSS: 900, SACK: true, Timestamps: true, TSVal: 0x01020304, WScale: true, Shift: 2},
			"02040384 0402" + ts + "01 030302", 60},
		{"ack,timestamps", TCPHeader{Flags: FlagACK, Timestamps: true, TSVal: 0x01020304, TSEcr: 0x05060708},
			"0101 080a 01020304 05060708", 52},
		{"ece,cwr", TCPHeader{Flags: FlagECE | FlagCWR}, "", 40},
		{"sack without mss", TCPHeader{SACK: true}, "0101 0402", 44},
		{"sack,wscale", TCPHeader{SACK: true, WScale: true, Shift: 14}, "0101 0402 01 03030e", 48},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, v6 := range []bool{false, true} {
				p := fullProbe(TCP, v6, 0)
				p.TCP, p.Size = tt.h, 0
				size := tt.size
				if v6 {
					size += 20
				}
				if got := TCPSize(v6, &tt.h); got != size {
					t.Errorf("TCPSize = %d, want %d", got, size)
				}
				f := putFresh(t, Link{}, &p)
				if len(f) != size {
					t.Fatalf("frame of %d bytes, want %d", len(f), size)
				}
				tcp := f[ipHeaderLen(v6):]
				want := strings.ReplaceAll(tt.want, " ", "")
				if diff := cmp.Diff(want, fmt.Sprintf("%x", tcp[20:])); diff != "" {
					t.Errorf("options (-want +got):\n%s", diff)
				}
				if got := int(tcp[12]>>4) * 4; got != len(tcp) {
					t.Errorf("data offset %d bytes, want %d", got, len(tcp))
				}
				if tcp[13] != tt.h.Flags {
					t.Errorf("flags %#x, want %#x", tcp[13], tt.h.Flags)
				}
				back, err := ReadProbe(f, LinkRaw)
				if diff := cmp.Diff(tt.h, back.TCP); err != nil || diff != "" {
					t.Errorf("read back: %v (-sent +read):\n%s", err, diff)
				}
			}
		})
	}
}

func TestMinSize(t *testing.T) {
	got := map[string]int{}
	for m := Method(0); m <= Raw+1; m++ {
		got[fmt.Sprintf("%s4 %d", m, m)] = MinSize(m, false)
		got[fmt.Sprintf("%s6 %d", m, m)] = MinSize(m, true)
	}
	want := map[string]int{
		"unknown4 0": 0, "unknown6 0": 0, "udp4 1": 28, "udp6 1": 48, "icmp4 2": 28, "icmp6 2": 48,
		"tcp4 3": 40, "tcp6 3": 60, "udplite4 4": 28, "udplite6 4": 48, "dccp4 5": 40, "dccp6 5": 60,
		"raw4 6": 20, "raw6 6": 40, "unknown4 7": 0, "unknown6 7": 0,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("MinSize (-want +got):\n%s", diff)
	}
}
