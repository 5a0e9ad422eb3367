package rx

import (
	"fmt"
	"sync"

	"github.com/mdlayher/packet"
)

// ringStats sums up the kernel's counters, which each reading sets to zero
// (PACKET_STATISTICS, packet(7)).
type ringStats struct {
	mu            sync.Mutex
	drops, frozen uint64
	final         bool // the ring is closed, nothing comes after
}

// Drops is how many packets passed the filter and found no room in the ring,
// since it was opened.
func (r *Ring) Drops() (uint64, error) {
	drops, _, err := r.readStats()
	return drops, err
}

// Frozen is how often the ring was full, so that the kernel stopped filling it
// until a block was given back, since it was opened.
func (r *Ring) Frozen() (uint64, error) {
	_, frozen, err := r.readStats()
	return frozen, err
}

func (r *Ring) readStats() (drops, frozen uint64, err error) {
	s := &r.stats
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.final {
		err = s.read(r.conn)
	}
	if err != nil {
		err = fmt.Errorf("receive ring on %s: %w", r.config.Interface.Name, err)
	}
	return s.drops, s.frozen, err
}

func (s *ringStats) read(conn *packet.Conn) error {
	now, err := conn.Stats()
	if err != nil {
		return err
	}
	s.drops += uint64(now.Drops)
	s.frozen += uint64(now.FreezeQueueCount)
	return nil
}

// last reads the counters for the last time. A failure leaves the sums as they
// are: the socket is about to go.
func (s *ringStats) last(conn *packet.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.read(conn)
	s.final = true
}
