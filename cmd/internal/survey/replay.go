package survey

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/cmd/internal/survey/checkpoint"
	"github.com/hopquote/hopquote/cmd/internal/survey/journal"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
	strategy "github.com/hopquote/hopquote/scheduler/survey"
	"github.com/hopquote/hopquote/scheduler/survey/pack"
)

// restore brings the loops to where they were when the run ended: to the
// checkpoint, and from there on by the journals.
func (r *run) restore() error {
	if r.resumed == nil {
		return nil
	}
	in := pack.NewReader(r.resumed.State)
	var errs []error
	for _, w := range r.loops {
		errs = append(errs, w.Restore(in.Bytes()))
	}
	err := errors.Join(append(errs, in.End())...)
	if err == nil {
		err = r.replay()
	}
	if err != nil {
		return r.abandon(fmt.Errorf("--resume %s: %w", r.o.resume, err))
	}
	for _, w := range r.loops {
		w.Replayed()
		_, done := w.progress()
		r.status.had += done
	}
	takeBack(&r.before)
	return nil
}

// takeBack has the probes that were in flight count as never sent: they will be
// sent again.
func takeBack(h *checkpoint.Head) {
	h.Resent += h.Counts.InFlight
	h.Counts.Sent -= h.Counts.InFlight
	h.Counts.InFlight = 0
}

// replay tells the loops and the outputs what the journals have. One that is
// missing or of another run is none: what left since the checkpoint will leave
// again.
func (r *run) replay() error {
	c := r.resumed
	if c.Journal == 0 {
		return nil
	}
	a := again{run: r, until: c.At}
	for number := c.Journal; ; number++ {
		cut, err := journal.Read(r.o.resume, c.JournalID, number, a.take)
		if number > c.Journal && (errors.Is(err, os.ErrNotExist) || errors.Is(err, journal.ErrOther)) {
			break
		}
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, journal.ErrOther) {
			fmt.Fprintf(r.std.Err, "hopquote survey: %v: all that left since the checkpoint is sent again\n", err)
			return nil
		}
		if err != nil {
			return err
		}
		if cut > 0 {
			break // what follows upon it is not known
		}
	}
	r.before.Counts.Add(&a.totals.Counts)
	r.before.Frames.Add(&a.totals.Frames)
	r.before.KernelDrops += a.totals.Drops
	r.before.Active += a.until - c.At
	return nil
}

// again takes the events of journals.
type again struct {
	*run
	totals journal.Totals
	until  time.Duration
	reply  frame.Reply
	match  rx.Match
}

func (a *again) take(e *journal.Event) error {
	if e.Loop >= len(a.loops) {
		return fmt.Errorf("loop %d of %d", e.Loop, len(a.loops))
	}
	w := a.loops[e.Loop]
	switch e.Kind {
	case journal.Left:
		if err := w.Replay(&strategy.Event{Kind: strategy.Left, Tag: e.Tag}); err != nil {
			return err
		}
		if e.At != journal.Never {
			w.left(e.Tag, w.Probe(e.Tag), e.At)
		}
	case journal.Expired:
		return w.Replay(&strategy.Event{Kind: strategy.Expired, Tag: e.Tag})
	case journal.Learned:
		a.learned(&e.Reply)
		return w.Replay(&strategy.Event{Kind: strategy.Learned, Tag: e.Tag, Match: &a.match})
	case journal.Sent, journal.Received, journal.Elsewhere:
		a.sink.Frame(&record.Frame{At: e.At, Sent: e.Kind == journal.Sent, By: e.By, Data: e.Frame})
	case journal.Counted:
		a.totals.Add(&e.Totals)
		a.until = max(a.until, e.At)
		for a.sink.Full() {
			time.Sleep(time.Millisecond)
		}
	}
	return nil
}

// learned makes the match that a record was of.
func (a *again) learned(r *record.Reply) {
	a.reply = frame.Reply{
		Kind: r.Kind, Type: r.Type, Code: r.Code, Flags: r.Flags, From: r.From, TTL: r.TTLBack, TOS: r.TOSBack, ID: r.ID, Size: r.Size, MTU: r.MTU,
		Ext: r.Ext, ExtCompliant: r.ExtCompliant,
		Quote: frame.Quote{Bytes: r.Quoted, TTL: r.QuoteTTL, TOS: r.QuoteTOS, Length: r.QuoteLength},
	}
	a.match = rx.Match{Verdict: r.Verdict, Flags: r.Anomalies, At: r.At, RTT: r.RTT, Reply: &a.reply}
}
