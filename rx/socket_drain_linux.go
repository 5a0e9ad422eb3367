package rx

import (
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Drain hands every waiting packet to f: first those received, oldest first,
// then those injected. The Packet is the same each time, and valid with its
// Data only until f returns. f must not call Wait, Drain or Close. The receive
// times are the kernel's, see Ring.Drain.
//
// The error is net.ErrClosed: what fails the socket is told by Wait.
func (s *Socket) Drain(f func(*Packet)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed.Load() {
		return s.closedError()
	}
	now := time.Now()
	since := now.Sub(s.config.Epoch)
	shift := now.UnixNano() - int64(since)
	// So many packets at most, so that a flood can't keep the caller in here.
	for taken := 0; taken < s.config.Packets; taken += batchLen {
		n := s.receive()
		for i := range n {
			s.packet = Packet{Data: s.batch.data(i), At: since}
			if s.batch.describe(i, &s.packet, shift) {
				f(&s.packet)
			}
		}
		if n < batchLen {
			break
		}
	}
	s.inbox.take(&s.packet, f)
	s.packet = Packet{}
	return nil
}

// receive fills the batch and gives how many packets it holds. An error of the
// socket, which the kernel tells once and before the packets that still wait,
// is kept for Wait.
func (s *Socket) receive() int {
	const tries = 4 // signals, an error, and then the packets
	for range tries {
		n, errno := s.batch.receive(s.fd)
		switch errno {
		case 0:
			return n
		case unix.EAGAIN:
			return 0
		case unix.EINTR:
		default:
			s.failed = errno
		}
	}
	return 0
}

// Wait returns when a packet or an injected one waits, when somebody woke the
// socket, or when the time since the epoch reaches until. It may also return
// early for no reason. Its errors are those of Ring.Wait.
func (s *Socket) Wait(until time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if s.closed.Load() {
			return s.closedError()
		}
		if err := s.failed; err != nil {
			s.failed = nil
			return fmt.Errorf("receive socket on %s: %w", s.config.Interface.Name, err)
		}
		var timeout time.Duration
		if now := time.Since(s.config.Epoch); until > now && s.inbox.pending.Load() == 0 {
			timeout = until - now
		}
		err := s.poll.wait(timeout)
		switch {
		case s.closed.Load():
			return s.closedError()
		case err == unix.EINTR:
			continue
		case err != nil:
			return fmt.Errorf("receive socket on %s: %w", s.config.Interface.Name, err)
		}
		if s.poll.woken() {
			s.inbox.event.clear()
		}
		return nil
	}
}

// descriptor is a file descriptor as a poller takes it. What keeps it open is
// the Socket's mutex.
type descriptor int

func (d descriptor) Control(f func(fd uintptr)) error {
	f(uintptr(d))
	return nil
}

// socketStats sums up the kernel's counter, which each reading sets to zero
// (PACKET_STATISTICS, packet(7)).
type socketStats struct {
	mu    sync.Mutex
	drops uint64
	final bool // the socket is closed, nothing comes after
}

// Drops is how many packets passed the filter and found no room in the buffer,
// since the socket was opened.
func (s *Socket) Drops() (uint64, error) {
	s.stats.mu.Lock()
	defer s.stats.mu.Unlock()
	if !s.stats.final {
		if err := s.stats.read(s.fd); err != nil {
			return s.stats.drops, fmt.Errorf("receive socket on %s: getsockopt PACKET_STATISTICS: %w", s.config.Interface.Name, err)
		}
	}
	return s.stats.drops, nil
}

func (c *socketStats) read(fd int) error {
	now, err := unix.GetsockoptTpacketStats(fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err == nil {
		c.drops += uint64(now.Drops)
	}
	return err
}

// last reads the counter for the last time. A failure leaves the sum as it is:
// the socket is about to go.
func (c *socketStats) last(fd int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.read(fd)
	c.final = true
}
