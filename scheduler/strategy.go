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

// Expirer is a Strategy that hears of the probes that a Book with a timeout of
// its own gave up, oldest first, before the next Plan. o is valid during the
// call only, and nil for a probe that never left (Config.Unrouted).
type Expirer interface {
	Strategy
	Expired(tag int, o *rx.Origin)
}

// Leaver is a Strategy that hears that it was done, and its engine ends. Of
// Shards that is when all are. Only Learn may be called after Leave: for replies
// that another engine had last.
type Leaver interface {
	Strategy
	Leave()
}

// Pass is one round of planning. The engine lends it to the strategy.
type Pass struct {
	// Now is the time up to which every reply has been learned.
	Now time.Duration
	// Room is how many probes may leave.
	Room int
	// InFlight is how many probes are neither answered nor given up.
	InFlight int
	// Wake is when the strategy wants the next pass, if no reply comes first.
	Wake time.Duration

	planned []planned
	expired []int
}

// planned is a probe from Plan until it has left.
type planned struct {
	tag    int
	ticket rx.Ticket
	cut    bool // leaves in fragments
	skip   bool // settled without leaving
	lost   bool // and nothing leads to its destination: it is settled in its place
	probe  frame.Probe
}

// size is the probe's whole IP length in bytes.
func (p *planned) size() int {
	if p.probe.Size == 0 {
		return p.probe.HeaderLen()
	}
	return p.probe.Size
}

// Send asks for a probe. It reports false, and does nothing, without room. The
// probe is copied once, to where it stays until it has left.
func (p *Pass) Send(tag int, probe *frame.Probe) bool {
	if p.Room <= 0 {
		return false
	}
	p.Room--
	n := len(p.planned)
	if n == cap(p.planned) {
		p.planned = append(p.planned, planned{})
	} else {
		p.planned = p.planned[:n+1]
	}
	e := &p.planned[n]
	e.tag, e.ticket, e.cut, e.skip, e.lost = tag, 0, false, false, false
	e.probe = *probe
	return true
}

// Expire gives a probe up: it leaves the window and its replies become late. It
// does nothing where the Book has a timeout of its own, see Expirer.
func (p *Pass) Expire(tag int) { p.expired = append(p.expired, tag) }

// reset begins a round. Without room the probes of the round before stay: they
// may still wait for the sender.
func (p *Pass) reset(now time.Duration, room, inFlight int) {
	p.Now, p.Room, p.InFlight, p.Wake = now, room, inFlight, Never
	p.expired = p.expired[:0]
	if room > 0 {
		p.planned = p.planned[:0]
	}
}
