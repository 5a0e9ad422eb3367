package simnet

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// timer is a kernel timer, timerfd_create(2). The runtime's own timers are up
// to a millisecond late in an idle process, which is more than some hops take.
type timer struct{ file *os.File }

func newTimer() (*timer, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("timerfd_create", err)
	}
	return &timer{os.NewFile(uintptr(fd), "timerfd")}, nil
}

// set makes the timer fire once, d from now.
func (t *timer) set(d time.Duration) error {
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(max(d, 1)))} // 0 would stop it
	raw, err := t.file.SyscallConn()
	if err != nil {
		return err
	}
	cerr := raw.Control(func(fd uintptr) { err = unix.TimerfdSettime(int(fd), 0, &spec, nil) })
	if cerr != nil {
		return cerr
	}
	return os.NewSyscallError("timerfd_settime", err)
}

// wait returns when the timer has fired, with an error once it is closed.
func (t *timer) wait() error {
	var count [8]byte
	_, err := t.file.Read(count[:])
	return err
}

func (t *timer) close() error { return t.file.Close() }
