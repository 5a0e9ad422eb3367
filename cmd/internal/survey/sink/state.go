package sink

import (
	"bytes"
	"fmt"
	"math"
	"net/netip"
	"time"

	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/rx/anomaly"
	"github.com/hopquote/hopquote/scheduler/survey/pack"
)

// save appends the traces under way, and what has been counted.
func (s *Sink) save(b []byte) []byte {
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
	s.total.found.Store(uint64(s.found.n))
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
	b = saveAddr(b, t.Target)
	b = pack.Uint(b, uint64(t.SrcPort))
	b = pack.Uint(b, uint64(len(t.Probes)))
	for _, p := range t.Probes {
		b = append(b, p.TTL, p.Attempt)
		b = pack.Int(b, int64(p.SentAt))
	}
	b = pack.Uint(b, uint64(len(t.Replies)))
	for i := range t.Replies {
		b = saveReply(b, &t.Replies[i])
	}
	return b
}

func restoreTrace(r *pack.Reader) *record.Trace {
	t := &record.Trace{Index: r.Uint(math.MaxUint64), Flow: number[uint16](r), Target: restoreAddr(r), SrcPort: number[uint16](r)}
	for range r.Count(3) {
		t.Probes = append(t.Probes, record.Probe{TTL: octet(r), Attempt: octet(r), SentAt: time.Duration(r.Int())})
	}
	for range r.Count(16) {
		t.Replies = append(t.Replies, restoreReply(r, t))
		if r.Err() != nil {
			break
		}
	}
	return t
}

func saveReply(b []byte, r *record.Reply) []byte {
	compliant := uint8(0)
	if r.ExtCompliant {
		compliant = 1
	}
	b = append(b, r.TTL, r.Attempt, uint8(r.Verdict), uint8(r.Kind), r.Type, r.Code, r.Flags, r.TTLBack, r.TOSBack, r.QuoteTTL, r.QuoteTOS, compliant)
	b = saveAddr(b, r.From)
	b = pack.Int(pack.Int(b, int64(r.At)), int64(r.RTT))
	for _, v := range []uint64{uint64(r.ID), uint64(r.Size), uint64(r.MTU), uint64(r.Quoted), uint64(r.QuoteLength), uint64(r.Anomalies)} {
		b = pack.Uint(b, v)
	}
	return pack.Bytes(b, r.Ext)
}

// restoreReply takes in a reply of a trace.
func restoreReply(in *pack.Reader, t *record.Trace) record.Reply {
	r := record.Reply{
		Target: t.Target, Index: t.Index, Flow: t.Flow, SrcPort: t.SrcPort,
		TTL: octet(in), Attempt: octet(in), Verdict: rx.Verdict(octet(in)), Kind: frame.Kind(octet(in)), Type: octet(in), Code: octet(in),
		Flags: octet(in), TTLBack: octet(in), TOSBack: octet(in), QuoteTTL: octet(in), QuoteTOS: octet(in), ExtCompliant: octet(in) != 0,
		From: restoreAddr(in), At: time.Duration(in.Int()), RTT: time.Duration(in.Int()),
		ID: number[uint16](in), Size: int(number[uint16](in)), MTU: number[uint32](in),
		Quoted: int(number[uint16](in)), QuoteLength: int(number[uint32](in)), Anomalies: anomaly.Flag(in.Uint(^uint64(0))),
	}
	if ext := in.Bytes(); len(ext) > 0 {
		r.Ext = bytes.Clone(ext)
	}
	return r
}

func saveAddr(b []byte, a netip.Addr) []byte { return pack.Bytes(b, a.AsSlice()) }

func restoreAddr(r *pack.Reader) netip.Addr {
	b := r.Bytes()
	a, ok := netip.AddrFromSlice(b)
	if !ok && len(b) > 0 {
		r.Fail(fmt.Errorf("address of %d bytes", len(b)))
	}
	return a
}

func octet(r *pack.Reader) uint8 {
	if b := r.Next(1); b != nil {
		return b[0]
	}
	return 0
}

func number[T uint16 | uint32](r *pack.Reader) T { return T(r.Uint(uint64(^T(0)))) }
