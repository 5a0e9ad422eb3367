package frame

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// oracle reads with gopacket what Decode reads too, as far as gopacket does.
func oracle(t *testing.T, b []byte) (r Reply) {
	t.Helper()
	p := gopacket.NewPacket(b, layers.LayerTypeEthernet, gopacket.Default)
	if err := p.ErrorLayer(); err != nil {
		t.Fatal(err.Error())
	}
	var quoted []byte
	family := layers.LayerTypeIPv4
	for _, l := range p.Layers() {
		switch l := l.(type) {
		case *layers.IPv4:
			r.From, r.To = addrOf(l.SrcIP), addrOf(l.DstIP)
			r.TTL, r.TOS, r.ID, r.Size, r.Protocol = l.TTL, l.TOS, l.Id, int(l.Length), uint8(l.Protocol)
		case *layers.IPv6:
			family = layers.LayerTypeIPv6
			r.From, r.To = addrOf(l.SrcIP), addrOf(l.DstIP)
			r.TTL, r.TOS, r.Size, r.Protocol = l.HopLimit, l.TrafficClass, ipv6HeaderLen+int(l.Length), uint8(l.NextHeader)
		case *layers.ICMPv4:
			r.Type, r.Code = l.TypeCode.Type(), l.TypeCode.Code()
			quoted = l.Payload
			if r.Type == icmpv4EchoReply {
				r.SrcPort, r.DstPort, r.Seq = l.Id, l.Id, uint32(l.Seq)
			}
		case *layers.ICMPv6:
			r.Type, r.Code = l.TypeCode.Type(), l.TypeCode.Code()
			quoted = l.Payload[4:]
		case *layers.ICMPv6Echo:
			r.SrcPort, r.DstPort, r.Seq = l.Identifier, l.Identifier, uint32(l.SeqNumber)
		case *layers.UDP:
			r.SrcPort, r.DstPort = uint16(l.SrcPort), uint16(l.DstPort)
		case *layers.UDPLite:
			r.SrcPort, r.DstPort = uint16(l.SrcPort), uint16(l.DstPort)
		case *layers.TCP:
			r.SrcPort, r.DstPort, r.Seq, r.Ack = uint16(l.SrcPort), uint16(l.DstPort), l.Seq, l.Ack
			r.Flags = l.Contents[tcpFlagsAt]
		}
	}
	if r.Type != 0 && r.Type != icmpv6EchoReply {
		r.Quote, r.Body = oracleQuote(quoted, family), quoted
	}
	return r
}

func oracleQuote(b []byte, family gopacket.LayerType) (q Quote) {
	p := gopacket.NewPacket(b, family, gopacket.Default)
	for _, l := range p.Layers() {
		switch l := l.(type) {
		case *layers.IPv4:
			q.Src, q.Dst, q.Protocol = addrOf(l.SrcIP), addrOf(l.DstIP), uint8(l.Protocol)
			q.TTL, q.TOS, q.ID, q.Length = l.TTL, l.TOS, l.Id, int(l.Length)
			q.DF = l.Flags&layers.IPv4DontFragment != 0
			q.Transport = len(l.Payload)
			q.Bytes = len(l.Contents) + len(l.Payload)
		case *layers.IPv6:
			q.Src, q.Dst, q.Protocol = addrOf(l.SrcIP), addrOf(l.DstIP), uint8(l.NextHeader)
			q.TTL, q.TOS, q.Label, q.Length = l.HopLimit, l.TrafficClass, l.FlowLabel, ipv6HeaderLen+int(l.Length)
			q.Transport = len(l.Payload)
			q.Bytes = len(l.Contents) + len(l.Payload)
		case *layers.UDP:
			q.Method, q.Checksum = UDP, l.Checksum
			q.SrcPort, q.DstPort = uint16(l.SrcPort), uint16(l.DstPort)
		case *layers.UDPLite:
			q.Method, q.Checksum = UDPLite, l.Checksum
			q.SrcPort, q.DstPort = uint16(l.SrcPort), uint16(l.DstPort)
		case *layers.TCP:
			q.Method, q.Checksum, q.Seq = TCP, l.Checksum, l.Seq
			q.SrcPort, q.DstPort = uint16(l.SrcPort), uint16(l.DstPort)
		case *layers.ICMPv4:
			q.Method, q.Checksum, q.SrcPort, q.Seq = ICMP, l.Checksum, l.Id, uint32(l.Seq)
		case *layers.ICMPv6:
			q.Method, q.Checksum = ICMP, l.Checksum
		case *layers.ICMPv6Echo:
			q.SrcPort, q.Seq = l.Identifier, uint32(l.SeqNumber)
		}
	}
	return q
}

func addrOf(ip []byte) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	return a
}

func TestDecodeEqualsGopacket(t *testing.T) {
	for name, b := range framesOfAllKinds(t) {
		if strings.Contains(name, "/dccp") {
			continue // gopacket reads none
		}
		want := oracle(t, b)
		got := decode(b, LinkEthernet, false)
		// gopacket has no words for these.
		want.Kind, want.Checksum, want.MTU = got.Kind, got.Checksum, got.MTU
		want.Ext, want.ExtCompliant = got.Ext, got.ExtCompliant
		if diff := cmp.Diff(want, got, compareAddrs); diff != "" {
			t.Errorf("%s: reply (-gopacket +ours):\n%s", name, diff)
		}
	}
}
