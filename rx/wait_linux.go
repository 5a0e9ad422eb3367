package rx

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Wait returns when a block of packets or an injected packet waits, when
// somebody woke the ring, or when the time since the epoch reaches until. It
// may also return early for no reason.
//
// An error means that the interface went down or away (ENETDOWN; the kernel
// says so once, and the ring goes on if the interface comes back), or that the
// ring was closed (net.ErrClosed). Packets that still wait come before it.
func (r *Ring) Wait(until time.Duration) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		if r.closed.Load() {
			return r.closedError()
		}
		var timeout time.Duration
		if now := time.Since(r.config.Epoch); until > now && r.inbox.pending.Load() == 0 {
			timeout = until - now
		}
		err := r.poll.wait(timeout)
		switch {
		case r.closed.Load():
			return r.closedError()
		case err == unix.EINTR:
			continue
		case err != nil:
			return fmt.Errorf("receive ring on %s: %w", r.config.Interface.Name, err)
		}
		if r.poll.woken() {
			r.inbox.event.clear()
		}
		return nil
	}
}

// poller waits for a socket and the inbox's event, and for the sockets of an
// Elsewhere where there is one. It lives in the Ring or Socket so that a Wait
// allocates nothing.
type poller struct {
	raw     controller
	run     func(fd uintptr)
	fds     [2 + families]unix.PollFd
	count   int // of fds
	timeout unix.Timespec
	keep    bool // RingConfig.Keep
	err     error
}

// controller is the part of a syscall.RawConn that a poller needs.
type controller interface {
	Control(f func(fd uintptr)) error
}

func (p *poller) init(raw controller, event int32) {
	p.raw = raw
	p.run = p.ppoll
	p.fds[1] = unix.PollFd{Fd: event, Events: unix.POLLIN}
	p.count = 2
}

// add has it wait for one more.
func (p *poller) add(fd int) {
	p.fds[p.count] = unix.PollFd{Fd: int32(fd), Events: unix.POLLIN}
	p.count++
}

// wait polls once. The error is EINTR when a signal came first.
func (p *poller) wait(timeout time.Duration) error {
	p.timeout = unix.NsecToTimespec(int64(timeout))
	if err := p.raw.Control(p.run); err != nil {
		return err
	}
	return p.err
}

func (p *poller) woken() bool { return p.fds[1].Revents != 0 }

func (p *poller) ppoll(fd uintptr) {
	p.fds[0] = unix.PollFd{Fd: int32(fd), Events: unix.POLLIN}
	p.fds[1].Revents = 0
	var err error
	if p.keep {
		err = ppollKeeping(p.fds[:p.count], &p.timeout)
	} else {
		_, err = unix.Ppoll(p.fds[:p.count], &p.timeout, nil)
	}
	switch {
	case err == unix.EINTR:
		p.err = err
	case err != nil:
		p.err = os.NewSyscallError("ppoll", err)
	case p.fds[0].Revents&unix.POLLERR != 0 && p.fds[0].Revents&unix.POLLIN == 0:
		p.err = socketError(int(fd))
	default:
		p.err = nil
	}
}
