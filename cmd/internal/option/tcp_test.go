package option

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/frame"
)

const (
	testTSVal = 0x01020304
	testTSEcr = 0x05060708
)

// tcpHeader gives the header of `-T -O items`; ecn is the text of tcp_ecn.
func tcpHeader(t *testing.T, items, ecn string, mss uint16) frame.TCPHeader {
	t.Helper()
	o, err := parse("traceroute", "-T", "-O", items, "10.0.0.1")
	if err != nil {
		t.Fatalf("%s: %v", items, err)
	}
	sysctl := func(name string) string {
		text, known := map[string]string{
			"tcp_ecn": ecn, "tcp_sack": "1\n", "tcp_timestamps": "1\n", "tcp_window_scaling": "1\n",
		}[name]
		if !known {
			t.Errorf("%s: asked for setting %q", items, name)
		}
		return text
	}
	return o.TCP.Header(sysctl, mss, testTSVal, testTSEcr)
}

func TestTCPHeader(t *testing.T) {
	const (
		syn, ack  = frame.FlagSYN, frame.FlagACK
		synECN    = frame.FlagSYN | frame.FlagECE | frame.FlagCWR
		otherECN  = frame.FlagECE | frame.FlagCWR
		allOthers = frame.FlagFIN | frame.FlagRST | frame.FlagPSH | frame.FlagURG | otherECN
	)
	h := func(flags uint8, mss uint16, sack, stamps, scale bool) frame.TCPHeader {
		h := frame.TCPHeader{Flags: flags, Window: 5840, MSS: mss, SACK: sack, Timestamps: stamps, WScale: scale}
		if stamps {
			h.TSVal = testTSVal
		}
		if stamps && flags&ack != 0 {
			h.TSEcr = testTSEcr
		}
		if scale {
			h.Shift = 2
		}
		return h
	}
	tests := []struct {
		items, ecn string
		want       frame.TCPHeader
		size       int // whole IPv4 length in bytes
	}{
		{"", "2\n", h(syn, 1460, true, true, true), 60},
		{"sysctl", "2\n", h(syn, 1460, true, true, true), 60},
		{"mss=1000", "2\n", h(syn, 1000, true, true, true), 60},
		{"info", "2\n", h(syn, 1460, true, true, true), 60},
		{"reuse", "0\n", h(syn, 1460, true, true, true), 60},
		{"mss=0", "2\n", h(syn, 1460, true, true, true), 60},
		{"", "1\n", h(synECN, 1460, true, true, true), 60},
		{"sysctl,sack", "1\n", h(synECN, 1460, true, true, true), 60},
		{"sysctl,ack", "1\n", h(ack, 0, true, true, true), 56},
		{"sysctl,ack,syn", "1\n", h(syn|ack, 1460, true, true, true), 60},
		{"flags=0,sysctl", "1\n", h(0, 0, true, true, true), 56},
		{"syn", "1\n", h(syn, 1460, false, false, false), 44},
		{"ack", "1\n", h(ack, 0, false, false, false), 40},
		{"fin", "1\n", h(frame.FlagFIN, 0, false, false, false), 40},
		{"flags=0", "1\n", h(0, 0, false, false, false), 40},
		{"flags=0x12", "1\n", h(syn|ack, 1460, false, false, false), 44},
		{"flags=18", "1\n", h(syn|ack, 1460, false, false, false), 44},
		{"syn,ack", "1\n", h(syn|ack, 1460, false, false, false), 44},
		{"flags=0x12,fin", "1\n", h(syn|ack|frame.FlagFIN, 1460, false, false, false), 44},
		{"fin,flags=0x12", "1\n", h(syn|ack, 1460, false, false, false), 44},
		{"fin,rst,psh,urg,ece,cwr", "1\n", h(allOthers, 0, false, false, false), 40},
		{"ecn", "2\n", h(synECN, 1460, false, false, false), 44},
		{"ecn,syn", "1\n", h(syn, 1460, false, false, false), 44},
		{"flags=0,ecn", "1\n", h(0, 0, false, false, false), 40},
		{"sack", "1\n", h(syn, 1460, true, false, false), 48},
		{"timestamps", "1\n", h(syn, 1460, false, true, false), 56},
		{"window_scaling", "1\n", h(syn, 1460, false, false, true), 48},
		{"sack,timestamps,window_scaling,mss=900", "1\n", h(syn, 900, true, true, true), 60},
		{"ack,timestamps", "1\n", h(ack, 0, false, true, false), 52},
		{"flags=0,timestamps", "1\n", h(0, 0, false, true, false), 52},
		{"ack,sack,window_scaling", "1\n", h(ack, 0, true, false, true), 48},
		{"ece,cwr", "1\n", h(otherECN, 0, false, false, false), 40},
		{"syn,sysctl", "2\n", h(syn, 1460, true, true, true), 60},
		{"mss=9,flags=0x10", "1\n", h(ack, 0, false, false, false), 40},
		{"mss=65536,syn", "1\n", h(syn, 0, false, false, false), 40},
	}
	for _, tt := range tests {
		got := tcpHeader(t, tt.items, tt.ecn, 1460)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", tt.items, diff)
		}
		if size := frame.TCPSize(false, &got); size != tt.size {
			t.Errorf("%s: %d bytes, want %d", tt.items, size, tt.size)
		}
	}
}

func TestTCPHeaderWindow(t *testing.T) {
	tests := []struct{ mss, window uint16 }{
		{1460, 5840},
		{1440, 5760},
		{960, 3840},
		{536, 2144},
		{65495, 65372},
	}
	for _, tt := range tests {
		if h := tcpHeader(t, "mss=7", "0\n", tt.mss); h.Window != tt.window || h.MSS != 7 {
			t.Errorf("route mss %d: got window %d and mss %d, want %d and 7", tt.mss, h.Window, h.MSS, tt.window)
		}
	}
}
