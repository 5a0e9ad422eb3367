package survey

import (
	"fmt"
	"slices"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
)

// A strategy that was restored can be told once more what the one that was saved
// has been told since: Replay for every event, in the same order, and Replayed
// at the end. From then on it knows what that one knew at the last event, and
// will send again what was in flight then. Nothing may be planned before.
//
// What a strategy plans is not replayed, as it depends on how much room there
// was: that a probe left tells that it was planned, and so were those before it
// in the order.

// Event is something that a strategy was told.
type Event struct {
	Kind  EventKind
	Tag   int
	Match *rx.Match // Learned: Verdict, Flags, RTT, At and Reply. The rest is filled in
}

// EventKind is what an Event is about.
type EventKind uint8

// The kinds of events.
const (
	Left    EventKind = iota // a probe left: Strategy.Sent
	Learned                  // Strategy.Learn
	Expired                  // Expirer.Expired
)

// maxSkip is how many probes may be planned between two that leave: those that
// a backoff holds back.
const maxSkip = 2 * maxHeld

// outstanding are the probes that are planned or in flight while a strategy is
// told what was.
type outstanding map[int]struct{}

// begin takes in what a restored strategy would send again.
func (o *outstanding) begin(again *fifo[int]) {
	if *o == nil {
		*o = outstanding{}
	}
	for ; again.n > 0; again.pop() {
		(*o)[again.at(0)] = struct{}{}
	}
}

func (o outstanding) has(tag int) bool {
	_, ok := o[tag]
	return ok
}

// end gives them back, in order.
func (o *outstanding) end(again *fifo[int]) {
	tags := make([]int, 0, len(*o))
	for tag := range *o {
		tags = append(tags, tag)
	}
	slices.Sort(tags)
	for _, tag := range tags {
		again.put(tag)
	}
	*o = nil
}

func impossible(e *Event) error {
	return fmt.Errorf("replay: event %d can't be of the probe with the tag %d at this point", e.Kind, e.Tag)
}

// Probe is what leaves for a tag, valid until the next call of any method. The
// tag must be of a probe that left.
func (r *Random) Probe(tag int) *frame.Probe {
	point := uint64(tag)
	t := r.split(point / r.ttls)
	return r.fill(t.Target, uint64(t.Flow), r.First+uint8(point%r.ttls))
}

// Probe is what leaves for a tag, valid until the next call of any method. The
// tag must be of a probe that left.
func (p *plan) Probe(tag int) *frame.Probe {
	trace, _, ttl := splitTag(tag)
	t := p.split(trace)
	return p.fill(t.Target, uint64(t.Flow), ttl)
}

// learned has the strategy learn, with the origin as it was.
func (p *plan) learned(e *Event, s interface {
	Probe(int) *frame.Probe
	Learn(*rx.Match)
}) {
	m := e.Match
	if p.back != nil {
		p.back.now = m.At
	}
	probe := s.Probe(e.Tag)
	m.Tag = e.Tag
	m.Origin = rx.Origin{Dst: probe.Dst, TTL: probe.TTL, Sent: m.At - m.RTT}
	s.Learn(m)
}

// Replay takes in an event. It gives an error, and nothing more may be asked of
// the strategy, if none such can follow those before it.
func (r *Random) Replay(e *Event) error {
	r.was.begin(&r.again)
	r.flying = uint64(len(r.was))
	if e.Tag < 0 || uint64(e.Tag) >= r.order.Len() {
		return impossible(e)
	}
	place := r.order.Place(uint64(e.Tag))
	if place%r.Shards != r.Shard {
		return impossible(e)
	}
	place /= r.Shards
	settled := e.Kind == Expired || e.Kind == Learned && settles(e.Match)
	switch {
	case e.Kind == Left && place >= r.sent && place-r.sent <= maxSkip:
		for ; r.sent <= place; r.sent++ {
			r.was[int(r.order.At(r.sent*r.Shards+r.Shard))] = struct{}{}
		}
	case place >= r.sent || (settled || e.Kind == Left) && !r.was.has(e.Tag):
		return impossible(e)
	case e.Kind == Expired:
		delete(r.was, e.Tag)
		r.Expired(e.Tag, nil)
	case e.Kind == Learned:
		if settled {
			delete(r.was, e.Tag)
		}
		r.learned(e, r)
	}
	return nil
}

// Replayed ends what Replay began.
func (r *Random) Replayed() {
	if r.was != nil {
		r.was.end(&r.again)
		r.flying = 0
	}
}

