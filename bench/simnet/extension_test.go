package simnet

import (
	"encoding/hex"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/frame"
)

func TestExtensionBytes(t *testing.T) {
	for _, c := range []struct {
		reply string
		probe frame.Probe
		rest  uint32 // second word of the ICMP header
		at    int    // where the structure starts in the message body
		want  string
	}{
		{"te from 10.1.1.1 mpls 100/2/1/3", udp4(1), 32 << 16, 128, "200099ed 00080101 00064503"},
		{"te from 10.1.1.1 mpls 100/2/1/3 extsum zero", udp4(1), 32 << 16, 128, "20000000 00080101 00064503"},
		{"te from 10.1.1.1 mpls 100/2/1/3 length zero", udp4(1), 0, 128, "200099ed 00080101 00064503"},
		{"te from 10.1.1.1 mpls 100/2/1/3 length 7", udp4(1), 7 << 16, 128, "200099ed 00080101 00064503"},
		{"te from 10.1.1.1 mpls 100/2/1/3 quote 60", udp4(1), 15 << 16, 60, "200099ed 00080101 00064503"},
		{"te from 10.1.1.1 extversion 1 extsum zero object 3/0", udp4(1), 32 << 16, 128, "10000000 00040300"},
		{"te from 10.1.1.1 extsum zero mpls 100/2/0/3,200/0/1/255 object 2/6 01020304aabbccdd", udp4(1), 32 << 16, 128,
			"20000000 000c0101 00064403 000c81ff 000c0206 01020304 aabbccdd"},
		{"te from 10.1.1.1 ext 2000000000060101ffff", udp4(1), 32 << 16, 128, "20000000 00060101 ffff"},
		{"te from fd01::1 extsum zero object 3/0", udp6(1), 16 << 24, 128, "20000000 00040300"},
	} {
		t.Run(c.reply, func(t *testing.T) {
			got := one(t, responder(t, "hop 1 "+c.reply), build(t, c.probe))
			header := ethernetLen + ipv4HeaderLen
			if c.probe.Src.Is6() {
				header = ethernetLen + ipv6HeaderLen
			}
			want, err := hex.DecodeString(compact(c.want))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got[header+icmpHeaderLen+c.at:]); diff != "" {
				t.Errorf("structure (-want +got):\n%s", diff)
			}
			if rest := getBits(got[header:], bits{32, 32}); rest != uint64(c.rest) {
				t.Errorf("second word %#x, want %#x", rest, c.rest)
			}
		})
	}
}

// TestExtensionDecodes lets the codec find what a script says.
func TestExtensionDecodes(t *testing.T) {
	for line, want := range map[string]error{
		"mpls 100/2/1/3":              nil,
		"mpls 100/2/1/3 length zero":  nil,
		"mpls 100/2/1/3 extsum bad":   frame.ErrExtensionChecksum,
		"mpls 100/2/1/3 extversion 1": frame.ErrExtensionVersion,
		"ext 2000000000060101ffff":    frame.ErrExtensionObject,
	} {
		var reply frame.Reply
		frame.Decode(one(t, responder(t, "hop 1 te from 10.1.1.1 "+line), build(t, udp4(1))), frame.LinkEthernet, false, &reply)
		if err := frame.Valid(reply.Ext); err != want {
			t.Errorf("%s: %v, want %v", line, err, want)
		}
	}
}

// compact takes the blanks out.
func compact(s string) string {
	var b []byte
	for i := range len(s) {
		if s[i] != ' ' {
			b = append(b, s[i])
		}
	}
	return string(b)
}
