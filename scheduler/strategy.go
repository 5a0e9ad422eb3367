package scheduler

import (
	"math"
	"time"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
)

// Never is the wake time of a strategy that waits for replies only.
const Never = time.Duration(math.MaxInt64)

// Strategy is pure decision logic: which probe next, what an answer or a
// passed deadline teaches, when to stop. It owns no socket, clock or
// goroutine, so the same calls always give the same decisions.
//
// The engine names each probe by the strategy's own tag. A tag may be sent
// again; answers to earlier sends are then late.
type Strategy interface {
	// Plan settles what is overdue at pass.Now, asks for probes while
	// pass.Room lasts, and sets pass.Wake. The engine calls it again, at the
	// same Now, until it neither sends nor expires anything.
	Plan(pass *Pass)
	// Sent tells that a planned probe left at the given time, with the
	// identity that it was given.
	Sent(tag int, p *frame.Probe, at time.Duration)
	// Learn takes in a reply that belongs to one of the probes. m and its
	// Reply are valid during the call only.
	Learn(m *rx.Match)
	// Done tells that the strategy has no more to learn.
	Done() bool
}

// Pass is one round of planning. The engine lends it to the strategy.
type Pass struct {
	// Now is the time up to which every reply has been learned.
	Now time.Duration
	// Room is how many probes may leave.
	Room int
	// Wake is when the strategy wants the next pass, if no reply comes first.
	Wake time.Duration

	planned []planned
	expired []int
}

type planned struct {
	tag   int
	probe frame.Probe
}

// Send asks for a probe. It reports false, and does nothing, without room.
func (p *Pass) Send(tag int, probe *frame.Probe) bool {
	if p.Room <= 0 {
		return false
	}
	p.Room--
	p.planned = append(p.planned, planned{tag, *probe})
	return true
}

// Expire gives a probe up: it leaves the window and its replies become late.
func (p *Pass) Expire(tag int) { p.expired = append(p.expired, tag) }

func (p *Pass) reset(now time.Duration, room int) {
	p.Now, p.Room, p.Wake = now, room, Never
	p.planned, p.expired = p.planned[:0], p.expired[:0]
}
