package rx

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mdlayher/packet"
)

// RingStats is what became of the packets that passed a ring's filter since it
// was opened. Once all is drained and nothing more comes,
//
//	Received = Handed + Outgoing + Drops
//
// unless Drain returned an error for a block. Before that the difference is
// what waits in the ring.
type RingStats struct {
	Received uint64 // packets that passed the filter, as the kernel counted them
	Drops    uint64 // of them, those that found no room in the ring
	Frozen   uint64 // how often the ring was full, so that the kernel stopped filling it until a block was given back
	Handed   uint64 // packets that Drain handed out, without the injected ones
	Outgoing uint64 // packets that Drain left out because this host sent them; 0 since Linux 4.20, in a Group since 6.2
}

// ringStats sums up the kernel's counters, which each reading sets to zero
// (PACKET_STATISTICS, packet(7)), and what Drain counted.
type ringStats struct {
	mu                      sync.Mutex // guards the three below and final
	received, drops, frozen uint64
	final                   bool // the ring is closed, nothing comes after

	handed, outgoing atomic.Uint64
	readAt           time.Duration // when Drain last read, since the epoch; Drain's own
}

// readEvery is how often Drain itself reads the kernel's counters. They have
// 32 bits, which 400 million packets a second need ten seconds to fill.
const readEvery = 10 * time.Second

// Stats reads all counts, those of an Elsewhere included. With packets still
// coming they are not of one moment.
func (r *Ring) Stats() (RingStats, error) {
	c := RingStats{Handed: r.stats.handed.Load(), Outgoing: r.stats.outgoing.Load()}
	var err error
	c.Received, c.Drops, c.Frozen, err = r.readStats()
	return c, errors.Join(err, r.elsewhere.addTo(&c))
}

// Drops is RingStats.Drops.
func (r *Ring) Drops() (uint64, error) {
	_, own, _, err := r.readStats()
	others, failed := r.elsewhere.drops()
	return own + others, errors.Join(err, failed)
}

// Frozen is RingStats.Frozen.
func (r *Ring) Frozen() (uint64, error) {
	_, _, frozen, err := r.readStats()
	return frozen, err
}

func (r *Ring) readStats() (received, drops, frozen uint64, err error) {
	s := &r.stats
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.final {
		err = s.read(r.conn)
	}
	if err != nil {
		err = fmt.Errorf("receive ring on %s: %w", r.config.Interface.Name, err)
	}
	return s.received, s.drops, s.frozen, err
}

func (s *ringStats) read(conn *packet.Conn) error {
	now, err := conn.Stats()
	if err != nil {
		return err
	}
	s.received += uint64(now.Packets) // drops included, packet_getsockopt
	s.drops += uint64(now.Drops)
	s.frozen += uint64(now.FreezeQueueCount)
	return nil
}

// keepUp reads the kernel's counters now and then, before they wrap. A failure
// shows at the next Stats.
func (r *Ring) keepUp(now time.Duration) {
	if now-r.stats.readAt < readEvery {
		return
	}
	r.stats.readAt = now
	_, _, _, _ = r.readStats()
}

// last reads the counters for the last time. A failure leaves the sums as they
// are: the socket is about to go.
func (s *ringStats) last(conn *packet.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.read(conn)
	s.final = true
}