// Replay takes in an event. It gives an error, and nothing more may be asked of
// the strategy, if none such can follow those before it.
func (f *Full) Replay(e *Event) error {
	f.was.begin(&f.again)
	trace, attempt, ttl := splitTag(e.Tag)
	if e.Tag < 0 || trace >= f.targets*f.flows || attempt >= f.Attempts || ttl < f.First || ttl > f.Max {
		return impossible(e)
	}
	settled := e.Kind == Expired || e.Kind == Learned && settles(e.Match)
	if e.Kind == Left && attempt == 0 && !f.was.has(e.Tag) {
		if !f.planned(trace, ttl) {
			return impossible(e)
		}
		return nil
	}
	if (settled || e.Kind == Left) && !f.was.has(e.Tag) {
		return impossible(e)
	}
	if settled {
		// It has left: what is in flight in the end will leave again, and is
		// counted then.
		f.sent++
		delete(f.was, e.Tag)
	}
	switch e.Kind {
	case Expired:
		f.Expired(e.Tag, nil)
	case Learned:
		f.learned(e, f)
	}
	return nil
}

// planned notes that all points up to this one are planned, and tells whether
// this one was not.
func (f *Full) planned(trace uint64, ttl uint8) bool {
	place := trace / f.flows
	if len(f.blocks) > 0 && place < f.blocks[0].first || len(f.blocks) == 0 && place < f.next {
		return false
	}
	for skipped, i := uint64(0), 0; ; i++ {
		if i == len(f.blocks) && !f.open() {
			return false
		}
		k := &f.blocks[i]
		last := k.order.Len()
		here := place < k.first+k.targets
		if here {
			at := k.order.Place((trace-k.first*f.flows)*f.ttls + uint64(ttl-f.First))
			if at < k.sent {
				return false
			}
			last = at + 1
		}
		if skipped += last - k.sent; skipped > maxSkip {
			return false
		}
		for ; k.sent < last; k.sent++ {
			point := k.order.At(k.sent)
			f.was[makeTag(k.first*f.flows+point/f.ttls, 0, f.First+uint8(point%f.ttls))] = struct{}{}
		}
		if here {
			return true
		}
	}
}

// Replayed ends what Replay began.
func (f *Full) Replayed() {
	if f.was != nil {
		f.was.end(&f.again)
	}
}

// Replay takes in an event. It gives an error, and nothing more may be asked of
// the strategy, if none such can follow those before it.
//
// A probe that nobody waits for any more may have left all the same: it stood in
// the queue when the target's answer made it needless.
func (a *Adaptive) Replay(e *Event) error {
	trace, attempt, ttl := splitTag(e.Tag)
	if e.Tag < 0 || trace >= a.all || attempt >= a.Attempts || ttl < a.First || ttl > a.Max {
		return impossible(e)
	}
	switch {
	case e.Kind == Left && trace >= a.next && trace-a.next <= maxSkip:
		for a.next <= trace {
			if a.full() {
				return impossible(e)
			}
			a.begin(1)
		}
		fallthrough
	case e.Kind == Left && trace < a.next:
		if w := a.underWay(trace); w != nil && w.untouched() {
			w.start, w.back = ttl, ttl // as was thought then
		}
	case trace >= a.next:
		return impossible(e)
	case e.Kind == Expired:
		a.sent++
		a.Expired(e.Tag, nil)
	case e.Kind == Learned:
		if settles(e.Match) {
			a.sent++
		}
		a.learned(e, a)
		a.catchUp()
	}
	a.out.n = 0 // the walks know, see Replayed
	return nil
}

// untouched tells that a walk has learned nothing yet.
func (w *walk) untouched() bool {
	return *w == walk{back: w.start, start: w.start, state: walking | backOut}
}

// Replayed ends what Replay began.
func (a *Adaptive) Replayed() {
	a.out.n = 0
	for trace := a.oldest; trace < a.next; trace++ {
		a.ask(trace, a.walk(trace))
	}
}

// ask asks for the probes that a walk waits for.
func (a *Adaptive) ask(trace uint64, w *walk) {
	target := a.split(trace).Target
	if w.state&backOut != 0 {
		a.out.put(due{makeTag(trace, w.attempt(backward), w.back), target})
	}
	if w.state&aheadOut != 0 {
		a.out.put(due{makeTag(trace, w.attempt(forward), w.ahead), target})
	}
}
