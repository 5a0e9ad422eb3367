package link_test

import (
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/frame/link"
	"golang.org/x/sys/unix"
)

// openTun makes a tun device inside the host; reading the file gives the
// packets that leave by it.
func openTun(t *testing.T, h *lab.Host, name string) *os.File {
	t.Helper()
	var f *os.File
	in(t, h, func() error {
		fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			t.Skip("needs /dev/net/tun: ", err)
		}
		if err != nil {
			return err
		}
		req, err := unix.NewIfreq(name)
		if err != nil {
			return err
		}
		req.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, req); err != nil {
			unix.Close(fd)
			return err
		}
		f = os.NewFile(uintptr(fd), "tun")
		return nil
	})
	t.Cleanup(func() { f.Close() })
	f.SetReadDeadline(time.Now().Add(10 * time.Second))
	return f
}

func TestSendOnTun(t *testing.T) {
	h1 := openLine(t).Host("h1")
	tun := openTun(t, h1, "tun0")
	ip(t, h1, "addr add 10.8.0.1/24 dev tun0")
	ip(t, h1, "addr add fd00:8::1/64 dev tun0 nodad")
	ip(t, h1, "link set tun0 mtu 1400 up")
	for _, dst := range []string{"10.8.0.2", "fd00:8::2"} {
		e := lookup(t, h1, link.Want{Dst: addr(dst)})
		if e.Header != (frame.Link{Type: frame.LinkRaw}) || e.Interface.Name != "tun0" || e.MTU != 1400 {
			t.Fatalf("%s: envelope %+v", dst, e)
		}
		s := openSender(t, h1, e, link.SenderConfig{})
		if !s.Resolve(t.Context()) {
			t.Error("a tun device must need no resolving")
		}
		frames := [][]byte{udp(t, e, 40000, 7, "a"), udp(t, e, 40000, 7, "b")}
		if n, err := s.Send(frames); n != 2 || err != nil {
			t.Fatalf("%s: sent %d, %v", dst, n, err)
		}
		buf := make([]byte, 2000)
		for i := 0; i < len(frames); {
			n, err := tun.Read(buf)
			if err != nil {
				t.Fatalf("%s: %d packets, then %v", dst, i, err)
			}
			if n >= 40 && buf[0]>>4 == 6 && buf[6] != 17 {
				continue // the kernel's own multicast listener reports
			}
			if diff := cmp.Diff(hex.EncodeToString(frames[i]), hex.EncodeToString(buf[:n])); diff != "" {
				t.Errorf("%s: packet %d (-sent +read):\n%s", dst, i, diff)
			}
			i++
		}
	}
}
