package rx

import (
	"time"

	"github.com/hopquote/hopquote/frame"
)

// Match finds the probe that r, received at at, belongs to, fills all of m,
// and counts the reply.
//
// The reply's key leads to the probes with that identity; one is a candidate
// only if a quote's addresses and TCP or DCCP sequence number are its own, or if
// a direct answer comes from its destination to its source and acknowledges it.
// A probe with a Route may be quoted on the way to any of its gateways.
// Of several candidates the one with the quoted IPv4 identification is taken,
// if there is exactly one, else the newest in flight, else the newest.
//
// Raw probes have no identity in their transport: see findRaw for theirs.
func (t *Table) Match(r *frame.Reply, at time.Duration, m *Match) {
	*m = Match{Tag: -1, At: at, Reply: r}
	t.counts.Received++
	i, reason := t.find(r)
	if reason != ReasonNone {
		m.Reason = reason
		t.counts.Stray[reason]++
		return
	}
	e := &t.entries[i]
	m.attribute(e, at)
	if e.state == inFlight && e.method == frame.Raw {
		if r.Kind == frame.KindTimeExceeded {
			t.pass(e)
		}
		t.leave(i)
	}
	m.Verdict, e.state = t.counts.judge(e.state, m.Diff)
}

// attribute notes which probe the reply, received at at, belongs to, and what in
// the quote differs from it.
func (m *Match) attribute(e *entry, at time.Duration) {
	m.Tag = e.tag
	m.Origin = Origin{Dst: e.dst, TTL: e.ttl, Sent: e.sent}
	m.RTT = max(at-e.sent, 1)
	if m.Reply.Kind.IsError() {
		m.Diff = e.diff(&m.Reply.Quote)
	}
}

// judge gives the verdict on a reply to a probe in state s, counts it, and gives
// the state that the probe is in from now on.
func (c *Counts) judge(s state, d Diff) (Verdict, state) {
	switch s {
	case answered:
		c.Duplicate++
		return Duplicate, s
	case expired:
		c.Late++
		return Late, s
	}
	c.InFlight--
	c.Answered++
	c.Matched++
	if d.Rewrites() != 0 {
		return Rewritten, answered
	}
	return Exact, answered
}

// find gives the index of the reply's probe, or the reason why there is none.
func (t *Table) find(r *frame.Reply) (int32, Reason) {
	if reason := unfit(r); reason != ReasonNone {
		return none, reason
	}
	i, reason := int32(none), ReasonTruncated
	if !r.Kind.IsError() || r.Quote.Transport >= 8 {
		key, ok := r.Key()
		i, reason = t.choose(r, key, ok)
	}
	if i == none && t.raws > 0 {
		var nearer Reason
		i, nearer = t.findRaw(r)
		reason = max(reason, nearer)
	}
	if i != none {
		reason = ReasonNone
	}
	return i, reason
}

// choose gives the index of the probe with the key that the reply belongs to,
// or the reason why there is none.
func (t *Table) choose(r *frame.Reply, key frame.Key, ok bool) (int32, Reason) {
	if !ok {
		return none, ReasonNoKey
	}
	i, ok := t.byKey[key]
	if !ok {
		return none, ReasonUnknown
	}
	if t.entries[i].next == none {
		// The only one of its key, as nearly all are.
		if bad := t.refuse(i, r); bad != ReasonNone {
			return none, bad
		}
		return i, ReasonNone
	}
	// IPv6 has no identification to choose by, and a direct answer quotes none.
	byID := r.Kind.IsError() && r.Quote.Src.Is4()
	reason := ReasonUnknown
	newest, flying, same := int32(none), int32(none), int32(none)
	sames := 0
	for ; i != none; i = t.entries[i].next {
		e := &t.entries[i]
		if bad := t.refuse(i, r); bad != ReasonNone {
			reason = max(reason, bad)
			continue
		}
		if newest == none {
			newest = i
		}
		if flying == none && e.state == inFlight {
			flying = i
		}
		if byID && e.id == r.Quote.ID {
			same = i
			sames++
		}
	}
	switch {
	case newest == none:
		return none, reason
	case sames == 1:
		return same, ReasonNone
	case flying != none:
		return flying, ReasonNone
	}
	return newest, ReasonNone
}

// unfit says why the reply can answer no probe at all, before any is looked
// at.
func unfit(r *frame.Reply) Reason {
	switch r.Kind {
	case frame.KindNone:
		return ReasonNoKey
	case frame.KindTruncated:
		return ReasonTruncated
	case frame.KindMalformed:
		return ReasonMalformed
	case frame.KindFragment:
		return ReasonFragment
	}
	if r.Checksum == frame.ChecksumBad {
		return ReasonChecksum
	}
	switch r.Kind {
	case frame.KindRedirect, frame.KindSourceQuench, frame.KindICMPOther:
		return ReasonKind
	}
	if !r.Kind.IsError() {
		return ReasonNone
	}
	switch q := &r.Quote; {
	case q.Malformed:
		return ReasonMalformed
	case q.Fragment:
		return ReasonFragment
	}
	return ReasonNone
}

// refuse says what in the reply isn't the i-th probe's, see entry.refuse.
func (t *Table) refuse(i int32, r *frame.Reply) Reason {
	e := &t.entries[i]
	if e.routed {
		return e.refuse(r, t.routes[i])
	}
	return e.refuse(r, frame.Route{})
}

// refuse says what in the reply isn't the probe's, though the keys are equal.
// The greater the reason, the nearer the reply came.
func (e *entry) refuse(r *frame.Reply, route frame.Route) Reason {
	if r.Kind.IsError() {
		q := &r.Quote
		switch {
		case q.Src != e.src || q.Dst != e.dst && !(e.routed && route.Passes(q.Dst)):
			return ReasonAddress
		case e.method == frame.TCP && q.Seq != e.seq:
			return ReasonSequence
		case e.method == frame.DCCP && q.Transport >= dccpSeqEnd && q.Seq != e.seq:
			return ReasonSequence
		}
		return ReasonNone
	}
	switch {
	case r.From != e.dst:
		return ReasonSource
	case r.To != e.src:
		return ReasonAddress
	case r.HasAck() && !e.acknowledged(r.Ack):
		return ReasonSequence
	}
	return ReasonNone
}

// dccpSeqEnd is where the sequence number of a quoted DCCP packet ends, RFC
// 4340 section 5.1. The 8 bytes that every router quotes end before it.
const dccpSeqEnd = 16

// acknowledged tells whether ack can answer the probe: for TCP its sequence
// number or the one after it, or one more where both SYN and FIN were sent,
// since each takes one (RFC 9293 section 3.4); for DCCP its sequence number
// itself (RFC 4340 section 5.3).
func (e *entry) acknowledged(ack uint32) bool {
	if e.method == frame.DCCP {
		return ack == e.seq
	}
	const both = frame.FlagSYN | frame.FlagFIN
	span := uint32(1)
	if e.flags&both == both {
		span = 2
	}
	return ack-e.seq <= span
}
