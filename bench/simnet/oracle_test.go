package simnet

import (
	"encoding/binary"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/hopquote/hopquote/frame"
)

// The link addresses of both ends in tests of the responder alone.
var (
	proberMAC = [6]byte{2, 0, 0, 0, 0, 1}
	simMAC    = [6]byte{2, 0, 0, 0, 0, 2}
)

// ends are the lines that every test script starts with.
const ends = "source 10.9.9.1/24 gateway 10.9.9.254\ntarget 10.2.2.2\n" +
	"source fd09:9::1/64 gateway fd09:9::fe\ntarget fd02:2::2\n"

var (
	source4, target4 = netip.MustParseAddr("10.9.9.1"), netip.MustParseAddr("10.2.2.2")
	source6, target6 = netip.MustParseAddr("fd09:9::1"), netip.MustParseAddr("fd02:2::2")
)

// udp4 is a probe that the others in tests differ from.
func udp4(ttl uint8) frame.Probe {
	return frame.Probe{Method: frame.UDP, Src: source4, Dst: target4, Size: 60, TTL: ttl, ID: 7, SrcPort: 40000, DstPort: 33434}
}

func udp6(ttl uint8) frame.Probe {
	p := udp4(ttl)
	p.Src, p.Dst, p.Size, p.ID = source6, target6, 80, 0
	return p
}

func tcp4(ttl, flags uint8) frame.Probe {
	p := udp4(ttl)
	p.Method, p.Size, p.DstPort, p.Seq = frame.TCP, 0, 80, 1000
	p.TCP = frame.TCPHeader{Flags: flags, Ack: 5000}
	return p
}

func icmp4(ttl uint8) frame.Probe {
	p := udp4(ttl)
	p.Method, p.DstPort, p.Seq = frame.ICMP, 0, 3
	return p
}

func icmp6(ttl uint8) frame.Probe {
	p := icmp4(ttl)
	p.Src, p.Dst, p.Size, p.ID = source6, target6, 80, 0
	return p
}

// build makes the frame of a probe.
func build(t testing.TB, p frame.Probe) []byte {
	t.Helper()
	template, err := frame.NewTemplate(frame.Link{Type: frame.LinkEthernet, Src: proberMAC, Dst: simMAC}, &p)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, template.Len())
	template.Put(b, &p)
	return b
}

// responder starts a path with the script lines behind the usual ends.
func responder(t testing.TB, lines string) *Responder {
	t.Helper()
	return NewResponder(must(t, ends+lines), simMAC)
}

// respond gives what answers a frame at time 0.
func respond(r *Responder, f []byte) []Frame {
	frames, _ := r.Respond(0, f, nil)
	return frames
}

// one is respond for a frame with exactly one answer, which has no delay.
func one(t testing.TB, r *Responder, f []byte) []byte {
	t.Helper()
	frames := respond(r, f)
	if len(frames) != 1 || frames[0].After != 0 {
		t.Fatalf("got %d frames, want one at once: %+v", len(frames), r.Counters())
	}
	return frames[0].Data
}

// outer describes the IP header that a reply must have.
type outer struct {
	from, to netip.Addr
	ttl, tos uint8
	id       uint16
}

// wrap makes an expected frame with gopacket, checksums by gopacket too.
func wrap(t testing.TB, o outer, protocol layers.IPProtocol, inner ...gopacket.SerializableLayer) []byte {
	t.Helper()
	eth := &layers.Ethernet{SrcMAC: net.HardwareAddr(simMAC[:]), DstMAC: net.HardwareAddr(proberMAC[:]), EthernetType: layers.EthernetTypeIPv4}
	var ip gopacket.SerializableLayer
	var network gopacket.NetworkLayer
	if o.from.Is4() {
		v4 := &layers.IPv4{Version: 4, IHL: 5, TOS: o.tos, Id: o.id, TTL: o.ttl, Protocol: protocol, SrcIP: o.from.AsSlice(), DstIP: o.to.AsSlice()}
		ip, network = v4, v4
	} else {
		eth.EthernetType = layers.EthernetTypeIPv6
		v6 := &layers.IPv6{Version: 6, TrafficClass: o.tos, HopLimit: o.ttl, NextHeader: protocol, SrcIP: o.from.AsSlice(), DstIP: o.to.AsSlice()}
		ip, network = v6, v6
	}
	for _, l := range inner {
		if c, ok := l.(interface {
			SetNetworkLayerForChecksum(gopacket.NetworkLayer) error
		}); ok {
			if err := c.SetNetworkLayerForChecksum(network); err != nil {
				t.Fatal(err)
			}
		}
	}
	buf := gopacket.NewSerializeBuffer()
	options := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	if err := gopacket.SerializeLayers(buf, options, append([]gopacket.SerializableLayer{eth, ip}, inner...)...); err != nil {
		t.Fatal(err)
	}
	b := buf.Bytes() // padded to what Ethernet asks for
	if o.from.Is4() {
		return b[:ethernetLen+int(binary.BigEndian.Uint16(b[ethernetLen+2:]))]
	}
	return b[:ethernetLen+ipv6HeaderLen+int(binary.BigEndian.Uint16(b[ethernetLen+4:]))]
}

// wrapError makes an expected ICMP error.
func wrapError(t testing.TB, o outer, typ, code uint8, rest uint32, quote []byte) []byte {
	t.Helper()
	if o.from.Is4() {
		return wrap(t, o, layers.IPProtocolICMPv4,
			&layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(typ, code), Id: uint16(rest >> 16), Seq: uint16(rest)}, gopacket.Payload(quote))
	}
	return wrap(t, o, layers.IPProtocolICMPv6, &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(typ, code)},
		gopacket.Payload(append(binary.BigEndian.AppendUint32(nil, rest), quote...)))
}

// quoted is a probe's IP packet as a router quotes it that it reached with
// this TTL.
func quoted(t testing.TB, p frame.Probe, ttl uint8) []byte {
	t.Helper()
	p.TTL = ttl
	return build(t, p)[ethernetLen:]
}

const ms = time.Millisecond
