package link_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/frame/link"
	"golang.org/x/sys/unix"
)

// listenUDP opens a socket inside the host that closes with the test.
func listenUDP(t testing.TB, h *lab.Host, at string) *net.UDPConn {
	t.Helper()
	var c *net.UDPConn
	in(t, h, func() (err error) {
		c, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(at)))
		return err
	})
	t.Cleanup(func() { c.Close() })
	c.SetReadBuffer(1 << 20)
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	return c
}

func TestSendBatchArrives(t *testing.T) {
	n := openLine(t)
	h1, h2 := n.Host("h1"), n.Host("h2")
	for _, bypass := range []bool{false, true} {
		for _, dst := range []string{"192.168.120.20", "fd00:120::20"} {
			t.Run(fmt.Sprintf("%s bypass %v", dst, bypass), func(t *testing.T) {
				c := listenUDP(t, h2, netip.AddrPortFrom(addr(dst), 7).String())
				e := lookup(t, h1, link.Want{Dst: addr(dst)})
				s := openSender(t, h1, e, link.SenderConfig{Bypass: bypass})
				if !s.Resolve(t.Context()) {
					t.Fatal("the next hop did not resolve")
				}
				const count = 200
				frames := make([][]byte, count)
				for i := range frames {
					frames[i] = udp(t, e, 40000, 7, fmt.Sprint(i))
				}
				if n, err := s.Send(frames); n != count || err != nil {
					t.Fatalf("sent %d, %v", n, err)
				}
				buf := make([]byte, 100)
				for i := range count {
					n, from, err := c.ReadFromUDPAddrPort(buf)
					if err != nil {
						t.Fatalf("after %d datagrams: %v", i, err)
					}
					want := netip.AddrPortFrom(e.Src, 40000)
					if got := string(buf[:n]); got != fmt.Sprint(i) || from.Addr().Unmap() != want.Addr() || from.Port() != want.Port() {
						t.Fatalf("datagram %d is %q from %v", i, got, from)
					}
				}
			})
		}
	}
}

// TestSendLocal looks at what the raw IP socket makes of packets: nothing.
func TestSendLocal(t *testing.T) {
	n := openLine(t)
	h1 := n.Host("h1")
	const payload = "more than Ethernet pads short frames to"
	h1Local := linkLocal(t, h1, "veth1-h1")
	tests := []struct {
		name string
		want link.Want
		on   string
	}{
		{"loopback", link.Want{Dst: addr("127.0.0.1")}, "lo"},
		{"loopback's net", link.Want{Dst: addr("127.1.2.3")}, "lo"},
		{"own address", link.Want{Dst: addr("192.168.100.10")}, "lo"},
		{"own address by interface", link.Want{Dst: addr("192.168.100.10"), Interface: "veth1-h1"}, "lo"},
		{"IPv6 loopback", link.Want{Dst: addr("::1")}, "lo"},
		{"IPv6 own address", link.Want{Dst: addr("fd00:100::10")}, "lo"},
		{"IPv6 link-local", link.Want{Dst: h1Local.WithZone("veth1-h1")}, "lo"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := lookup(t, h1, tt.want)
			if !e.Local {
				t.Fatal("not local")
			}
			at := netip.AddrPortFrom(e.Dst, 7)
			if e.Dst.IsLinkLocalUnicast() {
				at = netip.AddrPortFrom(e.Dst.WithZone(e.Zone), 7)
			}
			c := listenUDP(t, h1, at.String())
			seen := newCapture(t, h1, tt.on)
			s := openSender(t, h1, e, link.SenderConfig{})
			if !s.Resolve(t.Context()) {
				t.Error("a local destination must need no resolving")
			}
			f := udp(t, e, 40000, 7, payload)
			if n, err := s.Send([][]byte{f}); n != 1 || err != nil {
				t.Fatalf("sent %d, %v", n, err)
			}
			got := seen.until("packet", isTo(7))[14:]
			if diff := cmp.Diff(hex.EncodeToString(f[14:]), hex.EncodeToString(got)); diff != "" {
				t.Errorf("packet (-built +seen):\n%s", diff)
			}
			buf := make([]byte, 100)
			if n, err := c.Read(buf); err != nil || string(buf[:n]) != payload {
				t.Errorf("read %q, %v", buf[:n], err)
			}
		})
	}
}

func TestSendErrors(t *testing.T) {
	n := openLine(t)
	h1 := n.Host("h1")
	for _, dst := range []string{"192.168.120.20", "127.0.0.1"} {
		e := lookup(t, h1, link.Want{Dst: addr(dst)})
		s := openSender(t, h1, e, link.SenderConfig{})
		if !s.Resolve(t.Context()) {
			t.Fatal("the next hop did not resolve")
		}
		good, long := udp(t, e, 40000, 7, ""), make([]byte, 1<<17)
		copy(long, good)
		n, err := s.Send([][]byte{good, long, good})
		if n != 1 || !errors.Is(err, unix.EMSGSIZE) || err.Error() != "send: Message too long" {
			t.Errorf("%s: long frame: %d, %v; want 1, EMSGSIZE", dst, n, err)
		}
		n, err = s.Send([][]byte{good, good[:10]})
		if n != 1 || !errors.Is(err, unix.EINVAL) {
			t.Errorf("%s: short frame: %d, %v; want 1, EINVAL", dst, n, err)
		}
	}
	e := lookup(t, h1, link.Want{Dst: addr("192.168.120.20")})
	s := openSender(t, h1, e, link.SenderConfig{})
	s.Resolve(t.Context())
	if err := h1.SetLink("veth1-h1", false); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Send([][]byte{udp(t, e, 40000, 7, "")}); n != 0 || !errors.Is(err, unix.ENETDOWN) {
		t.Errorf("interface down: %d, %v; want 0, ENETDOWN", n, err)
	}
}

func TestSendAllocatesNothing(t *testing.T) {
	h1 := openLine(t).Host("h1")
	for _, dst := range []string{"192.168.100.20", "fd00:100::20", "127.0.0.1"} {
		e := lookup(t, h1, link.Want{Dst: addr(dst)})
		s := openSender(t, h1, e, link.SenderConfig{})
		if !s.Resolve(t.Context()) {
			t.Fatal("the next hop did not resolve")
		}
		frames := make([][]byte, 64)
		for i := range frames {
			frames[i] = udp(t, e, 40000, 9, "")
		}
		if allocs := testing.AllocsPerRun(20, func() { s.Send(frames) }); allocs != 0 {
			t.Errorf("%s: %v allocations", dst, allocs)
		}
	}
}

func BenchmarkSend(b *testing.B) {
	h1 := openLine(b).Host("h1")
	for _, dst := range []string{"192.168.100.20", "127.0.0.1"} {
		for _, size := range []int{1, 64, 256} {
			b.Run(fmt.Sprintf("%s/batch=%d", dst, size), func(b *testing.B) {
				e := lookup(b, h1, link.Want{Dst: addr(dst)})
				s := openSender(b, h1, e, link.SenderConfig{})
				s.Resolve(b.Context())
				frames := make([][]byte, size)
				for i := range frames {
					frames[i] = udp(b, e, 40000, 9, "")
				}
				b.ReportAllocs()
				for b.Loop() {
					if _, err := s.Send(frames); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*size), "ns/frame")
			})
		}
	}
}
