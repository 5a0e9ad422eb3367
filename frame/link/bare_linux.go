package link

import (
	"io"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// bare is a socket that Go's network poller does not watch. The kernel tells
// whoever watches a socket of every frame that it has sent and let go of, so
// that a watched sender wakes a thread of the Go runtime for nothing, thousands
// of times a second. It is for one goroutine.
type bare struct{ fd int } // -1 once closed

// detach takes a socket that sends without blocking away from the poller, and
// closes conn.
func detach(conn interface {
	syscall.Conn
	io.Closer
}) (*bare, error) {
	defer conn.Close()
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	b := &bare{-1}
	if cerr := raw.Control(func(fd uintptr) { b.fd, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0) }); cerr != nil {
		return nil, cerr
	}
	if err != nil {
		return nil, opError("fcntl F_DUPFD_CLOEXEC", err)
	}
	return b, nil
}

// Control implements syscall.RawConn.
func (b *bare) Control(f func(fd uintptr)) error {
	if b.fd < 0 {
		return net.ErrClosed
	}
	f(uintptr(b.fd))
	return nil
}

// Read implements syscall.RawConn: it calls f once and never waits.
func (b *bare) Read(f func(fd uintptr) bool) error { return b.once(f) }

// Write implements syscall.RawConn: it calls f once and never waits.
func (b *bare) Write(f func(fd uintptr) bool) error { return b.once(f) }

func (b *bare) once(f func(fd uintptr) bool) error {
	if b.fd < 0 {
		return net.ErrClosed
	}
	f(uintptr(b.fd))
	return nil
}

// Close closes the socket.
func (b *bare) Close() error {
	fd := b.fd
	if fd < 0 {
		return net.ErrClosed
	}
	b.fd = -1
	return unix.Close(fd)
}
