package main

import (
	"net/netip"
	"testing"

	"github.com/mdlayher/packet"
	"golang.org/x/sys/unix"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/frame"
)

// answerWith plays routers behind r1 that answer probes for the far host with
// an error, given without its addresses and quote. r2, in whose place they
// stand, becomes silent.
func answerWith(t *testing.T, n *lab.Net, m frame.ErrorMessage) {
	t.Helper()
	routers := map[netip.Addr]netip.Addr{netip.MustParseAddr("192.168.120.20"): netip.MustParseAddr("10.1.2.1")}
	if n.HasIPv6() {
		routers[netip.MustParseAddr("fd00:120::20")] = netip.MustParseAddr("fd01:2::1")
	}
	for dst := range routers {
		route := lab.Route{Dst: netip.PrefixFrom(dst, dst.BitLen()), Type: lab.Blackhole}
		if err := n.Host("r2").AddRoute(route); err != nil {
			t.Fatal(err)
		}
	}
	c, mac, err := openPacket(n.Host("r1"), "veth1-r1", unix.ETH_P_ALL, nil)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() {
		c.Close()
		<-done
	})
	go func() {
		defer close(done)
		buf := make([]byte, 1<<16)
		for {
			n, _, err := c.ReadFrom(buf)
			if err != nil {
				return // closed
			}
			d, _ := decodeIP(buf[:n])
			if d == nil || d.TTL < 2 || !routers[d.Dst].IsValid() {
				continue
			}
			m.Link = frame.Link{Type: frame.LinkEthernet, Src: [6]byte(mac), Dst: [6]byte(buf[6:12])}
			m.From, m.To, m.TTL, m.Quote = routers[d.Dst], d.Src, 63, buf[14:n]
			if _, err := c.WriteTo(m.Append(nil), &packet.Addr{HardwareAddr: m.Link.Dst[:]}); err != nil {
				return
			}
		}
	}()
}
