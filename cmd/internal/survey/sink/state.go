package sink

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/scheduler/survey/pack"
)

// save appends the traces under way, and what has been counted.
func (s *Sink) save(b []byte) []byte {
	b = slices.Grow(b, 64+8*s.found.n)
	b = pack.Uint(b, s.trace.written)
	b = pack.Uint(b, s.trace.late)
	b = pack.Uint(b, s.total.traces.Load())
	b = pack.Uint(b, uint64(s.found.n))
	for _, h := range s.found.places {
		if h != 0 {
			b = pack.Fixed(b, h)
		}
	}
	b = pack.Uint(b, uint64(len(s.trace.open)))
	for _, t := range s.trace.open {
		b = saveTrace(b, t)
	}
	return b
}

// restore takes it in.
func (s *Sink) restore(data []byte) error {
	r := pack.NewReader(data)
	s.trace.written = r.Uint(math.MaxUint64)
	s.trace.late = r.Uint(math.MaxUint64)
	s.total.traces.Store(r.Uint(math.MaxUint64))
	for range r.Count(8) {
		s.found.enter(max(r.Fixed(), 1))
	}
	s.found.restored()
	s.total.tell(&s.found)
	for range r.Count(6) {
		if t := restoreTrace(r); r.Err() == nil {
			s.trace.open[key{t.Index, t.Flow}] = t
		}
	}
	s.trace.resumed = true
	if err := r.End(); err != nil {
		return fmt.Errorf("results before: %w", err)
	}
	return nil
}

func saveTrace(b []byte, t *record.Trace) []byte {
	b = pack.Uint(b, t.Index)
	b = pack.Uint(b, uint64(t.Flow))
	b = pack.Addr(b, t.Target)
	b = pack.Uint(b, uint64(t.SrcPort))
	b = pack.Uint(b, uint64(len(t.Probes)))
	for _, p := range t.Probes {
		b = append(b, p.TTL, p.Attempt)
		b = pack.Int(b, int64(p.SentAt))
	}
	b = pack.Uint(b, uint64(len(t.Replies)))
	for i := range t.Replies {
		b = t.Replies[i].Append(b)
	}
	return b
}

func restoreTrace(r *pack.Reader) *record.Trace {
	t := &record.Trace{Index: r.Uint(math.MaxUint64), Flow: uint16(r.Uint(math.MaxUint16)), Target: r.Addr(), SrcPort: uint16(r.Uint(math.MaxUint16))}
	for range r.Count(3) {
		t.Probes = append(t.Probes, record.Probe{TTL: octet(r), Attempt: octet(r), SentAt: time.Duration(r.Int())})
	}
	for range r.Count(16) {
		reply := record.Reply{Target: t.Target, Index: t.Index, Flow: t.Flow, SrcPort: t.SrcPort}
		reply.Take(r)
		t.Replies = append(t.Replies, reply)
		if r.Err() != nil {
			break
		}
	}
	return t
}

func octet(r *pack.Reader) uint8 {
	if b := r.Next(1); b != nil {
		return b[0]
	}
	return 0
}
