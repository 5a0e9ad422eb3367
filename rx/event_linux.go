package rx

import (
	"encoding/binary"
	"os"

	"golang.org/x/sys/unix"
)

// event is an eventfd(2) that a poll can wait for. The zero event is closed.
type event struct {
	fd int // plus one
}

func newEvent() (event, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return event{}, os.NewSyscallError("eventfd", err)
	}
	return event{fd + 1}, nil
}

// poll is the descriptor to wait for; poll(2) leaves out negative ones.
func (e event) poll() int32 { return int32(e.fd - 1) }

// signal makes the event readable and tells whether it is open. A full counter
// (EAGAIN) is readable already.
func (e event) signal() bool {
	if e.fd == 0 {
		return false
	}
	var one [8]byte
	binary.NativeEndian.PutUint64(one[:], 1)
	unix.Write(e.fd-1, one[:])
	return true
}

// clear makes the event unreadable.
func (e event) clear() {
	var count [8]byte
	unix.Read(e.fd-1, count[:])
}

func (e *event) close() error {
	if e.fd == 0 {
		return nil
	}
	err := unix.Close(e.fd - 1)
	e.fd = 0
	return os.NewSyscallError("close", err)
}
