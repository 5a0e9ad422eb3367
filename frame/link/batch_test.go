package link

import (
	"errors"
	"fmt"
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

// newTestBatch sends into a pair of local datagram sockets, which refuse and
// push back as a link would. Its reads don't block.
func newTestBatch(t testing.TB) (b *batch, read func() (string, error)) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fds[1]) })
	b = newBatch(fds[0])
	t.Cleanup(func() { b.close() })
	buf := make([]byte, 1<<17)
	return b, func() (string, error) {
		n, err := unix.Read(fds[1], buf)
		return string(buf[:max(n, 0)]), err
	}
}

func numbered(n int) [][]byte {
	frames := make([][]byte, n)
	for i := range frames {
		frames[i] = fmt.Appendf(nil, "0123456789abcd frame %d", i)
	}
	return frames
}

// TestBatchPushesBack fills the pair, which holds but a few datagrams, until
// all frames are through: each once and in order.
func TestBatchPushesBack(t *testing.T) {
	b, read := newTestBatch(t)
	b.skip = ethernetLen
	frames := numbered(3*batchLen + 7)
	sent, received, partial := 0, 0, false
	for received < len(frames) {
		n, err := b.send(frames[sent:])
		if err != nil {
			t.Fatal(err)
		}
		sent += n
		partial = partial || sent < len(frames)
		for {
			got, err := read()
			if errors.Is(err, unix.EAGAIN) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if want := string(frames[received][ethernetLen:]); got != want {
				t.Fatalf("frame %d is %q, want %q", received, got, want)
			}
			received++
		}
	}
	if sent != received || !partial {
		t.Errorf("sent %d, received %d, pushed back: %v", sent, received, partial)
	}
}

func TestBatchErrors(t *testing.T) {
	tests := []struct {
		name   string
		frames [][]byte
		n      int
		err    error
	}{
		{"too long", [][]byte{make([]byte, 40), make([]byte, 40), make([]byte, 8<<20), make([]byte, 40)}, 2, unix.EMSGSIZE},
		{"too long, first", [][]byte{make([]byte, 8<<20)}, 0, unix.EMSGSIZE},
		{"only a link header", [][]byte{make([]byte, 40), make([]byte, ethernetLen)}, 1, unix.EINVAL},
		{"empty", [][]byte{{}}, 0, unix.EINVAL},
		{"none", nil, 0, nil},
	}
	for _, tt := range tests {
		b, read := newTestBatch(t)
		b.skip = ethernetLen
		n, err := b.send(tt.frames)
		if n != tt.n || !errors.Is(err, tt.err) {
			t.Errorf("%s: %d, %v; want %d, %v", tt.name, n, err, tt.n, tt.err)
		}
		for range n {
			if _, err := read(); err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
	}
}

func TestBatchClosed(t *testing.T) {
	b, _ := newTestBatch(t)
	b.close()
	if n, err := b.send(numbered(1)); n != 0 || !errors.Is(err, net.ErrClosed) {
		t.Errorf("%d, %v; want 0, %v", n, err, net.ErrClosed)
	}
}
