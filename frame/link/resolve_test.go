package link_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/frame/link"
	"go.uber.org/goleak"
)

// macOf is the hardware address of an interface.
func macOf(t *testing.T, h *lab.Host, name string) []byte {
	t.Helper()
	var mac []byte
	in(t, h, func() error {
		ifi, err := net.InterfaceByName(name)
		if err == nil {
			mac = ifi.HardwareAddr
		}
		return err
	})
	return mac
}

// destinations are what a test sends to: resolved by ARP, by NDP, through an
// IPv6 gateway of an IPv4 route, and for a link-local address.
var destinations = []string{"192.168.120.20", "fd00:120::20", "10.3.0.1", "link-local"}

func destination(t *testing.T, n *lab.Net, name string) link.Want {
	t.Helper()
	switch name {
	case "10.3.0.1":
		ip(t, n.Host("h1"), "route add 10.3.0.0/16 via inet6 fd00:100::20 dev veth1-h1")
	case "link-local":
		return link.Want{Dst: linkLocal(t, n.Host("r1"), "veth1-r1").WithZone("veth1-h1")}
	}
	return link.Want{Dst: addr(name)}
}

// TestResolveSolicits resolves with an empty neighbour table, by frames of our
// own: the table is as empty afterwards.
func TestResolveSolicits(t *testing.T) {
	for _, name := range destinations {
		t.Run(name, func(t *testing.T) {
			n := openLine(t)
			h1 := n.Host("h1")
			seen := newCapture(t, n.Host("r1"), "veth1-r1")
			e := lookup(t, h1, destination(t, n, name))
			s := openSender(t, h1, e, link.SenderConfig{})
			f := udp(t, e, 40000, 7, "")
			// Not resolved before: the first frames wait in the queue.
			if n, err := s.Send([][]byte{f, f}); n != 2 || err != nil {
				t.Fatalf("sent %d, %v", n, err)
			}
			first := bytes.Clone(seen.until("held frame", isTo(7)))
			if !s.Resolve(t.Context()) {
				t.Fatal("the next hop did not resolve")
			}
			if n, err := s.Send([][]byte{f}); n != 1 || err != nil {
				t.Fatalf("sent %d, %v", n, err)
			}
			want := hex.EncodeToString(macOf(t, n.Host("r1"), "veth1-r1"))
			if got := hex.EncodeToString(first[:6]); got != want {
				t.Errorf("held frame went to %s, want %s", got, want)
			}
			if got := hex.EncodeToString(f[:6]); got != want {
				t.Errorf("frame went to %s, want %s", got, want)
			}
			if !bytes.Equal(first[6:], f[6:]) {
				t.Errorf("held frame %x, want %x", first, f)
			}
		})
	}
}

// TestResolveAsksKernel gives the kernel an address that nobody would answer
// with, in each state that is good enough.
func TestResolveAsksKernel(t *testing.T) {
	n := openLine(t)
	h1 := n.Host("h1")
	for _, state := range []string{"permanent", "noarp", "reachable", "stale", "delay", "probe"} {
		for _, hop := range []string{"192.168.100.20", "fd00:100::20"} {
			t.Run(state+" "+hop, func(t *testing.T) {
				ip(t, h1, fmt.Sprintf("neigh replace %s lladdr 02:aa:bb:cc:dd:ee nud %s dev veth1-h1", hop, state))
				e := lookup(t, h1, link.Want{Dst: addr(hop)})
				s := openSender(t, h1, e, link.SenderConfig{})
				f := udp(t, e, 40000, 7, "")
				if n, err := s.Send([][]byte{f}); n != 1 || err != nil {
					t.Fatalf("sent %d, %v", n, err)
				}
				if got := hex.EncodeToString(f[:6]); got != "02aabbccddee" {
					t.Errorf("sent to %s", got)
				}
			})
		}
	}
}

// TestWithoutARP sends to the interface's own address, as the kernel does where
// nobody answers, unless an address was entered by hand.
func TestWithoutARP(t *testing.T) {
	h1 := openLine(t).Host("h1")
	ip(t, h1, "link set veth1-h1 arp off")
	ip(t, h1, "neigh replace 192.168.100.30 lladdr 02:aa:bb:cc:dd:ee nud permanent dev veth1-h1")
	own := hex.EncodeToString(macOf(t, h1, "veth1-h1"))
	for dst, want := range map[string]string{"192.168.100.20": own, "192.168.100.30": "02aabbccddee"} {
		e := lookup(t, h1, link.Want{Dst: addr(dst)})
		s := openSender(t, h1, e, link.SenderConfig{})
		f := udp(t, e, 40000, 7, "")
		if n, err := s.Send([][]byte{f}); n != 1 || err != nil {
			t.Fatalf("%s: sent %d, %v", dst, n, err)
		}
		if got := hex.EncodeToString(f[:6]); got != want {
			t.Errorf("%s: sent to %s, want %s", dst, got, want)
		}
	}
}

