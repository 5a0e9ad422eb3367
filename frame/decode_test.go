package frame

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var compareAddrs = cmp.Comparer(func(a, b netip.Addr) bool { return a == b })

// decode decodes into a Reply full of leftovers, which Decode must clear.
func decode(b []byte, link LinkType, offloaded bool) Reply {
	r := Reply{
		Kind: 0xff, From: targetAddr6, To: targetAddr6, TTL: 0xff, TOS: 0xff, ID: 0xffff, Size: -1, Protocol: 0xff,
		Checksum: 0xff, Type: 0xff, Code: 0xff, MTU: 1, SrcPort: 1, DstPort: 1, Seq: 1, Ack: 1, Flags: 1, Mark: 1, Marked: true,
		Ext: []byte{1}, ExtCompliant: true, Body: []byte{1},
		Quote: Quote{
			Bytes: -1, Transport: -1, Malformed: true, Fragment: true, Protocol: 1, Method: 9,
			Src: targetAddr6, Dst: targetAddr6, TTL: 1, TOS: 1, ID: 1, DF: true, Length: 1, Label: 1,
			SrcPort: 1, DstPort: 1, Seq: 1, Checksum: 1, Mark: 1, Marked: true,
		},
	}
	Decode(b, link, offloaded, &r)
	return r
}

func TestDecodeLink(t *testing.T) {
	answer := answerToProbe(UDP, false)
	ip4 := answer.Append(nil)
	answer6 := answerToProbe(UDP, true)
	ip6 := answer6.Append(nil)
	macs := []byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2}
	ethernet := func(head []byte, ip ...byte) []byte { return slices.Concat(macs, head, ip) }

	for _, c := range []struct {
		name  string
		link  LinkType
		frame []byte
		want  Kind
	}{
		{"raw IPv4", LinkRaw, ip4, KindUDP},
		{"raw IPv6", LinkRaw, ip6, KindUDP},
		{"raw, nothing", LinkRaw, nil, KindTruncated},
		{"raw, version 5", LinkRaw, append([]byte{0x55}, ip4[1:]...), KindNone},
		{"Ethernet IPv4", LinkEthernet, ethernet([]byte{0x08, 0x00}, ip4...), KindUDP},
		{"Ethernet IPv6", LinkEthernet, ethernet([]byte{0x86, 0xdd}, ip6...), KindUDP},
		{"Ethernet, nothing", LinkEthernet, nil, KindTruncated},
		{"Ethernet header cut", LinkEthernet, macs, KindTruncated},
		{"Ethernet header only", LinkEthernet, ethernet([]byte{0x08, 0x00}), KindTruncated},
		{"Ethernet ARP", LinkEthernet, ethernet([]byte{0x08, 0x06}, ip4...), KindNone},
		{"Ethernet 802.3 length", LinkEthernet, ethernet([]byte{0x00, 0x2e}, ip4...), KindNone},
		{"EtherType IPv4, version 6", LinkEthernet, ethernet([]byte{0x08, 0x00}, ip6...), KindMalformed},
		{"EtherType IPv6, version 4", LinkEthernet, ethernet([]byte{0x86, 0xdd}, append(ip4, make([]byte, 40)...)...), KindMalformed},
		{"VLAN", LinkEthernet, ethernet([]byte{0x81, 0x00, 0, 7, 0x08, 0x00}, ip4...), KindUDP},
		{"VLAN in VLAN", LinkEthernet, ethernet([]byte{0x88, 0xa8, 0, 9, 0x81, 0x00, 0, 7, 0x86, 0xdd}, ip6...), KindUDP},
		{"three VLAN tags", LinkEthernet, ethernet([]byte{0x88, 0xa8, 0, 9, 0x81, 0, 0, 7, 0x81, 0, 0, 8, 0x08, 0x00}, ip4...), KindNone},
		{"VLAN tag cut", LinkEthernet, ethernet([]byte{0x81, 0x00, 0, 7, 0x08}), KindTruncated},
		{"second VLAN tag cut", LinkEthernet, ethernet([]byte{0x81, 0x00, 0, 7, 0x81, 0x00, 0}), KindTruncated},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := decode(c.frame, c.link, false)
			if got.Kind != c.want {
				t.Fatalf("Kind = %d, want %d", got.Kind, c.want)
			}
			if c.want == KindUDP && got.Checksum != ChecksumGood {
				t.Errorf("Checksum = %d, want good", got.Checksum)
			}
		})
	}
}

func TestDecodePadding(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		m := errorOfKind(timeExceeded, v6)
		m.Link.Type = LinkEthernet
		m.Quote = probePacket(t, quotedProbe(UDP, v6))
		b := m.Append(nil)
		want := decode(b, LinkEthernet, false)
		got := decode(append(b, "these are no bytes of ours"...), LinkEthernet, false)
		if diff := cmp.Diff(want, got, compareAddrs); diff != "" {
			t.Errorf("IPv6 %t: padding changes the reply (-without +with):\n%s", v6, diff)
		}
	}
}

func TestDecodeOtherProtocols(t *testing.T) {
	for _, c := range []struct {
		name     string
		v6       bool
		protocol uint8
		want     Kind
	}{
		{"IPv4 SCTP", false, 132, KindRaw},
		{"IPv4 with ICMPv6", false, protoICMPv6, KindRaw},
		{"IPv4 with an IPv6 extension header number", false, extDestination, KindRaw},
		{"IPv6 with ICMP", true, protoICMP, KindRaw},
		{"IPv6 no next header", true, 59, KindRaw},
		{"IPv6 AH", true, 51, KindRaw},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := answerToProbe(UDP, c.v6)
			b := a.Append(nil)
			if c.v6 {
				b[ipv6NextHeaderAt] = c.protocol
			} else {
				b[ipv4ProtocolAt] = c.protocol
			}
			got := decode(b, LinkRaw, false)
			want := Reply{Kind: c.want, From: a.From, To: a.To, TTL: a.TTL, TOS: a.TOS, ID: a.ID, Size: len(b), Protocol: c.protocol}
			if diff := cmp.Diff(want, got, compareAddrs); diff != "" {
				t.Errorf("reply (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeAllocatesNothing(t *testing.T) {
	for name, b := range framesOfAllKinds(t) {
		var r Reply
		if n := testing.AllocsPerRun(100, func() { Decode(b, LinkEthernet, false, &r) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
