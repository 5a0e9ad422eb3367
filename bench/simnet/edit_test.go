package simnet

import (
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/frame"
)

// TestEdits compares an edited quote with the plain one, whose bytes are set
// by hand. sum tells that the IP header checksum must be right again.
func TestEdits(t *testing.T) {
	for _, c := range []struct {
		edits string
		probe frame.Probe
		set   map[int]byte // by offset in the quote
		sum   bool
	}{
		{"ttl=0", udp4(1), map[int]byte{8: 0}, true},
		{"tos=0xb8", udp4(1), map[int]byte{1: 0xb8}, true},
		{"id=swap", udp4(1), map[int]byte{4: 7, 5: 0}, true},
		{"id=+1", udp4(1), map[int]byte{5: 8}, true},
		{"len=-20", udp4(1), map[int]byte{3: 40}, true},
		{"len=swap", udp4(1), map[int]byte{2: 60, 3: 0}, true},
		{"src=192.0.2.1", udp4(1), map[int]byte{12: 192, 13: 0, 14: 2, 15: 1}, true},
		{"dst=192.0.2.1", udp4(1), map[int]byte{16: 192, 17: 0, 18: 2, 19: 1}, true},
		{"version=6", udp4(1), map[int]byte{0: 0x65}, true},
		{"ihl=4", udp4(1), map[int]byte{0: 0x44}, true},
		{"flags=2", udp4(1), map[int]byte{6: 0x40}, true},
		{"offset=8191", udp4(1), map[int]byte{6: 0x1f, 7: 0xff}, true},
		{"proto=6", udp4(1), map[int]byte{9: 6}, true},
		{"ipsum=0x1234", udp4(1), map[int]byte{10: 0x12, 11: 0x34}, false},
		{"sport=1", udp4(1), map[int]byte{20: 0, 21: 1}, false},
		{"dport=0x102", udp4(1), map[int]byte{22: 1, 23: 2}, false},
		{"udplen=8", udp4(1), map[int]byte{25: 8}, false},
		{"checksum=0", udp4(1), map[int]byte{26: 0, 27: 0}, false},
		{"byte30=0xff", udp4(1), map[int]byte{30: 0xff}, false},
		{"ident=2", icmp4(1), map[int]byte{24: 0, 25: 2}, false},
		{"seq=+1", icmp4(1), map[int]byte{27: 4}, false},
		{"type=0", icmp4(1), map[int]byte{20: 0}, false},
		{"code=9", icmp4(1), map[int]byte{21: 9}, false},
		{"seq=0x01020304", tcp4(1, frame.FlagSYN), map[int]byte{24: 1, 25: 2, 26: 3, 27: 4}, false},
		{"ack=0", tcp4(1, frame.FlagSYN), map[int]byte{30: 0, 31: 0}, false},
		{"tcpflags=0x10", tcp4(1, frame.FlagSYN), map[int]byte{33: 0x10}, false},
		{"window=1", tcp4(1, frame.FlagSYN), map[int]byte{34: 0, 35: 1}, false},
		{"label=0xabcde", udp6(1), map[int]byte{1: 0x0a, 2: 0xbc, 3: 0xde}, false},
		{"tos=0xff", udp6(1), map[int]byte{0: 0x6f, 1: 0xf0}, false},
		{"ttl=9", udp6(1), map[int]byte{7: 9}, false},
		{"sport=1 edit ttl=3", udp6(1), map[int]byte{40: 0, 41: 1, 7: 3}, false},
		// These fields are not there: nothing changes.
		{"id=1", udp6(1), nil, false},
		{"seq=1", udp4(1), nil, false},
		{"byte60=1", udp4(1), nil, false},
		{"src=fd00::1", udp4(1), nil, false},
	} {
		t.Run(c.edits, func(t *testing.T) {
			from, header := "10.1.1.1", ethernetLen+ipv4HeaderLen+icmpHeaderLen
			if c.probe.Src.Is6() {
				from, header = "fd01::1", ethernetLen+ipv6HeaderLen+icmpHeaderLen
			}
			got := one(t, responder(t, "hop 1 te from "+from+" edit "+c.edits), build(t, c.probe))[header:]
			want := quoted(t, c.probe, 1)
			for at, b := range c.set {
				want[at] = b
			}
			if c.sum {
				want[10], want[11] = 0, 0
				binary.BigEndian.PutUint16(want[10:], ^frame.Fold(frame.Sum(want[:20], 0)))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestEditOfShortQuote(t *testing.T) {
	got := one(t, responder(t, "hop 1 te from 10.1.1.1 quote 22 edit sport=1 edit dport=1 edit dst=10.0.0.9"), build(t, udp4(1)))
	quote := got[ethernetLen+ipv4HeaderLen+icmpHeaderLen:]
	if len(quote) != 22 || quote[20] != 0 || quote[21] != 1 || quote[19] != 9 {
		t.Errorf("quote % x: want 22 bytes, destination 10.0.0.9, source port 1", quote)
	}
}
