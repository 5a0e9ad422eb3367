package link_test

import (
	"errors"
	"testing"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/frame/link"
	"golang.org/x/sys/unix"
)

// withCaps runs f inside the host on a thread that has the given capabilities
// and no other. The thread ends with f.
func withCaps(h *lab.Host, caps []int, f func() error) error {
	return h.Do(func() error {
		var mask uint32
		for _, c := range caps {
			mask |= 1 << c
		}
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		data := [2]unix.CapUserData{{Effective: mask, Permitted: mask}}
		if err := unix.Capset(&header, &data[0]); err != nil {
			return err
		}
		return f()
	})
}

func TestPrivileges(t *testing.T) {
	n := openLine(t)
	h1 := n.Host("h1")
	for _, dst := range []string{"192.168.100.20", "fd00:100::20", "127.0.0.1", "::1"} {
		err := withCaps(h1, nil, func() error {
			e, err := link.Lookup(link.Want{Dst: addr(dst), Interface: ""})
			if err != nil {
				t.Errorf("%s: look-up needs a privilege: %v", dst, err)
			}
			_, err = link.OpenSender(e, link.SenderConfig{})
			return err
		})
		if !errors.Is(err, unix.EPERM) || err.Error() != "socket: Operation not permitted" {
			t.Errorf("%s without CAP_NET_RAW: %v, want EPERM", dst, err)
		}
		err = withCaps(h1, []int{unix.CAP_NET_RAW}, func() error {
			e, err := link.Lookup(link.Want{Dst: addr(dst)})
			if err != nil {
				return err
			}
			s, err := link.OpenSender(e, link.SenderConfig{Bypass: true})
			if err != nil {
				return err
			}
			defer s.Close()
			if !s.Resolve(t.Context()) {
				return errors.New("the next hop did not resolve")
			}
			if n, err := s.Send([][]byte{udp(t, e, 40000, 9, "")}); n != 1 || err != nil {
				t.Errorf("sent %d", n)
				return err
			}
			return nil
		})
		if err != nil {
			t.Errorf("%s with CAP_NET_RAW alone: %v", dst, err)
		}
	}
	err := withCaps(h1, nil, func() error {
		_, err := link.NewPorts(link.PortsConfig{Method: frame.UDP, Src: addr("192.168.100.10"), Fixed: 53})
		return err
	})
	if err == nil || err.Error() != "bind: Permission denied" {
		t.Errorf("port 53 without CAP_NET_BIND_SERVICE: %v", err)
	}
	err = withCaps(h1, nil, func() error {
		_, err := link.Lookup(link.Want{Dst: addr("192.168.100.20"), Mark: 7})
		return err
	})
	if err == nil || err.Error() != "setsockopt SO_MARK: Operation not permitted" {
		t.Errorf("mark without CAP_NET_ADMIN: %v", err)
	}
}
