package link_test

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket/layers"
	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/frame/link"
	"golang.org/x/sys/unix"
)

// withPorts runs f inside the host with ports that close after it.
func withPorts(t *testing.T, h *lab.Host, c link.PortsConfig, f func(*link.Ports) error) {
	t.Helper()
	in(t, h, func() error {
		p, err := link.NewPorts(c)
		if err != nil {
			return err
		}
		defer p.Close()
		return f(p)
	})
}

// bindAgain tries to take a port that Ports may hold.
func bindAgain(m frame.Method, at netip.AddrPort) error {
	if m == frame.TCP {
		l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(at))
		if err == nil {
			l.Close()
		}
		return err
	}
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
	if err == nil {
		c.Close()
	}
	return err
}

func TestPortsAreHeld(t *testing.T) {
	n := openLine(t)
	h1 := n.Host("h1")
	own := linkLocal(t, h1, "veth1-h1").WithZone("veth1-h1")
	for _, m := range []frame.Method{frame.UDP, frame.TCP} {
		for _, src := range []netip.Addr{addr("192.168.100.10"), addr("fd00:100::10"), own} {
			withPorts(t, h1, link.PortsConfig{Method: m, Src: src}, func(p *link.Ports) error {
				a, err := p.Hold()
				if err != nil {
					return err
				}
				b, err := p.Hold()
				if err != nil {
					return err
				}
				if a == b || a == 0 || b == 0 {
					t.Errorf("%v %v: ports %d and %d", m, src, a, b)
				}
				if err := bindAgain(m, netip.AddrPortFrom(src, a)); !errors.Is(err, unix.EADDRINUSE) {
					t.Errorf("%v %v: second bind: %v", m, src, err)
				}
				p.Release(a)
				p.Release(a) // nothing is left to release
				if err := bindAgain(m, netip.AddrPortFrom(src, a)); err != nil {
					t.Errorf("%v %v: bind after release: %v", m, src, err)
				}
				p.Close()
				if err := bindAgain(m, netip.AddrPortFrom(src, b)); err != nil {
					t.Errorf("%v %v: bind after close: %v", m, src, err)
				}
				return nil
			})
		}
	}
}

func TestFixedPort(t *testing.T) {
	h1 := openLine(t).Host("h1")
	for _, m := range []frame.Method{frame.UDP, frame.TCP} {
		c := link.PortsConfig{Method: m, Src: addr("192.168.100.10"), Fixed: 4000}
		withPorts(t, h1, c, func(p *link.Ports) error {
			for range 3 {
				if port, err := p.Hold(); port != 4000 || err != nil {
					t.Errorf("%v: port %d, %v", m, port, err)
				}
				p.Release(4000)
			}
			_, err := link.NewPorts(c)
			if err == nil || err.Error() != "bind: Address already in use" || !errors.Is(err, unix.EADDRINUSE) {
				t.Errorf("%v: second hold of the port: %v", m, err)
			}
			return nil
		})
	}
}

func TestPortsErrors(t *testing.T) {
	h1 := openLine(t).Host("h1")
	tests := []struct {
		c    link.PortsConfig
		want string
	}{
		{link.PortsConfig{Method: frame.ICMP, Src: addr("192.168.100.10")}, "link: ports of method icmp: it has none"},
		{link.PortsConfig{Method: frame.Raw, Src: addr("192.168.100.10")}, "link: ports of method raw: it has none"},
		{link.PortsConfig{Method: frame.UDP}, "link: ports need a source address"},
		{link.PortsConfig{Method: frame.UDP, Src: addr("192.0.2.1"), Fixed: 7}, "bind: Cannot assign requested address"},
		{link.PortsConfig{Method: frame.UDP, Src: addr("192.168.100.10"), Fixed: 7, Interface: "nope0"}, "setsockopt SO_BINDTODEVICE: No such device"},
	}
	for _, tt := range tests {
		err := h1.Do(func() error { _, err := link.NewPorts(tt.c); return err })
		if err == nil || err.Error() != tt.want {
			t.Errorf("%+v: %v, want %s", tt.c, err, tt.want)
		}
	}
}

