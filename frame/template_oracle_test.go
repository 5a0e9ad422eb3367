package frame

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

var (
	src4 = netip.MustParseAddr("192.0.2.1")
	dst4 = netip.MustParseAddr("198.51.100.77")
	src6 = netip.MustParseAddr("2001:db8::1")
	dst6 = netip.MustParseAddr("2001:db8:1:2:3:4:5:6")

	ethernet = Link{
		Type: LinkEthernet,
		Src:  [6]byte{2, 0, 0, 0, 0, 1},
		Dst:  [6]byte{2, 0, 0, 0, 0, 2},
	}
)

func sizeName(size int) string { return fmt.Sprintf("%dB", size) }

func familyName(v6 bool) string {
	if v6 {
		return "ipv6"
	}
	return "ipv4"
}

// methods is every method, and withHeader those that have one of their own.
var (
	methods    = []Method{UDP, ICMP, TCP, UDPLite, DCCP, Raw}
	withHeader = methods[:5]
)

// checksumAt is where the methods' headers have their checksum.
var checksumAt = map[Method]int{UDP: 6, ICMP: 2, TCP: 16, UDPLite: 6, DCCP: 6}

// fullProbe gives a probe with every field set that its method and family
// know; size 0 stands for 40 bytes past the IP header, as for TCP anyway.
func fullProbe(m Method, v6 bool, size int) Probe {
	p := Probe{
		Method: m, Src: src4, Dst: dst4, TOS: 0xb9, DF: true, Size: size,
		TTL: 7, ID: 0xbeef, SrcPort: 54321, DstPort: 33434, Seq: 0xdeadbeef,
	}
	if v6 {
		p.Src, p.Dst, p.DF, p.ID, p.Label = src6, dst6, false, 0, 0xabcde
	}
	switch m {
	case UDP:
		p.Seq = 0
	case UDPLite:
		p.Seq, p.Coverage = 0, 20
		if size != 0 {
			p.Coverage = uint16(min(20, size-ipHeaderLen(v6)))
		}
	case DCCP:
		p.Service, p.Size = DefaultService, MinSize(DCCP, v6)
	case Raw:
		p.SrcPort, p.DstPort, p.Seq, p.Protocol = 0, 0, 0, 253
	case ICMP:
		p.DstPort, p.Seq = 0, 0xbeef
	case TCP:
		p.TCP = TCPHeader{
			Flags: FlagSYN, Window: 5840, MSS: 1460, SACK: true,
			Timestamps: true, TSVal: 0x01020304, WScale: true, Shift: 2,
		}
		p.Size = TCPSize(v6, &p.TCP)
	}
	if p.Size == 0 {
		p.Size = ipHeaderLen(v6) + 40
	}
	return p
}

// freshFrame has gopacket serialize p with all checksums in one go, without the
// padding of short Ethernet frames and with a UDP checksum of 0 sent as 0xffff.
//
// For a Sum it does so once with 0 for the balance, and once more with what the
// checksum is then too much, counted modulo 65535. Of the two zeros that ICMP
// has for a checksum, gopacket knows just 0.
func freshFrame(t testing.TB, link Link, p *Probe) []byte {
	t.Helper()
	data := freshPayload(p)
	if !p.Fixed || p.Sum == 0 {
		return freshPacket(t, link, p, data)
	}
	at := link.Type.HeaderLen() + ipHeaderLen(p.Dst.Is6()) + checksumAt[p.Method]
	data[4], data[5] = 0, 0
	sum := binary.BigEndian.Uint16(freshPacket(t, link, p, data)[at:])
	binary.BigEndian.PutUint16(data[4:], uint16((uint32(sum)+0xffff-uint32(p.Sum))%0xffff))
	f := freshPacket(t, link, p, data)
	if p.Method == ICMP && p.Sum == 0xffff && f[at] == 0 && f[at+1] == 0 {
		f[at], f[at+1] = 0xff, 0xff
	}
	return f
}

// freshPayload gives the payload of p, with what its kind has for a balance.
func freshPayload(p *Probe) []byte {
	if p.Method == TCP || p.Method == DCCP {
		return nil
	}
	from := 0
	if p.Method == ICMP {
		from = 8
	}
	b := make([]byte, p.Size-p.HeaderLen())
	for i := range b {
		if p.Payload != PayloadZero {
			b[i] = byte(0x40 | (from+i)%64)
		}
	}
	if p.Method != Raw && p.Body != "" {
		copy(b[6:], p.Body)
	}
	if p.Payload == PayloadMark {
		binary.BigEndian.PutUint32(b, p.Mark)
	}
	return b
}

