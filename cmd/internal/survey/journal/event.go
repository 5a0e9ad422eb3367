package journal

import (
	"fmt"
	"time"

	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/scheduler"
	"github.com/hopquote/hopquote/scheduler/survey/pack"
)

// Kind is what an Event is about.
type Kind uint8

// The kinds of events. Their numbers are in the files.
const (
	Left      Kind = iota + 1 // a probe left
	Learned                   // a reply to a probe came
	Expired                   // a probe was given up
	Sent                      // a frame left
	Received                  // a frame came in
	Counted                   // what was counted since the last such event
	Elsewhere                 // a frame came in by another interface than the probes'
)

// Never is when a probe left that only the strategy takes for one that did.
const Never = time.Duration(-1)

// Event is one thing that happened in a loop.
type Event struct {
	Loop   int
	Kind   Kind
	Tag    int           // Left, Learned, Expired: of the probe
	At     time.Duration // Left (Never: its target is left out), Sent, Received, Elsewhere, Counted
	Reply  record.Reply  // Learned, but for what the tag tells
	Frame  []byte        // Sent, Received, Elsewhere: valid during the call
	By     string        // Elsewhere: the interface, as record.Frame's
	Totals Totals        // Counted: what was added, modulo 2^64
}

// Totals are a loop's counts.
type Totals struct {
	Counts rx.Counts
	Frames scheduler.FrameCounts
	Drops  uint64 // replies that found no room in the ring
}

// Add adds those of an event.
func (t *Totals) Add(o *Totals) {
	to, from := t.numbers(), o.numbers()
	for i := range to {
		*to[i] += *from[i]
	}
}

const numbers = 8 + int(rx.Reasons) + rx.Verdicts + 5 + 1

// numbers are all of them, in the order in which files have them.
func (t *Totals) numbers() *[numbers]*uint64 {
	c, f := &t.Counts, &t.Frames
	all := [numbers]*uint64{&c.Sent, &c.Answered, &c.Expired, &c.InFlight, &c.Received, &c.Matched, &c.Duplicate, &c.Late}
	n := 8
	for i := range c.Stray {
		all[n] = &c.Stray[i]
		n++
	}
	for i := range c.Verdicts {
		all[n] = &c.Verdicts[i]
		n++
	}
	copy(all[n:], []*uint64{&f.Built, &f.Sent, &f.Failed, &f.Unsent, &f.Held, &t.Drops})
	return &all
}

// take takes in the next event of a batch. prev is the time of the one before.
func (e *Event) take(in *pack.Reader, prev *time.Duration) {
	kind := in.Next(1)
	if kind == nil {
		return
	}
	e.Kind = Kind(kind[0])
	switch e.Kind {
	case Left, Learned, Expired:
		e.Tag = int(in.Uint(rx.MaxTag))
	case Sent, Received, Elsewhere, Counted:
	default:
		in.Fail(fmt.Errorf("event of kind %d", e.Kind))
		return
	}
	switch e.Kind {
	case Learned:
		e.Reply = record.Reply{}
		e.Reply.Take(in)
		return
	case Expired:
		return
	}
	*prev += time.Duration(in.Int())
	e.At = *prev
	e.By = ""
	switch e.Kind {
	case Elsewhere:
		e.By = string(in.Bytes())
		e.Frame = in.Bytes()
	case Sent, Received:
		e.Frame = in.Bytes()
	case Counted:
		e.Totals = Totals{}
		all := e.Totals.numbers()
		for range in.Count(2) {
			i := in.Uint(uint64(numbers) - 1)
			v := in.Int()
			*all[i] = uint64(v)
		}
	}
}

// each has f called for every event of a batch.
func (e *Event) each(batch []byte, f func(*Event) error) error {
	in := pack.NewReader(batch)
	var prev time.Duration
	for in.Len() > 0 {
		e.take(in, &prev)
		if err := in.Err(); err != nil {
			return err
		}
		if err := f(e); err != nil {
			return err
		}
	}
	return nil
}
