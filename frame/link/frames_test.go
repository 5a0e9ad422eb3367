package link_test

import (
	"net"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/frame/link"
	"github.com/mdlayher/packet"
	"golang.org/x/sys/unix"
)

// build makes a frame for the envelope around a transport layer and payload.
func build(t testing.TB, e link.Envelope, ttl uint8, transport gopacket.SerializableLayer, payload string) []byte {
	t.Helper()
	var ls []gopacket.SerializableLayer
	v6 := e.Dst.Is6()
	if e.Header.Type == frame.LinkEthernet {
		eth := &layers.Ethernet{SrcMAC: e.Header.Src[:], DstMAC: make([]byte, 6), EthernetType: layers.EthernetTypeIPv4}
		if v6 {
			eth.EthernetType = layers.EthernetTypeIPv6
		}
		ls = append(ls, eth)
	}
	proto := layers.IPProtocolUDP
	if _, ok := transport.(*layers.TCP); ok {
		proto = layers.IPProtocolTCP
	}
	var network gopacket.NetworkLayer
	if v6 {
		ip := &layers.IPv6{Version: 6, HopLimit: ttl, NextHeader: proto, TrafficClass: 0x28, FlowLabel: 0x12345,
			SrcIP: e.Src.AsSlice(), DstIP: e.Dst.AsSlice()}
		network, ls = ip, append(ls, ip)
	} else {
		ip := &layers.IPv4{Version: 4, TTL: ttl, Protocol: proto, TOS: 0x28, Id: 0xabcd,
			SrcIP: e.Src.AsSlice(), DstIP: e.Dst.AsSlice()}
		network, ls = ip, append(ls, ip)
	}
	transport.(interface {
		SetNetworkLayerForChecksum(gopacket.NetworkLayer) error
	}).SetNetworkLayerForChecksum(network)
	buf := gopacket.NewSerializeBuffer()
	opts := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	if err := gopacket.SerializeLayers(buf, opts, append(ls, transport, gopacket.Payload(payload))...); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func udp(t testing.TB, e link.Envelope, src, dst uint16, payload string) []byte {
	t.Helper()
	return build(t, e, 9, &layers.UDP{SrcPort: layers.UDPPort(src), DstPort: layers.UDPPort(dst)}, payload)
}

// capture sees every frame of an interface, sent and received.
type capture struct {
	t    testing.TB
	conn *packet.Conn
}

func newCapture(t testing.TB, h *lab.Host, name string) *capture {
	t.Helper()
	c := &capture{t: t}
	in(t, h, func() error {
		ifi, err := net.InterfaceByName(name)
		if err != nil {
			return err
		}
		c.conn, err = packet.Listen(ifi, packet.Raw, unix.ETH_P_ALL, nil)
		return err
	})
	t.Cleanup(func() { c.conn.Close() })
	return c
}

// until gives the first frame that is wanted, and fails when none comes.
func (c *capture) until(what string, wanted func(frame []byte) bool) []byte {
	c.t.Helper()
	c.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	buf := make([]byte, 1<<16)
	for {
		n, _, err := c.conn.ReadFrom(buf)
		if err != nil {
			c.t.Fatalf("no %s: %v", what, err)
		}
		if wanted(buf[:n]) {
			return buf[:n]
		}
	}
}

// isTo tells whether a frame is UDP or TCP with the destination port.
func isTo(port uint16) func([]byte) bool {
	return func(f []byte) bool {
		if len(f) < 14+20+4 {
			return false
		}
		at := 14 + 20
		if f[14]>>4 == 6 {
			at = 14 + 40
		}
		return len(f) >= at+4 && uint16(f[at+2])<<8|uint16(f[at+3]) == port
	}
}