func freshPacket(t testing.TB, link Link, p *Probe, data []byte) []byte {
	t.Helper()
	v6 := p.Dst.Is6()
	var ls []gopacket.SerializableLayer
	var network gopacket.NetworkLayer
	head := 0
	if link.Type == LinkEthernet {
		head = 14
		kind := layers.EthernetTypeIPv4
		if v6 {
			kind = layers.EthernetTypeIPv6
		}
		ls = append(ls, &layers.Ethernet{SrcMAC: link.Src[:], DstMAC: link.Dst[:], EthernetType: kind})
	}
	next := map[Method]layers.IPProtocol{
		UDP: layers.IPProtocolUDP, TCP: layers.IPProtocolTCP, ICMP: layers.IPProtocolICMPv4,
		UDPLite: layers.IPProtocolUDPLite, DCCP: 33, Raw: layers.IPProtocol(p.Protocol),
	}[p.Method]
	at := head + 20
	if v6 {
		at = head + 40
		if p.Method == ICMP {
			next = layers.IPProtocolICMPv6
		}
		ip := &layers.IPv6{
			Version: 6, TrafficClass: p.TOS, FlowLabel: p.Label & 0xfffff, NextHeader: next,
			HopLimit: p.TTL, SrcIP: p.Src.AsSlice(), DstIP: p.Dst.AsSlice(),
		}
		ls, network = append(ls, ip), ip
	} else {
		ip := &layers.IPv4{
			Version: 4, TOS: p.TOS, Id: p.ID, TTL: p.TTL, Protocol: next,
			SrcIP: p.Src.AsSlice(), DstIP: p.Dst.AsSlice(),
		}
		if p.DF {
			ip.Flags = layers.IPv4DontFragment
		}
		ls, network = append(ls, ip), ip
	}
	switch {
	case p.Method > TCP:
		ls = append(ls, gopacket.Payload(freshTransport(p, data)))
	case p.Method == UDP:
		udp := &layers.UDP{SrcPort: layers.UDPPort(p.SrcPort), DstPort: layers.UDPPort(p.DstPort)}
		must(t, udp.SetNetworkLayerForChecksum(network))
		ls = append(ls, udp)
	case p.Method == TCP:
		f, ack := p.TCP.Flags, p.TCP.Ack
		if p.TCP.AckSeq {
			ack = p.Seq
		}
		tcp := &layers.TCP{
			SrcPort: layers.TCPPort(p.SrcPort), DstPort: layers.TCPPort(p.DstPort),
			Seq: p.Seq, Ack: ack, Window: p.TCP.Window, Options: tcpOptions(&p.TCP),
			FIN: f&1 != 0, SYN: f&2 != 0, RST: f&4 != 0, PSH: f&8 != 0,
			ACK: f&16 != 0, URG: f&32 != 0, ECE: f&64 != 0, CWR: f&128 != 0,
		}
		must(t, tcp.SetNetworkLayerForChecksum(network))
		ls = append(ls, tcp)
	case v6:
		icmp := &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(128, 0)}
		must(t, icmp.SetNetworkLayerForChecksum(network))
		ls = append(ls, icmp, &layers.ICMPv6Echo{Identifier: p.SrcPort, SeqNumber: uint16(p.Seq)})
	default:
		ls = append(ls, &layers.ICMPv4{
			TypeCode: layers.CreateICMPv4TypeCode(8, 0), Id: p.SrcPort, Seq: uint16(p.Seq),
		})
	}
	size := p.Size
	switch {
	case p.Method == TCP:
		size = TCPSize(v6, &p.TCP)
	case p.Method == UDP || p.Method == ICMP:
		ls = append(ls, gopacket.Payload(data))
	}
	buf := gopacket.NewSerializeBuffer()
	must(t, gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, ls...))
	f := buf.Bytes()[:head+size]
	if p.Method == UDP && binary.BigEndian.Uint16(f[at+6:]) == 0 {
		binary.BigEndian.PutUint16(f[at+6:], 0xffff)
	}
	return f
}

// freshTransport builds what gopacket does not, checksum in one go, in the way
// of the RFCs' drawings.
func freshTransport(p *Probe, data []byte) []byte {
	n := p.Size - ipHeaderLen(p.Dst.Is6())
	if p.Method == Raw {
		return data
	}
	var b []byte
	covered := n
	b = binary.BigEndian.AppendUint16(b, p.SrcPort)
	b = binary.BigEndian.AppendUint16(b, p.DstPort)
	if p.Method == UDPLite {
		covered = int(p.Coverage)
		b = binary.BigEndian.AppendUint16(b, p.Coverage)
		b = append(append(b, 0, 0), data...)
	} else {
		b = append(b, 5, 0, 0, 0, 1, 0, 0, 0)
		b = binary.BigEndian.AppendUint32(b, p.Seq)
		b = binary.BigEndian.AppendUint32(b, p.Service)
	}
	next := byte(33)
	if p.Method == UDPLite {
		next = 136
	}
	pseudo := append(p.Src.AsSlice(), p.Dst.AsSlice()...)
	pseudo = binary.BigEndian.AppendUint32(pseudo, uint32(n))
	pseudo = append(pseudo, 0, 0, 0, next)
	sum := ^naiveSum(append(pseudo, b[:covered]...), 0)
	if p.Method == UDPLite && sum == 0 {
		sum = 0xffff
	}
	binary.BigEndian.PutUint16(b[6:], sum)
	return b
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// dirty gives n bytes of 0xff, so that bytes left unwritten show.
func dirty(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = 0xff
	}
	return b
}
