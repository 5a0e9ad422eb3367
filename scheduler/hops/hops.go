// Package hops is the classic traceroute strategy: queries probes for each
// TTL, a window of unanswered ones, deadlines that shrink when a neighbouring
// hop answers sooner, and the destination's hop as the last.
//
// The rules are those of Linux traceroute 2.1; see the method comments.
package hops

import (
	"fmt"
	"time"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/scheduler"
)

// Count says which field of a probe counts up with every send.
type Count uint8

// The counting fields. All wrap from 65535 to 0.
const (
	CountNothing Count = iota
	CountPort          // destination port: traceroute's default method
	CountSeq           // echo sequence: method icmp
)

// Limits of a trace.
const (
	MaxTTL     = 255
	MaxQueries = 10
)

// Config describes one trace.
type Config struct {
	First   int  // first TTL, 1..Last
	Last    int  // last TTL, First..MaxTTL
	Queries int  // probes for each TTL, 1..MaxQueries
	Wait    Wait // how long a probe may stay unanswered

	// Probe is what all probes share. Its DstPort or Seq is the first one
	// where Count says that it counts.
	Probe frame.Probe
	Count Count

	// Resize, when set, sees every first answer to a probe before it counts. By
	// telling a size it turns the answer away: the probe is sent again at once,
	// in that size, and later ones are no larger. Path-MTU discovery is the use.
	Resize func(sent *frame.Probe, m *rx.Match) (size int, again bool)

	// Settle is called for each probe in print order as soon as it and all
	// before it are settled; nil for none.
	Settle func(Settled)
}

// Hops traces the path to one destination. It implements
// scheduler.Strategy.
type Hops struct {
	cfg     Config
	records []Record // by tag
	again   []bool   // by tag: to be sent once more
	// shown[k] is the tag of the record that is printed at place k: k itself,
	// unless an answer was moved (see pull).
	shown []int
	start int // first place not printed
	end   int // first place that will not be printed
	sends int
}

// What stands in shown instead of a tag.
const (
	moved = -1 // the answer is printed at an earlier place
	gone  = -2 // the same, and the place is settled as lost
)

var lost = Record{Outcome: Lost}

// New makes a strategy, or tells which value is out of range.
func New(cfg Config) (*Hops, error) {
	switch {
	case cfg.Last < 1 || cfg.Last > MaxTTL:
		return nil, fmt.Errorf("last TTL %d: allowed are 1 to %d", cfg.Last, MaxTTL)
	case cfg.First < 1 || cfg.First > cfg.Last:
		return nil, fmt.Errorf("first TTL %d: allowed are 1 to %d", cfg.First, cfg.Last)
	case cfg.Queries < 1 || cfg.Queries > MaxQueries:
		return nil, fmt.Errorf("%d queries: allowed are 1 to %d", cfg.Queries, MaxQueries)
	}
	h := &Hops{
		cfg:     cfg,
		records: make([]Record, cfg.Last*cfg.Queries),
		again:   make([]bool, cfg.Last*cfg.Queries),
		shown:   make([]int, cfg.Last*cfg.Queries),
		start:   (cfg.First - 1) * cfg.Queries,
		end:     cfg.Last * cfg.Queries,
	}
	for k := range h.records {
		h.records[k] = Record{Tag: k, TTL: k/cfg.Queries + 1, Query: k % cfg.Queries}
		h.shown[k] = k
	}
	return h, nil
}

// Done tells that every place up to the last hop is printed.
func (h *Hops) Done() bool { return h.start >= h.end }

// Reached tells whether the destination itself answered.
func (h *Hops) Reached() bool { return h.any(Arrived) }

// Stopped tells whether an error of another kind ended the trace.
func (h *Hops) Stopped() bool { return h.any(Refused) || h.any(TooBig) }

func (h *Hops) any(o Outcome) bool {
	for k := range h.end {
		if h.settled(k) && h.at(k).Outcome == o {
			return true
		}
	}
	return false
}

// Records gives every probe that was sent, by TTL and query, those beyond the
// destination included.
func (h *Hops) Records() []Record {
	var sent []Record
	for _, r := range h.records {
		if r.Sends > 0 {
			sent = append(sent, r)
		}
	}
	return sent
}

