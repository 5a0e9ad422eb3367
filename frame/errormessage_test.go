package frame

import (
	"bytes"
	"fmt"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// serializeAll gives gopacket's bytes of the layers, without the padding of
// short Ethernet frames.
func serializeAll(t testing.TB, length int, ls ...gopacket.SerializableLayer) []byte {
	t.Helper()
	buf := gopacket.NewSerializeBuffer()
	must(t, gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, ls...))
	return buf.Bytes()[:length]
}

// replyLayers gives the layers below the transport of a frame to src4 or src6.
func replyLayers(link Link, from, to netip.Addr, protocol layers.IPProtocol) (ls []gopacket.SerializableLayer, network gopacket.NetworkLayer) {
	kind := layers.EthernetTypeIPv4
	if from.Is6() {
		kind = layers.EthernetTypeIPv6
	}
	if link.Type == LinkEthernet {
		ls = append(ls, &layers.Ethernet{SrcMAC: link.Src[:], DstMAC: link.Dst[:], EthernetType: kind})
	}
	if from.Is6() {
		ip := &layers.IPv6{
			Version: 6, TrafficClass: 0xc0, NextHeader: protocol, HopLimit: 250,
			SrcIP: from.AsSlice(), DstIP: to.AsSlice(),
		}
		return append(ls, ip), ip
	}
	ip := &layers.IPv4{
		Version: 4, TOS: 0xc0, Id: 0x1234, TTL: 250, Protocol: protocol,
		SrcIP: from.AsSlice(), DstIP: to.AsSlice(),
	}
	return append(ls, ip), ip
}

func TestErrorMessage(t *testing.T) {
	ext := []byte{0x20, 0, 0xdf, 0xff, 0, 8, 1, 1, 0, 1, 1, 1}
	for _, v6 := range []bool{false, true} {
		for _, link := range []Link{{}, ethernet} {
			for _, n := range []int{0, 28, 29, 128} {
				p := fullProbe(UDP, v6, 1500)
				m := ErrorMessage{
					Link: link, From: dst4, To: src4, TTL: 250, TOS: 0xc0, ID: 0x1234,
					Type: 11, Code: 1, Rest: 0x00200102, Quote: putFresh(t, Link{}, &p)[:n],
				}
				if v6 {
					m.From, m.To, m.Type = dst6, src6, 3
				}
				if n == 128 {
					m.Ext = ext
				}
				body := append(append([]byte{0, 0x20, 1, 2}, m.Quote...), m.Ext...)
				var want []byte
				length := link.Type.HeaderLen() + ipHeaderLen(v6) + 4 + len(body)
				if v6 {
					ls, ip := replyLayers(link, m.From, m.To, layers.IPProtocolICMPv6)
					icmp := &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(3, 1)}
					must(t, icmp.SetNetworkLayerForChecksum(ip))
					want = serializeAll(t, length, append(ls, icmp, gopacket.Payload(body))...)
				} else {
					ls, _ := replyLayers(link, m.From, m.To, layers.IPProtocolICMPv4)
					icmp := &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(11, 1), Id: 0x0020, Seq: 0x0102}
					want = serializeAll(t, length, append(ls, icmp, gopacket.Payload(body[4:]))...)
				}
				prefix := []byte("before")
				got := m.Append(bytes.Clone(prefix))
				if diff := cmp.Diff(append(prefix, want...), got); diff != "" {
					t.Errorf("%s link %d quote %d (-gopacket +got):\n%s", familyName(v6), link.Type, n, diff)
				}
			}
		}
	}
}

