package rx

import (
	"errors"
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
	s.take(&s.packet, now, f)
	if s.elsewhere != nil {
		s.elsewhere.drain(&s.packet, now, f)
	}
	s.inbox.take(&s.packet, f)
	s.packet = Packet{}
	return nil
}

// take hands the packets that wait to f through p, and tells how many.
func (s *Socket) take(p *Packet, now time.Time, f func(*Packet)) (handed uint64) {
	since := now.Sub(s.config.Epoch)
	shift := now.UnixNano() - int64(since)
	// So many packets at most, so that a flood can't keep the caller in here.
	for taken := 0; taken < s.config.Packets; taken += batchLen {
		n := s.receive()
		for i := range n {
			*p = Packet{Data: s.batch.data(i), At: since}
			if s.beside != nil {
				p.Interface = int(s.batch.names[i].Ifindex)
			}
			if s.batch.describe(i, p, shift) {
				handed++
				f(p)
			}
		}
		if n < batchLen {
			break
		}
	}
	return handed
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
	mu       sync.Mutex
	received uint64 // drops included
	drops    uint64
	final    bool // the socket is closed, nothing comes after
}

// received is how many packets passed the filter, by the last count of drops.
func (s *Socket) received() uint64 {
	s.stats.mu.Lock()
	defer s.stats.mu.Unlock()
	return s.stats.received
}

// Drops is how many packets passed the filter and found no room in the buffer,
// since the socket was opened; of an Elsewhere that the socket hears too.
func (s *Socket) Drops() (uint64, error) {
	own, err := s.ownDrops()
	others, failed := s.elsewhere.drops()
	return own + others, errors.Join(err, failed)
}

func (s *Socket) ownDrops() (uint64, error) {
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
		c.received += uint64(now.Packets) // drops included, packet_getsockopt
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
