package link_test

import (
	"net"
	"testing"
	"time"

	"github.com/hopquote/hopquote/frame/link"
	"golang.org/x/sys/unix"
)

// TestLearnedMTU lets the kernel learn a path MTU from a router.
func TestLearnedMTU(t *testing.T) {
	n := openLine(t)
	h1 := n.Host("h1")
	if err := n.Host("r1").SetMTU("veth2-r1", 1300); err != nil {
		t.Fatal(err)
	}
	for _, dst := range []string{"192.168.120.20", "fd00:120::20"} {
		before := lookup(t, h1, link.Want{Dst: addr(dst)})
		if before.MTU != 1500 || before.LinkMTU != 1500 {
			t.Fatalf("%s: MTU %d of %d at first", dst, before.MTU, before.LinkMTU)
		}
		c := dialUDP(t, h1, dst, 7)
		forbidFragments(t, c, addr(dst).Is6())
		deadline := time.Now().Add(10 * time.Second)
		for {
			c.Write(make([]byte, 1400))
			e := lookup(t, h1, link.Want{Dst: addr(dst)})
			if e.MTU == 1300 && e.LinkMTU == 1500 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: MTU %d of %d, want 1300 of 1500", dst, e.MTU, e.LinkMTU)
			}
			time.Sleep(time.Millisecond)
		}
	}
}

func forbidFragments(t *testing.T, c *net.UDPConn, v6 bool) {
	t.Helper()
	rc, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	level, option := unix.IPPROTO_IP, unix.IP_MTU_DISCOVER
	if v6 {
		level, option = unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER
	}
	rc.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), level, option, unix.IP_PMTUDISC_DO) })
	if err != nil {
		t.Fatal(err)
	}
}
