package lab

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// patience bounds waits for what must come; nothing passes or fails by how
// much of it is used.
const patience = 10 * time.Second

// exchange sends a datagram from one host to a port of the other and back.
func exchange(from, to *Host, addr string) error {
	var server *net.UDPConn
	err := to.Do(func() (err error) {
		server, err = net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(addr)})
		return err
	})
	if err != nil {
		return err
	}
	defer server.Close()
	server.SetDeadline(time.Now().Add(patience))
	go func() {
		b := make([]byte, 16)
		if n, peer, err := server.ReadFromUDP(b); err == nil {
			server.WriteToUDP(b[:n], peer)
		}
	}()
	var client *net.UDPConn
	err = from.Do(func() (err error) {
		client, err = net.DialUDP("udp", nil, server.LocalAddr().(*net.UDPAddr))
		return err
	})
	if err != nil {
		return err
	}
	defer client.Close()
	client.SetDeadline(time.Now().Add(patience))
	if _, err := client.Write([]byte("there and back")); err != nil {
		return err
	}
	b := make([]byte, 16)
	n, err := client.Read(b)
	if err != nil {
		return err
	}
	if string(b[:n]) != "there and back" {
		return fmt.Errorf("got %q back", b[:n])
	}
	return nil
}

func TestEndsReachEachOther(t *testing.T) {
	for _, name := range Topologies() {
		t.Run(name, func(t *testing.T) {
			n := open(t, name)
			links := n.Topology().Links
			for _, p := range links[len(links)-1].Ends[1].Addresses {
				if p.Addr().Is6() && !n.HasIPv6() {
					continue
				}
				if err := exchange(n.Host("h1"), n.Host("h2"), p.Addr().String()); err != nil {
					t.Errorf("h1 to h2 at %s: %v", p.Addr(), err)
				}
			}
		})
	}
}

// icmpError is what a socket's error queue told: which ICMP message came, from whom.
type icmpError struct {
	kind, code uint8
	from       netip.Addr
}

// provoke sends a datagram with the TTL to a port that nobody listens on and
// gives the ICMP error that comes back.
func provoke(fd int, dst netip.Addr, ttl int) (icmpError, error) {
	level, opt, hops := unix.SOL_IP, unix.IP_RECVERR, unix.IP_TTL
	var sa unix.Sockaddr = &unix.SockaddrInet4{Port: 33434, Addr: [4]byte(dst.AsSlice()[:4])}
	if dst.Is6() {
		level, opt, hops = unix.SOL_IPV6, unix.IPV6_RECVERR, unix.IPV6_UNICAST_HOPS
		sa = &unix.SockaddrInet6{Port: 33434, Addr: dst.As16()}
	}
	if err := errors.Join(unix.SetsockoptInt(fd, level, opt, 1), unix.SetsockoptInt(fd, level, hops, ttl)); err != nil {
		return icmpError{}, err
	}
	if err := unix.Sendto(fd, []byte("probe"), 0, sa); err != nil {
		return icmpError{}, err
	}
	// POLLERR is always polled for.
	ready, err := unix.Poll([]unix.PollFd{{Fd: int32(fd)}}, int(patience.Milliseconds()))
	if err != nil {
		return icmpError{}, err
	}
	if ready == 0 {
		return icmpError{}, errors.New("no ICMP error came")
	}
	oob := make([]byte, 512)
	_, oobn, _, _, err := unix.Recvmsg(fd, make([]byte, 512), oob, unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
	if err != nil {
		return icmpError{}, err
	}
	messages, err := unix.ParseSocketControlMessage(oob[:oobn])
	if err != nil {
		return icmpError{}, err
	}
	// struct sock_extended_err: errno 4, origin 1, type 1, code 1, pad 1, info
	// 4, data 4; then the offender's sockaddr, address at 4 (IPv4) or 8 (IPv6).
	for _, m := range messages {
		if int(m.Header.Level) != level || int(m.Header.Type) != opt || len(m.Data) < 16+8 {
			continue
		}
		e := icmpError{kind: m.Data[5], code: m.Data[6]}
		if dst.Is4() {
			e.from = netip.AddrFrom4([4]byte(m.Data[20:24]))
		} else if len(m.Data) >= 40 {
			e.from = netip.AddrFrom16([16]byte(m.Data[24:40]))
		}
		return e, nil
	}
	return icmpError{}, errors.New("error queue without an ICMP error")
}

// udpSocket opens a bare socket in the host that the test closes.
func udpSocket(t *testing.T, h *Host, dst netip.Addr) int {
	t.Helper()
	fd := -1
	err := h.Do(func() (err error) {
		fd, err = unix.Socket(int(family(dst)), unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

func TestRoutersAnswerExpiredTTLs(t *testing.T) {
	n := open(t, "line")
	for _, tt := range []struct {
		dst  string
		ttl  int
		want icmpError
	}{
		{"192.168.120.20", 1, icmpError{11, 0, netip.MustParseAddr("192.168.100.20")}},
		{"192.168.120.20", 2, icmpError{11, 0, netip.MustParseAddr("192.168.110.20")}},
		{"192.168.120.20", 3, icmpError{3, 3, netip.MustParseAddr("192.168.120.20")}},
		{"192.168.1.1", 9, icmpError{3, 0, netip.MustParseAddr("192.168.100.20")}},
		{"fd00:120::20", 1, icmpError{3, 0, netip.MustParseAddr("fd00:100::20")}},
		{"fd00:120::20", 2, icmpError{3, 0, netip.MustParseAddr("fd00:110::20")}},
		{"fd00:120::20", 3, icmpError{1, 4, netip.MustParseAddr("fd00:120::20")}},
		{"fd00:1::1", 9, icmpError{1, 0, netip.MustParseAddr("fd00:100::20")}},
	} {
		t.Run(fmt.Sprintf("%s-%d", tt.dst, tt.ttl), func(t *testing.T) {
			dst := netip.MustParseAddr(tt.dst)
			if dst.Is6() && !n.HasIPv6() {
				t.Skip("the kernel has no IPv6")
			}
			got, err := provoke(udpSocket(t, n.Host("h1"), dst), dst, tt.ttl)
			if err != nil || got != tt.want {
				t.Errorf("got %+v, %v, want %+v", got, err, tt.want)
			}
		})
	}
}

// A kernel left to its defaults answers about six of these and then one a second.
func TestErrorsAreNotRateLimited(t *testing.T) {
	n := open(t, "line")
	for _, s := range []string{"192.168.120.20", "fd00:120::20"} {
		dst := netip.MustParseAddr(s)
		if dst.Is6() && !n.HasIPv6() {
			continue
		}
		for ttl := 1; ttl <= 3; ttl++ {
			fd := udpSocket(t, n.Host("h1"), dst)
			for i := range 100 {
				if _, err := provoke(fd, dst, ttl); err != nil {
					t.Fatalf("%s TTL %d, probe %d: %v", s, ttl, i, err)
				}
			}
		}
	}
}

func TestTwoNetworksAtOnce(t *testing.T) {
	Skip(t)
	results := make(chan error, 2)
	for range 2 {
		go func() {
			n, err := Open("line")
			if err == nil {
				err = errors.Join(exchange(n.Host("h1"), n.Host("h2"), "192.168.120.20"), n.Close())
			}
			results <- err
		}()
	}
	if err := errors.Join(<-results, <-results); err != nil {
		t.Error(err)
	}
}
