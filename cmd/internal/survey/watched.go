package survey

import (
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hopquote/hopquote/cmd/internal/output/capture"
	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/cmd/internal/survey/journal"
	"github.com/hopquote/hopquote/cmd/internal/survey/sink"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/scheduler"
	strategy "github.com/hopquote/hopquote/scheduler/survey"
)

// watched is the strategy as the engine sees it: what it learns goes to the
// sink, how far it is to the status, and it can be told to come to an end.
type watched struct {
	surveyor
	sink     *sink.Sink
	probes   bool   // the sink wants to know of every probe
	srcPort  uint16 // of the first flow
	stride   uint16 // from there to the next flow's; 0: all have the same
	draining *atomic.Bool
	counts   func() rx.Counts
	frames   func() scheduler.FrameCounts
	book     *rx.Ledger
	loop     int          // its number
	thread   atomic.Int64 // that it runs on; 0: not yet
	senders  *senders
	unrouted func(netip.Addr) bool // tells of targets that are left out; nil: none are
	targets  strategy.Targets
	resumed  bool
	keeper   *keeper
	log      *journal.Log  // nil for none
	drops    func() uint64 // replies that found no room in the ring
	dropped  uint64        // by the last sample
	now      func() time.Duration
	sending  span // of all probes
	meter    *meter
	record   record.Reply // scratch
}

// span is from the first to the last probe.
type span struct {
	first, last time.Duration
	probes      uint64
}

// add makes it that of another loop's probes too.
func (s *span) add(o span) {
	switch {
	case o.probes == 0:
		return
	case s.probes == 0:
		*s = o
		return
	}
	s.first, s.last, s.probes = min(s.first, o.first), max(s.last, o.last), s.probes+o.probes
}

// rate is how many probes left in a second.
func (s span) rate() float64 {
	if s.last == s.first {
		return 0
	}
	return float64(s.probes-1) / (s.last - s.first).Seconds()
}

// Plan plans, unless the run comes to an end: then what is in flight may still
// be answered.
func (w *watched) Plan(pass *scheduler.Pass) {
	if w.thread.Load() == 0 {
		w.thread.Store(int64(unix.Gettid()))
	}
	w.keeper.plan(w, pass.Now)
	if !w.draining.Load() {
		w.surveyor.Plan(pass)
	}
	if w.meter.due() {
		w.note(pass.Now)
	}
	pass.Wake = min(pass.Wake, pass.Now+w.meter.every, w.keeper.wake())
}

// note takes a sample for the status.
func (w *watched) note(now time.Duration) {
	all, done := w.progress()
	w.dropped = w.drops()
	w.meter.note(now, w.counts(), w.sending, all, done, w.senders.failures())
}

// Done tells that there is nothing more to learn.
func (w *watched) Done() bool {
	return w.surveyor.Done() || w.draining.Load() && w.counts().InFlight == 0
}

// Leave implements scheduler.Leaver.
func (w *watched) Leave() { w.keeper.leave(w, w.now()) }

// flush writes down what happened since the last time.
func (w *watched) flush(now time.Duration) error {
	if w.log == nil || w.log.Empty() {
		return nil
	}
	return w.log.Flush(now, &journal.Totals{Counts: w.counts(), Frames: w.frames(), Drops: w.dropped})
}

// Sent passes on that a probe left. Those to targets that are left out did not,
// which only the strategy need not know.
func (w *watched) Sent(tag int, p *frame.Probe, at time.Duration) {
	if w.unrouted != nil && w.unrouted(p.Dst) {
		if w.log != nil {
			w.log.Left(tag, journal.Never)
		}
		w.surveyor.Sent(tag, p, at)
		return
	}
	if w.log != nil {
		w.log.Left(tag, at)
	}
	if w.sending.probes == 0 {
		w.sending.first = at
	}
	w.sending.last = at
	w.sending.probes++
	w.left(tag, p, at)
	w.surveyor.Sent(tag, p, at)
}

// left passes it on to the sink.
func (w *watched) left(tag int, p *frame.Probe, at time.Duration) {
	if w.probes {
		t, attempt := w.Of(tag)
		w.sink.Sent(t.Target, uint16(t.Flow), uint8(attempt), p, at)
	}
}

// Expired passes on that a probe was given up.
func (w *watched) Expired(tag int, o *rx.Origin) {
	if w.log != nil {
		w.log.Expired(tag)
	}
	w.surveyor.Expired(tag, o)
}

// reply is told of every reply to a probe.
func (w *watched) reply(r *strategy.Reply) {
	m := r.Match
	b := m.Reply
	q := &b.Quote
	w.record = record.Reply{
		Target: r.Addr, Index: r.Target, Flow: uint16(r.Flow), TTL: r.TTL, Attempt: uint8(r.Attempt), SrcPort: w.srcPort + uint16(r.Flow)*w.stride,
		Verdict: m.Verdict, From: b.From, At: m.At, RTT: m.RTT, Kind: b.Kind, Type: b.Type, Code: b.Code, Flags: b.Flags,
		TTLBack: b.TTL, TOSBack: b.TOS, ID: b.ID, Size: b.Size, MTU: b.MTU,
		Quoted: q.Bytes, QuoteTTL: q.TTL, QuoteTOS: q.TOS, QuoteLength: q.Length, Anomalies: m.Flags, Ext: b.Ext, ExtCompliant: b.ExtCompliant,
	}
	if !b.Kind.IsError() {
		w.record.Quoted, w.record.Ext = 0, nil
	}
	if w.log != nil {
		w.log.Learned(m.Tag, &w.record)
	}
	w.sink.Reply(&w.record)
}

// finish is told of every trace that is complete.
func (w *watched) finish(t strategy.Trace, why strategy.Stop) {
	// Where a run goes on, probes may have left before the way was lost.
	if w.unrouted != nil && !w.resumed && w.unrouted(w.targets.At(t.Target)) {
		return
	}
	w.sink.Finish(t.Target, uint16(t.Flow), stops[why])
}

var stops = [...]record.Stop{
	strategy.Unfinished: record.Unfinished, strategy.Reached: record.Reached, strategy.Unreachable: record.Unreachable,
	strategy.GapLimit: record.GapLimit, strategy.LastTTL: record.MaxTTL,
}

// frames takes the frames of a loop to the sink.
type frames struct {
	*watched
	interfaces capture.Names
	one        record.Frame // scratch
}

func (f *frames) frame() {
	if f.log != nil {
		f.log.Frame(&f.one)
	}
	f.sink.Frame(&f.one)
}

// FrameSent implements scheduler.Observer.
func (f *frames) FrameSent(at time.Duration, b []byte) {
	f.one = record.Frame{At: at, Sent: true, Data: b}
	f.frame()
}

// FrameMatched implements scheduler.Observer.
func (f *frames) FrameMatched(p *rx.Packet, _ *rx.Match) {
	if !p.Local {
		f.one = record.Frame{At: p.At, By: f.interfaces.Of(p.Interface), Data: p.Data}
		f.frame()
	}
}
