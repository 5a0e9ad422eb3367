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

// neighbours are what is next to a place in its line.
type neighbours struct {
	ahead  int32 // the next older one
	behind int32 // the next newer one
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
		return t.findRawAnswered(r)
	}
	key, ok := r.RawKey()
	if !ok {
		return none, ReasonTruncated
	}
	i, reason := t.chooseRaw(r, key)
	if i != none {
		return i, ReasonNone
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

// chooseRaw gives the index of the probe with the key that the quote is of: of
// several the newest in flight, else the newest.
func (t *Table) chooseRaw(r *frame.Reply, key frame.Key) (int32, Reason) {
	i, ok := t.byKey[key]
	if !ok {
		return none, ReasonUnknown
	}
	q := &r.Quote
	newest := int32(none)
	for ; i != none; i = t.entries[i].next {
		e := &t.entries[i]
		if q.Src != e.src || q.Dst != e.dst && !(e.routed && t.routes[i].Passes(q.Dst)) {
			continue
		}
		if e.state == inFlight {
			return i, ReasonNone
		}
		if newest == none {
			newest = i
		}
	}
	if newest == none {
		return none, ReasonAddress
	}
	return newest, ReasonNone
}

func (t *Table) findRawAnswered(r *frame.Reply) (int32, Reason) {
	l, ok := t.lines[flow{r.To, r.From, r.Protocol}]
	if !ok {
		return none, ReasonUnknown
	}
	for i := l.oldest; i != none; i = t.links[i].behind {
		if t.entries[i].ttl > l.passed {
			return i, ReasonNone
		}
	}
	return none, ReasonUnknown
}

// queue puts a Raw probe at the end of its line.
func (t *Table) queue(i int32) {
	if n := len(t.entries) - len(t.links); n > 0 {
		t.links = append(t.links, make([]neighbours, n)...)
	}
	f := t.entries[i].flow()
	at := neighbours{none, none}
	l, ok := t.lines[f]
	if ok {
		at.ahead = l.newest
		t.links[l.newest].behind = i
	} else {
		l.oldest = i
	}
	t.links[i] = at
	l.newest = i
	t.lines[f] = l
}

// pass notes that a router let a Raw probe expire.
func (t *Table) pass(e *entry) {
	l := t.lines[e.flow()]
	l.passed = max(l.passed, e.ttl)
	t.lines[e.flow()] = l
}

// leave takes a Raw probe in flight out of its line.
func (t *Table) leave(i int32) {
	f, at := t.entries[i].flow(), t.links[i]
	l := t.lines[f]
	if at.ahead == none {
		l.oldest = at.behind
	} else {
		t.links[at.ahead].behind = at.behind
	}
	if at.behind == none {
		l.newest = at.ahead
	} else {
		t.links[at.behind].ahead = at.ahead
	}
	if l.oldest == none {
		delete(t.lines, f)
		return
	}
	t.lines[f] = l
}