func TestMulticastNeedsNoAnswer(t *testing.T) {
	h1 := openLine(t).Host("h1")
	for dst, want := range map[string]string{"224.0.0.5": "01005e000005", "ff02::5%veth1-h1": "333300000005"} {
		e := lookup(t, h1, link.Want{Dst: addr(dst)})
		s := openSender(t, h1, e, link.SenderConfig{})
		f := udp(t, e, 40000, 7, "")
		if n, err := s.Send([][]byte{f}); n != 1 || err != nil {
			t.Fatalf("%s: sent %d, %v", dst, n, err)
		}
		if got := hex.EncodeToString(f[:6]); got != want {
			t.Errorf("%s: sent to %s, want %s", dst, got, want)
		}
	}
}

// TestDeadNeighbour lets two cycles fail and a third find the neighbour, which
// has come up meanwhile.
func TestDeadNeighbour(t *testing.T) {
	for _, dst := range []string{"192.168.100.99", "fd00:100::99"} {
		t.Run(dst, func(t *testing.T) {
			n := openLine(t)
			h1, r1 := n.Host("h1"), n.Host("r1")
			for _, family := range []string{"ipv4", "ipv6"} {
				dir := "net/" + family + "/neigh/veth1-h1/"
				if err := h1.Sysctl(dir+"retrans_time_ms", "50"); err != nil {
					t.Fatal(err)
				}
				if err := h1.Sysctl(dir+"mcast_solicit", "4"); err != nil {
					t.Fatal(err)
				}
			}
			seen := newCapture(t, r1, "veth1-r1")
			dead := make(chan []byte, 10)
			e := lookup(t, h1, link.Want{Dst: addr(dst)})
			s := openSender(t, h1, e, link.SenderConfig{Undelivered: func(f []byte) { dead <- f }})
			frames := [][]byte{udp(t, e, 40000, 7, "a"), udp(t, e, 40000, 7, "b")}
			for cycle := range 2 {
				start := time.Now()
				if n, err := s.Send(frames); n != 2 || err != nil {
					t.Fatalf("sent %d, %v", n, err)
				}
				for i, f := range frames {
					if got := <-dead; !bytes.Equal(got, f) {
						t.Errorf("undelivered frame %d is %x, want %x", i, got, f)
					}
				}
				if took := time.Since(start); took < 200*time.Millisecond {
					t.Errorf("cycle %d gave up after %v, before 4 intervals of 50 ms", cycle, took)
				}
			}
			// Something that needs no resolving marks the place in the capture.
			marker := lookup(t, h1, link.Want{Dst: addr("224.0.0.5")})
			ms := openSender(t, h1, marker, link.SenderConfig{})
			if n, err := ms.Send([][]byte{udp(t, marker, 40000, 9, "")}); n != 1 || err != nil {
				t.Fatalf("sent %d, %v", n, err)
			}
			asked := 0
			seen.until("marker", func(f []byte) bool {
				if isTo(7)(f) {
					t.Error("an undelivered frame was sent")
				}
				if solicits(f, addr(dst)) {
					asked++
				}
				return isTo(9)(f)
			})
			if asked != 8 {
				t.Errorf("%d solicitations, want twice 4", asked)
			}

			if err := r1.AddAddress("veth1-r1", netip.PrefixFrom(addr(dst), addr(dst).BitLen())); err != nil {
				t.Fatal(err)
			}
			if n, err := s.Send([][]byte{udp(t, e, 40000, 8, "c")}); n != 1 || err != nil {
				t.Fatalf("sent %d, %v", n, err)
			}
			seen.until("held frame", isTo(8))
		})
	}
}

// solicits tells whether a frame is an ARP request or a neighbour solicitation
// for the address.
func solicits(f []byte, target netip.Addr) bool {
	return bytes.Contains(f, target.AsSlice()) && (f[13] == 6 && f[21] == 1 || len(f) > 54 && f[54] == 135)
}

// TestCloseWhileResolving: closing ends the cycle and leaves nothing behind.
func TestCloseWhileResolving(t *testing.T) {
	h1 := openLine(t).Host("h1")
	before := goleak.IgnoreCurrent()
	e := lookup(t, h1, link.Want{Dst: addr("192.168.100.99")})
	s := openSender(t, h1, e, link.SenderConfig{Undelivered: func([]byte) { t.Error("undelivered though closed") }})
	s.Send([][]byte{udp(t, e, 40000, 7, "")})
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if s.Resolve(ctx) {
		t.Error("a dead neighbour resolved")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	goleak.VerifyNone(t, before)
	if n, err := s.Send([][]byte{udp(t, e, 40000, 7, "")}); n != 0 || err == nil {
		t.Errorf("after Close: sent %d, %v", n, err)
	}
}