func TestThousandsOfPorts(t *testing.T) {
	h1 := openLine(t).Host("h1")
	const count = 3000
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if limit.Cur < count+200 {
		t.Skipf("needs RLIMIT_NOFILE above %d, is %d", count+200, limit.Cur)
	}
	for _, m := range []frame.Method{frame.UDP, frame.TCP} {
		withPorts(t, h1, link.PortsConfig{Method: m, Src: addr("192.168.100.10")}, func(p *link.Ports) error {
			seen := make(map[uint16]bool)
			for range count {
				port, err := p.Hold()
				if err != nil {
					return err
				}
				seen[port] = true
			}
			if len(seen) != count {
				t.Errorf("%v: %d different ports of %d", m, len(seen), count)
			}
			return nil
		})
	}
	lowered := limit
	lowered.Cur = 100
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &lowered); err != nil {
		t.Fatal(err)
	}
	defer unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
	withPorts(t, h1, link.PortsConfig{Method: frame.UDP, Src: addr("192.168.100.10")}, func(p *link.Ports) error {
		var err error
		for range 101 {
			if _, err = p.Hold(); err != nil {
				break
			}
		}
		if !errors.Is(err, unix.EMFILE) || !strings.Contains(err.Error(), "100 open files (RLIMIT_NOFILE)") {
			t.Errorf("above the limit: %v", err)
		}
		return nil
	})
}

// TestUDPAnswersFindSocket sends datagrams to a held port, and then one to a
// port that nobody holds, whose port unreachable comes back over the same path.
func TestUDPAnswersFindSocket(t *testing.T) {
	n := openLine(t)
	for _, src := range []string{"192.168.100.10", "fd00:100::10"} {
		withPorts(t, n.Host("h1"), link.PortsConfig{Method: frame.UDP, Src: addr(src)}, func(p *link.Ports) error {
			port, err := p.Hold()
			if err != nil {
				return err
			}
			held, free := dialUDP(t, n.Host("h2"), src, port), dialUDP(t, n.Host("h2"), src, 9)
			for range 100 {
				held.Write(make([]byte, 1000))
			}
			free.Write([]byte("x"))
			if _, err := free.Read(make([]byte, 1)); !errors.Is(err, unix.ECONNREFUSED) {
				t.Fatalf("%s: port that nobody holds: %v, want a port unreachable", src, err)
			}
			if err := pendingError(held); err != nil {
				t.Errorf("%s: held port: %v", src, err)
			}
			return nil
		})
	}
}

func dialUDP(t *testing.T, h *lab.Host, to string, port uint16) *net.UDPConn {
	t.Helper()
	var c *net.UDPConn
	in(t, h, func() (err error) {
		c, err = net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(addr(to), port)))
		return err
	})
	t.Cleanup(func() { c.Close() })
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	return c
}

// pendingError is the error that an ICMP message left on the socket, if any.
func pendingError(c *net.UDPConn) error {
	rc, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var n int
	rc.Control(func(fd uintptr) { n, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR) })
	if err == nil && n != 0 {
		err = unix.Errno(n)
	}
	return err
}

// TestSYNACKIsReset sends a SYN from a held port to a listener.
func TestSYNACKIsReset(t *testing.T) {
	n := openLine(t)
	h1, h2 := n.Host("h1"), n.Host("h2")
	for _, dst := range []string{"192.168.120.20", "fd00:120::20"} {
		in(t, h2, func() error {
			l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(addr(dst), 80)))
			if err == nil {
				t.Cleanup(func() { l.Close() })
			}
			return err
		})
		e := lookup(t, h1, link.Want{Dst: addr(dst)})
		withPorts(t, h1, e.Ports(frame.TCP, 0), func(p *link.Ports) error {
			port, err := p.Hold()
			if err != nil {
				return err
			}
			seen := newCapture(t, h1, "veth1-h1")
			s := openSender(t, h1, e, link.SenderConfig{})
			syn := &layers.TCP{SrcPort: layers.TCPPort(port), DstPort: 80, SYN: true, Seq: 1000, Window: 5840}
			if n, err := s.Send([][]byte{build(t, e, 64, syn, "")}); n != 1 || err != nil {
				t.Fatalf("sent %d, %v", n, err)
			}
			at := 14 + 20 + 13 // the flags
			if e.Dst.Is6() {
				at += 20
			}
			flags := func(f []byte) byte { return f[at] & 0x3f }
			seen.until("SYN-ACK", func(f []byte) bool { return isTo(port)(f) && flags(f) == 0x12 })
			seen.until("RST", func(f []byte) bool { return isTo(80)(f) && flags(f) == 0x04 })
			return nil
		})
	}
}
