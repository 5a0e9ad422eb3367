package rx

import (
	"math/bits"
	"net/netip"

	"github.com/hopquote/hopquote/frame"
)

// flow is what the direct answers to Raw probes have in common with them.
type flow struct {
	src, dst netip.Addr
	protocol uint8
}

// line is the Raw probes of one flow in flight, in order of sending.
type line struct {
	oldest, newest int32
	passed         uint8 // highest TTL at which a router let one of them expire
}

func (e *entry) flow() flow { return flow{e.src, e.dst, e.protocol} }

// findRaw gives the index of the Raw probe that the reply belongs to, or the
// reason why there is none.
//
// A quote is told by its IPv4 identification or IPv6 flow label. Where that came
// back as zero, or an identification in the wrong byte order, it still belongs
// to the probe of its flow that is alone in flight.
//
// A direct answer carries no identity. It belongs to the oldest probe of its
// flow in flight that is meant to go further than any router that answered so
// far: right whenever no router on the way is silent or one probe is in flight
// at a time. One that comes when nothing is in flight is a stray.
func (t *Table) findRaw(r *frame.Reply) (int32, Reason) {
	if !r.Kind.IsError() {
		return t.findAnswered(r)
	}
	key, ok := r.RawKey()
	if !ok {
		return none, ReasonTruncated
	}
	i, reason := t.choose(r, key, true)
	if i != none {
		return i, reason
	}
	q := &r.Quote
	l, ok := t.lines[flow{q.Src, q.Dst, q.Protocol}]
	if !ok || l.oldest != l.newest || !t.entries[l.oldest].blurred(q) {
		return none, reason
	}
	return l.oldest, ReasonNone
}

// blurred tells whether the quote's identity is what bad quoting makes of the
// probe's.
func (e *entry) blurred(q *frame.Quote) bool {
	if e.dst.Is6() {
		return q.Label == 0
	}
	return q.ID == 0 || q.ID == bits.ReverseBytes16(e.id)
}

func (t *Table) findAnswered(r *frame.Reply) (int32, Reason) {
	l, ok := t.lines[flow{r.To, r.From, r.Protocol}]
	if !ok {
		return none, ReasonUnknown
	}
	for i := l.oldest; i != none; i = t.entries[i].behind {
		if t.entries[i].ttl > l.passed {
			return i, ReasonNone
		}
	}
	return none, ReasonUnknown
}

// queue puts a Raw probe at the end of its line.
func (t *Table) queue(i int32) {
	e := &t.entries[i]
	e.ahead, e.behind = none, none
	l, ok := t.lines[e.flow()]
	if ok {
		e.ahead = l.newest
		t.entries[l.newest].behind = i
	} else {
		l.oldest = i
	}
	l.newest = i
	t.lines[e.flow()] = l
}

// pass notes that a router let the probe expire.
func (t *Table) pass(e *entry) {
	if e.method == frame.Raw {
		l := t.lines[e.flow()]
		l.passed = max(l.passed, e.ttl)
		t.lines[e.flow()] = l
	}
}

// leave takes a probe in flight out of its line, if it has one.
func (t *Table) leave(i int32) {
	e := &t.entries[i]
	if e.method != frame.Raw {
		return
	}
	l := t.lines[e.flow()]
	if e.ahead == none {
		l.oldest = e.behind
	} else {
		t.entries[e.ahead].behind = e.behind
	}
	if e.behind == none {
		l.newest = e.ahead
	} else {
		t.entries[e.behind].ahead = e.ahead
	}
	if l.oldest == none {
		delete(t.lines, e.flow())
		return
	}
	t.lines[e.flow()] = l
}
