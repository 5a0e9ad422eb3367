package sink

import (
	"net/netip"
	"slices"

	"github.com/hopquote/hopquote/cmd/internal/output/record"
)

// batch is results that are written together. Batches are used again: as many
// are taken as wait at a time.
type batch struct {
	size     int // of sent, replies and frames together
	sent     []sent
	replies  []record.Reply
	finished []finished
	frames   []record.Frame
	bytes    []byte            // of extensions and frames
	mark     func(*Cut, error) // to call once the batch is written
}

type sent struct {
	key     key
	target  netip.Addr
	srcPort uint16
	record.Probe
}

type finished struct {
	key  key
	stop record.Stop
}

const (
	// limit is how many results may wait, which is half a second's worth or more.
	limit = 1 << 15
	// batchSize is how many are a batch and wake the writers, who look every
	// turn anyway.
	batchSize = 1 << 11
)

// Full tells that the writers are behind.
func (s *Sink) Full() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waiting >= limit
}

// added counts one more result, and tells whether that makes a batch. mu must be
// held.
func (s *Sink) added() bool {
	s.waiting++
	s.filling.size++
	if s.filling.size < batchSize {
		return false
	}
	s.begin()
	return true
}

// begin begins another batch. mu must be held.
func (s *Sink) begin() {
	s.ready = append(s.ready, s.filling)
	if n := len(s.spare); n > 0 {
		s.filling, s.spare = s.spare[n-1], s.spare[:n-1]
	} else {
		s.filling = &batch{}
	}
}

// keep copies bytes to where they last as long as the batch.
func (b *batch) keep(data []byte) []byte {
	from := len(b.bytes)
	b.bytes = append(b.bytes, data...)
	return b.bytes[from:len(b.bytes):len(b.bytes)]
}

// take gives what is to be written next, nil for nothing, and whether no more
// will come. What is no whole batch yet counts at the end, and if any is set.
func (s *Sink) take(any bool) (b *batch, closed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.ready) == 0 && (any || s.closed) && !s.filling.empty() {
		s.begin()
	}
	if len(s.ready) > 0 {
		b = s.ready[0]
		s.ready = slices.Delete(s.ready, 0, 1)
		s.waiting -= b.size
	}
	return b, s.closed
}

// giveBack has a batch that is written used again.
func (s *Sink) giveBack(b *batch) {
	b.reset()
	s.mu.Lock()
	s.spare = append(s.spare, b)
	s.mu.Unlock()
}

func (b *batch) empty() bool { return b.size == 0 && len(b.finished) == 0 }

func (b *batch) reset() {
	*b = batch{sent: b.sent[:0], replies: b.replies[:0], finished: b.finished[:0], frames: b.frames[:0], bytes: b.bytes[:0]}
}
