package scheduler

import (
	"time"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
)

// Book gives every probe its identity, and knows the probe again by its
// replies: identity and match record in one. rx.Ledger is the one for millions
// of probes with one timeout; an Engine without a Book makes one of Identities
// and an rx.Table, for traces.
//
// One goroutine owns a Book.
type Book interface {
	// Take fills the identity fields of p, which is to leave under tag, cut into
	// fragments or whole. An error that is ErrBusy (errors.Is) passes once a
	// probe is answered or given up.
	Take(tag int, p *frame.Probe, cut bool) (rx.Ticket, error)
	// Enter notes that the probe left at at. Probes are entered in the order in
	// which they were taken.
	Enter(t rx.Ticket, tag int, p *frame.Probe, at time.Duration)
	// Return takes back what Take gave to a probe that will never leave.
	Return(t rx.Ticket, p *frame.Probe)

	// Expire gives up the tag's probe: replies from now on are Late. A Book with
	// a timeout of its own ignores it.
	Expire(tag int)
	// Overdue gives up every probe whose timeout is over at now, the time up to
	// which every reply was handed to Match, and tells f of each, oldest first;
	// f may be nil. It gives the time at which the next one's is over, or Never.
	Overdue(now time.Duration, f func(tag int, o *rx.Origin)) time.Duration

	// Match finds the probe that r, received at at, belongs to, fills all of m,
	// and counts the reply.
	Match(r *frame.Reply, at time.Duration, m *rx.Match)
	// InFlight is how many probes are neither answered nor given up.
	InFlight() int
	Counts() rx.Counts
	// Close gives back what the probes in flight hold. Counts and Match still
	// work.
	Close()
}

// register is the Book of traces: identities as Identities gives them, and an
// rx.Table that never forgets.
type register struct {
	*rx.Table
	identities Identities
	held       holdings // probes whose identity is taken
}

func newRegister(identities Identities, hint int) *register {
	r := &register{Table: rx.NewTable(hint), identities: identities, held: newHoldings()}
	r.Whole, r.TargetOnly = true, true
	return r
}

func (r *register) Take(_ int, p *frame.Probe, cut bool) (rx.Ticket, error) {
	if cut {
		return cutTicket, r.identities.Take(p)
	}
	return 0, r.identities.Take(p)
}

// cutTicket is the ticket of a probe that leaves in fragments.
const cutTicket rx.Ticket = 1

// Enter puts a probe that left into the table.
func (r *register) Enter(t rx.Ticket, tag int, p *frame.Probe, at time.Duration) {
	if t == cutTicket {
		r.AddCut(tag, p, at)
	} else {
		r.Add(tag, p, at)
	}
	r.release(tag) // of an earlier send
	r.held.put(tag, p)
}

func (r *register) Return(_ rx.Ticket, p *frame.Probe) { r.identities.Release(p) }

func (r *register) Expire(tag int) {
	r.Table.Expire(tag)
	r.release(tag)
}

// Overdue gives up nothing: the strategies of traces know their timeouts.
func (r *register) Overdue(time.Duration, func(int, *rx.Origin)) time.Duration { return Never }

func (r *register) Match(reply *frame.Reply, at time.Duration, m *rx.Match) {
	r.Table.Match(reply, at, m)
	if m.Verdict.First() {
		r.release(m.Tag)
	}
}

func (r *register) Close() {
	for tag := range r.held.byTag {
		r.release(tag)
	}
}

func (r *register) release(tag int) {
	if p := r.held.take(tag); p != nil {
		r.identities.Release(p)
	}
}
