package frame

import (
	"errors"
	"net"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// serialize lets gopacket build the frame, with the fields that Put writes and
// all checksums zero. A short Ethernet frame comes padded.
func serialize(link Link, p *Probe, size int) ([]byte, error) {
	var ls []gopacket.SerializableLayer
	v6 := p.IsIPv6()
	if link.Type == LinkEthernet {
		eth := &layers.Ethernet{
			SrcMAC:       net.HardwareAddr(link.Src[:]),
			DstMAC:       net.HardwareAddr(link.Dst[:]),
			EthernetType: layers.EthernetTypeIPv4,
		}
		if v6 {
			eth.EthernetType = layers.EthernetTypeIPv6
		}
		ls = append(ls, eth)
	}
	first := p.Dst
	if !p.Route.IsZero() {
		first = p.Route.Gateway(0)
	}
	protocol := layers.IPProtocol(p.protocol())
	if v6 {
		ip := &layers.IPv6{
			Version:      6,
			TrafficClass: p.TOS,
			NextHeader:   protocol,
			SrcIP:        p.Src.AsSlice(),
			DstIP:        first.AsSlice(),
		}
		ls = append(ls, ip)
		if !p.Route.IsZero() {
			// gopacket writes no routing headers.
			ip.NextHeader = extRouting
			ls = append(ls, gopacket.Payload(p.Route.appendRoutingHeader(nil, p.protocol(), p.Dst)))
		}
	} else {
		ip := &layers.IPv4{
			Version:  4,
			TOS:      p.TOS,
			Protocol: protocol,
			SrcIP:    p.Src.AsSlice(),
			DstIP:    first.AsSlice(),
			Options:  p.Route.ipv4Options(p.Dst),
		}
		if p.DF {
			ip.Flags = layers.IPv4DontFragment
		}
		ls = append(ls, ip)
	}
	ls = append(ls, transportLayers(p, size-ipHeaderLen(v6)-p.Route.HeaderLen())...)
	if p.Method.hasPayload() {
		payload := make([]byte, size-p.HeaderLen())
		from := 0
		if p.Method == ICMP {
			from = icmpHeaderLen
		}
		if p.Payload == PayloadPattern || p.Payload == PayloadMark {
			fillPattern(payload, from)
		}
		if p.Body != "" && p.Method != Raw {
			copy(payload[keyedEnd-markAt:], p.Body)
		}
		ls = append(ls, gopacket.Payload(payload))
	}
	buf := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true}, ls...); err != nil {
		return nil, err
	}
	if len(buf.Bytes()) < link.Type.HeaderLen()+size {
		return nil, errors.New("frame came out short")
	}
	return buf.Bytes(), nil
}

// transportLayers gives the headers before the payload, for a transport of n
// bytes. gopacket writes neither UDP-Lite nor DCCP: these are built by hand.
func transportLayers(p *Probe, n int) []gopacket.SerializableLayer {
	switch {
	case p.Method == Raw:
		return []gopacket.SerializableLayer{gopacket.Payload(p.Body)}
	case p.Method == UDPLite:
		return []gopacket.SerializableLayer{gopacket.Payload(p.udpliteHeader(n))}
	case p.Method == DCCP:
		return []gopacket.SerializableLayer{gopacket.Payload(p.dccpRequest())}
	case p.Method == UDP:
		return []gopacket.SerializableLayer{&layers.UDP{}}
	case p.Method == TCP:
		f, ack := p.TCP.Flags, p.TCP.Ack
		if p.TCP.AckSeq {
			ack = 0 // for Put
		}
		return []gopacket.SerializableLayer{&layers.TCP{
			Ack:     ack,
			FIN:     f&FlagFIN != 0,
			SYN:     f&FlagSYN != 0,
			RST:     f&FlagRST != 0,
			PSH:     f&FlagPSH != 0,
			ACK:     f&FlagACK != 0,
			URG:     f&FlagURG != 0,
			ECE:     f&FlagECE != 0,
			CWR:     f&FlagCWR != 0,
			Window:  p.TCP.Window,
			Options: tcpOptions(&p.TCP),
		}}
	case p.IsIPv6():
		echo := layers.CreateICMPv6TypeCode(layers.ICMPv6TypeEchoRequest, 0)
		return []gopacket.SerializableLayer{&layers.ICMPv6{TypeCode: echo}, &layers.ICMPv6Echo{}}
	}
	echo := layers.CreateICMPv4TypeCode(layers.ICMPv4TypeEchoRequest, 0)
	return []gopacket.SerializableLayer{&layers.ICMPv4{TypeCode: echo}}
}
