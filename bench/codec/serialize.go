package codec

import (
	"net"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/hopquote/hopquote/frame"
)

// serializer builds the frames of probes by gopacket.
type serializer struct {
	probe   frame.Probe
	anew    bool // layers and buffer made for each probe
	payload gopacket.Payload
	made    []gopacket.SerializableLayer
	buffer  gopacket.SerializeBuffer
	ttl     *uint8
	ports   func(src uint16)
	frame   []byte
	err     error
}

func newSerializer(p frame.Probe, anew bool) *serializer {
	s := &serializer{probe: p, anew: anew, buffer: gopacket.NewSerializeBuffer()}
	if n := p.Size - p.HeaderLen(); p.Size > 0 && n > 0 {
		s.payload = make(gopacket.Payload, n)
		from := 0 // where frame.PayloadPattern begins
		if p.Method == frame.ICMP {
			from = 8
		}
		for i := range s.payload {
			s.payload[i] = byte(0x40 + (from+i)%64)
		}
	}
	s.makeLayers()
	return s
}

// makeLayers makes the layers of the probe, and the ways to change them.
func (s *serializer) makeLayers() {
	p := &s.probe
	eth := &layers.Ethernet{SrcMAC: ethernet.Src[:], DstMAC: ethernet.Dst[:], EthernetType: layers.EthernetTypeIPv4}
	var ip gopacket.SerializableLayer
	var network gopacket.NetworkLayer
	protocol := map[frame.Method]layers.IPProtocol{
		frame.UDP: layers.IPProtocolUDP, frame.TCP: layers.IPProtocolTCP, frame.ICMP: layers.IPProtocolICMPv4,
	}[p.Method]
	if p.IsIPv6() {
		eth.EthernetType = layers.EthernetTypeIPv6
		if p.Method == frame.ICMP {
			protocol = layers.IPProtocolICMPv6
		}
		v6 := &layers.IPv6{
			Version: 6, HopLimit: p.TTL, NextHeader: protocol,
			SrcIP: net.IP(p.Src.AsSlice()), DstIP: net.IP(p.Dst.AsSlice()), FlowLabel: p.Label,
		}
		ip, network, s.ttl = v6, v6, &v6.HopLimit
	} else {
		v4 := &layers.IPv4{
			Version: 4, IHL: 5, Id: p.ID, TTL: p.TTL, Protocol: protocol,
			SrcIP: net.IP(p.Src.AsSlice()), DstIP: net.IP(p.Dst.AsSlice()),
		}
		ip, network, s.ttl = v4, v4, &v4.TTL
	}
	s.made = append([]gopacket.SerializableLayer{eth, ip}, s.transport(network)...)
	if len(s.payload) > 0 {
		s.made = append(s.made, s.payload)
	}
}

func (s *serializer) transport(network gopacket.NetworkLayer) []gopacket.SerializableLayer {
	p := &s.probe
	switch {
	case p.Method == frame.UDP:
		udp := &layers.UDP{SrcPort: layers.UDPPort(p.SrcPort), DstPort: layers.UDPPort(p.DstPort)}
		_ = udp.SetNetworkLayerForChecksum(network)
		s.ports = func(src uint16) { udp.SrcPort = layers.UDPPort(src) }
		return []gopacket.SerializableLayer{udp}
	case p.Method == frame.TCP:
		tcp := &layers.TCP{SrcPort: layers.TCPPort(p.SrcPort), DstPort: layers.TCPPort(p.DstPort), Seq: p.Seq, SYN: true, Window: p.TCP.Window}
		_ = tcp.SetNetworkLayerForChecksum(network)
		s.ports = func(src uint16) { tcp.SrcPort = layers.TCPPort(src) }
		return []gopacket.SerializableLayer{tcp}
	case p.IsIPv6():
		icmp := &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(layers.ICMPv6TypeEchoRequest, 0)}
		_ = icmp.SetNetworkLayerForChecksum(network)
		echo := &layers.ICMPv6Echo{Identifier: p.SrcPort, SeqNumber: uint16(p.Seq)}
		s.ports = func(src uint16) { echo.Identifier = src }
		return []gopacket.SerializableLayer{icmp, echo}
	}
	icmp := &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(layers.ICMPv4TypeEchoRequest, 0), Id: p.SrcPort, Seq: uint16(p.Seq)}
	s.ports = func(src uint16) { icmp.Id = src }
	return []gopacket.SerializableLayer{icmp}
}

// run is a body.
func (s *serializer) run(n int) {
	options := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	for range n {
		s.probe.TTL++
		s.probe.SrcPort++
		if s.anew {
			s.makeLayers()
			s.buffer = gopacket.NewSerializeBuffer()
		} else {
			*s.ttl = s.probe.TTL
			s.ports(s.probe.SrcPort)
		}
		if err := gopacket.SerializeLayers(s.buffer, options, s.made...); err != nil {
			s.err = err
			return
		}
	}
	s.frame = s.buffer.Bytes()
	// gopacket pads Ethernet frames to 60 bytes.
	if want := ethernet.Type.HeaderLen() + s.ipLen(); len(s.frame) > want {
		s.frame = s.frame[:want]
	}
}

func (s *serializer) ipLen() int {
	if s.probe.Size > 0 {
		return s.probe.Size
	}
	return s.probe.HeaderLen()
}