// Finish prints what is known of a trace that ends before it is done: every
// place up to the last one that is settled, with open ones shown as lost. The
// records are left as they are.
func (h *Hops) Finish() {
	last := h.start - 1
	for k := h.start; k < h.end; k++ {
		if h.settled(k) {
			last = k
		}
	}
	for ; h.start <= last; h.start++ {
		if !h.settled(h.start) {
			h.shown[h.start] = gone
		}
		h.print(h.start)
	}
}

// Plan walks the places from the first unprinted one: it gives up the probe
// that stands there when its time is over, prints what is settled, and asks
// for probes until the engine has no more room. Only the first unprinted probe
// can expire; others may be answered as late as they like.
func (h *Hops) Plan(pass *scheduler.Pass) {
	for k := h.start; k < h.end; k++ {
		if k == h.start && h.waiting(k) {
			if deadline := h.deadline(k); deadline > pass.Now {
				pass.Wake = deadline
			} else {
				h.expire(k, pass)
			}
		}
		if h.settled(k) {
			if k == h.start {
				h.print(k)
				h.start++
			}
			if h.at(k).Outcome.Final() {
				h.end = (k/h.cfg.Queries + 1) * h.cfg.Queries
			}
			continue
		}
		if h.unsent(k) {
			if !h.send(k, pass) {
				return
			}
			continue
		}
		if pass.Wake == scheduler.Never && h.waiting(k) {
			pass.Wake = h.deadline(k)
		}
	}
}

// send asks for the probe of place k.
func (h *Hops) send(k int, pass *scheduler.Pass) bool {
	p := h.cfg.Probe
	p.TTL = uint8(h.records[k].TTL)
	switch h.cfg.Count {
	case CountPort:
		p.DstPort += uint16(h.sends)
	case CountSeq:
		p.Seq = uint32(uint16(p.Seq) + uint16(h.sends))
	}
	if !pass.Send(k, &p) {
		return false
	}
	h.sends++
	return true
}

// Sent notes what left and when.
func (h *Hops) Sent(tag int, p *frame.Probe, at time.Duration) {
	r := &h.records[tag]
	r.Probe, r.SentAt = *p, at
	r.Sends++
	h.again[tag] = false
}

// Learn notes the answer to one of the probes.
func (h *Hops) Learn(m *rx.Match) {
	r := &h.records[m.Tag]
	switch {
	case m.Verdict == rx.Duplicate:
		r.Duplicates++
	case m.Verdict == rx.Late:
		r.LateReplies++
	case m.Verdict.First():
		if !h.resized(r, m) {
			r.Answer, r.Outcome = AnswerOf(m, r.Probe.Size), OutcomeOf(m)
		}
	}
}

// resized tells whether the answer only makes the probes smaller.
func (h *Hops) resized(r *Record, m *rx.Match) bool {
	if h.cfg.Resize == nil {
		return false
	}
	size, again := h.cfg.Resize(&r.Probe, m)
	if !again {
		return false
	}
	h.again[r.Tag] = true
	// A probe that was under way as another one made them smaller only follows.
	if size < h.cfg.Probe.Size {
		h.cfg.Probe.Size, r.Shrunk = size, uint32(size)
	}
	return true
}

// The states of a place. One whose answer was moved away counts as waiting,
// and expires as soon as it is first.
func (h *Hops) unsent(k int) bool {
	return h.shown[k] == k && (h.records[k].Sends == 0 || h.again[k])
}

func (h *Hops) settled(k int) bool {
	return h.shown[k] != moved && h.at(k).Outcome != Open
}

func (h *Hops) waiting(k int) bool { return !h.settled(k) && !h.unsent(k) }

// at is the record shown at place k, which must not be moved away.
func (h *Hops) at(k int) *Record {
	if h.shown[k] == gone {
		return &lost
	}
	return &h.records[h.shown[k]]
}

func (h *Hops) print(k int) {
	if h.cfg.Settle == nil {
		return
	}
	place, r := &h.records[k], h.at(k)
	h.cfg.Settle(Settled{TTL: place.TTL, Query: place.Query, Outcome: r.Outcome, Answer: r.Answer, Shrunk: r.Shrunk, Probed: r.Probed})
}