func TestAnswer(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		for _, link := range []Link{{}, ethernet} {
			for _, payload := range [][]byte{nil, []byte("odd")} {
				for _, m := range []Method{UDP, ICMP, TCP} {
					a := Answer{
						Link: link, From: dst4, To: src4, TTL: 250, TOS: 0xc0, ID: 0x1234, Method: m,
						SrcPort: 33434, DstPort: 54321, Seq: 0xdeadbeef, Ack: 0x01020304,
						Flags: FlagSYN | FlagACK, Window: 0x4321, Payload: payload,
					}
					if v6 {
						a.From, a.To = dst6, src6
					}
					length := link.Type.HeaderLen() + MinSize(m, v6) + len(payload)
					want := serializeAll(t, length, answerLayers(t, link, &a)...)
					if diff := cmp.Diff(want, a.Append(nil)); diff != "" {
						t.Errorf("%s (-gopacket +got):\n%s", fmt.Sprint(m, familyName(v6), link.Type, len(payload)), diff)
					}
				}
			}
		}
	}
}

// answerLayers gives a's layers as gopacket has them.
func answerLayers(t testing.TB, link Link, a *Answer) []gopacket.SerializableLayer {
	t.Helper()
	protocol := layers.IPProtocol(protocolOf(a.Method, a.From.Is6()))
	ls, ip := replyLayers(link, a.From, a.To, protocol)
	switch {
	case a.Method == UDP:
		udp := &layers.UDP{SrcPort: 33434, DstPort: 54321}
		must(t, udp.SetNetworkLayerForChecksum(ip))
		ls = append(ls, udp)
	case a.Method == TCP:
		tcp := &layers.TCP{
			SrcPort: 33434, DstPort: 54321, Seq: a.Seq, Ack: a.Ack, SYN: true, ACK: true, Window: a.Window,
		}
		must(t, tcp.SetNetworkLayerForChecksum(ip))
		ls = append(ls, tcp)
	case a.From.Is6():
		icmp := &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(129, 0)}
		must(t, icmp.SetNetworkLayerForChecksum(ip))
		ls = append(ls, icmp, &layers.ICMPv6Echo{Identifier: 33434, SeqNumber: 0xbeef})
	default:
		ls = append(ls, &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(0, 0), Id: 33434, Seq: 0xbeef})
	}
	return append(ls, gopacket.Payload(a.Payload))
}

func TestAnswerZeroChecksum(t *testing.T) {
	a := Answer{From: dst4, To: src4, Method: UDP}
	found := 0
	for port := range 1 << 16 {
		a.SrcPort = uint16(port)
		udp := a.Append(nil)[20:]
		if udp[6] == 0 && udp[7] == 0 {
			t.Errorf("port %d: UDP checksum 0", port)
		}
		if udp[6] == 0xff && udp[7] == 0xff {
			found++
		}
	}
	if found == 0 {
		t.Error("no port gives a sum of 0")
	}
}

// What can't be a packet leaves dst as it was.
func TestAppendRefuses(t *testing.T) {
	dst := []byte("before")
	big := make([]byte, MaxSize)
	for name, got := range map[string][]byte{
		"error without addresses": (&ErrorMessage{}).Append(dst),
		"error without target":    (&ErrorMessage{From: src4}).Append(dst),
		"error of two families":   (&ErrorMessage{From: src4, To: src6}).Append(dst),
		"error too long":          (&ErrorMessage{From: src4, To: dst4, Quote: big}).Append(dst),
		"answer without method":   (&Answer{From: src4, To: dst4}).Append(dst),
		"answer of two families":  (&Answer{From: src6, To: src4, Method: TCP}).Append(dst),
		"answer too long":         (&Answer{From: src6, To: dst6, Method: UDP, Payload: big}).Append(dst),
	} {
		if string(got) != "before" {
			t.Errorf("%s: %d bytes, want dst unchanged", name, len(got))
		}
	}
}

func TestAppendAllocatesNothing(t *testing.T) {
	buf := make([]byte, 0, 2048)
	m := ErrorMessage{From: dst6, To: src6, Type: 3, Quote: make([]byte, 1232)}
	a := Answer{From: dst4, To: src4, Method: TCP}
	if n := testing.AllocsPerRun(100, func() { a.Append(m.Append(buf)) }); n != 0 {
		t.Errorf("Append allocates %v times", n)
	}
}
