package rx

import (
	"time"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx/anomaly"
)

// Match finds the probe that r, received at at, belongs to, fills all of m,
// and counts the reply.
//
// The reply's key leads to the probes with that identity, and nearly always to
// one with which all else agrees. Otherwise whatever came back is weighed
// against every probe that shares something of it, and Rules decide. If they
// leave none, one level of encapsulation is taken off the quote (Unwrap of
// package anomaly) and what is inside is weighed the same way.
//
// Raw probes have no identity in their transport: see findRaw for theirs.
func (t *Table) Match(r *frame.Reply, at time.Duration, m *Match) {
	*m = Match{Tag: -1, At: at, Reply: r}
	q := &r.Quote
	i, sum, reason := t.find(r, &q, m)
	if reason != ReasonNone {
		t.counts.reject(m, reason)
		return
	}
	e := &t.entries[i]
	m.attribute(e, q, sum)
	if t.Whole && r.Kind.IsError() {
		p := t.probe(e)
		m.inspect(&t.packets, e.shape, &p, e)
	}
	if e.state == inFlight && e.method == frame.Raw {
		if r.Kind == frame.KindTimeExceeded {
			t.pass(e)
		}
		t.leave(i)
	}
	if e.replies < 1<<16-1 {
		e.replies++
	}
	m.Nth = int(e.replies)
	e.state = t.counts.accept(m, e.state)
}

// attribute notes which probe the reply belongs to, and what in the quote q
// differs from it.
func (m *Match) attribute(e *entry, q *frame.Quote, sum anomaly.Flag) {
	m.Tag = e.tag
	m.Origin = Origin{Dst: e.dst, TTL: e.ttl, Sent: e.sent}
	m.RTT = max(m.At-e.sent, 1)
	if !m.Reply.Kind.IsError() {
		return
	}
	m.Flags |= e.flags(q, sum)
	if m.Rule != ruleWhole {
		m.Flags |= e.changed(q, m.Evidence)
	}
	m.Flags |= replyFlags(m.Reply, e)
	m.Flags = m.settleTTL(m.Flags)
}

// settleTTL leaves the flag of a quoted TTL to the errors of which it tells
// something: others quote what the probe had left, as they should.
func (m *Match) settleTTL(f anomaly.Flag) anomaly.Flag {
	if m.Reply.Kind != frame.KindTimeExceeded {
		return f &^ anomaly.TTL
	}
	return f
}

// inspect compares all that came back with the probe as it left, which has the
// shape at the place.
func (m *Match) inspect(packets *packets, place int32, p *frame.Probe, e *entry) {
	m.Sent = packets.build(place, p)
	quote := m.Quoted()
	if m.Sent == nil || len(quote) == 0 {
		return
	}
	f := packets.compare(m.Sent, quote)
	if sum, ok := wholeSum(m.Sent, e.method); ok && sum == 0 {
		f &^= anomaly.ChecksumRestored // it may well have left as the other zero
	}
	if e.cut {
		f &^= anomaly.Length | anomaly.LengthShort | anomaly.LengthSwapped | anomaly.FragmentBits
	}
	if e.routed {
		// Gateways swap addresses and move the pointer of the route.
		f &^= anomaly.Destination | anomaly.IPOptions | anomaly.ExtensionHeaders | anomaly.ChecksumUpdated | anomaly.ChecksumStale
	}
	m.Flags |= m.settleTTL(f)
}

// find gives the index of the reply's probe, or the reason why there is none;
// q comes as the quote of r, and becomes the one inside it if that was taken.
func (t *Table) find(r *frame.Reply, q **frame.Quote, m *Match) (int32, anomaly.Flag, Reason) {
	if reason := unfit(r); reason != ReasonNone {
		return none, 0, reason
	}
	if !r.Kind.IsError() {
		i, reason := t.findAnswered(r, m)
		if i == none && t.raws > 0 {
			var why Reason
			if i, why = t.findRaw(r); i != none {
				m.Rule, m.Evidence = ruleAnswer, addresses
				return i, 0, ReasonNone
			}
			reason = max(reason, why)
		}
		return i, 0, reason
	}
	key, ok := r.Key()
	if ok {
		if i := t.findWhole(*q, key); i != none {
			m.Rule, m.Evidence = ruleWhole, flowOnly|Identity|Word
			return i, 0, ReasonNone
		}
	}
	i, sum, reason := t.findQuoted(*q, key, ok, m)
	if i == none && t.raws > 0 {
		var why Reason
		if i, why = t.findRaw(r); i != none {
			m.Rule, m.Evidence = ruleWhole, addresses|Identity
			return i, 0, ReasonNone
		}
		reason = max(reason, why)
	}
	if i == none && reason != ReasonAmbiguous && unwrap(r, &t.inner) {
		inner := frame.Reply{Kind: r.Kind, Quote: t.inner}
		key, ok := inner.Key()
		if j, sum, why := t.findQuoted(&t.inner, key, ok, m); j != none {
			*q = &t.inner
			m.Flags |= anomaly.Encapsulated
			return j, sum, why
		}
		t.guard.charge(t.inner.Dst)
	}
	if i == none {
		t.guard.charge((*q).Dst)
	}
	return i, sum, reason
}

// findWhole gives the index of the only probe with the key that the quote agrees
// with in all that tells probes apart, none if there is no such.
func (t *Table) findWhole(q *frame.Quote, key frame.Key) int32 {
	i, ok := t.byKey[key]
	if !ok {
		return none
	}
	if t.entries[i].next == none { // as nearly all are
		if t.entries[i].same(q) {
			return i
		}
		return none
	}
	which, steps := clueWord, 0
	if !t.entries[i].v6 || t.entries[i].marked {
		which = clueIdentity
	}
	clue, ok := clueIn(which, q)
	if !ok {
		return none
	}
	only := int32(none)
	for i := t.clues[which].first(clue); i != none; i = t.entries[i].nextClue[which] {
		if e := &t.entries[i]; e.key == key && e.same(q) {
			if only != none {
				return none
			}
			only = i
		}
		if steps++; steps > mostSteps {
			return none
		}
	}
	return only
}

// unwrap takes apart what is quoted inside the reply's quote, and tells whether
// there is anything.
func unwrap(r *frame.Reply, inner *frame.Quote) bool {
	b, name := anomaly.Unwrap(r.Body[:min(r.Quote.Bytes, len(r.Body))])
	if name == "" {
		return false
	}
	frame.DecodeQuote(b, inner)
	return true
}

// findQuoted lets the rules decide whose the quote is. ok tells that it has
// the key.
//
// Strong rules leave either the identity or the word as it was, which is where
// their probes are found, or they need the key of an echo request. The others of
// the key are looked at for weak rules only, as long as those do not rest.
func (t *Table) findQuoted(q *frame.Quote, key frame.Key, ok bool, m *Match) (int32, anomaly.Flag, Reason) {
	if reason := unreadable(q); reason != ReasonNone {
		return none, 0, reason
	}
	var c contest
	c.begin(false)
	for which := range t.clues {
		t.enterClue(which, q, &c)
	}
	open := t.guard.open(q.Dst, m.At)
	if ok {
		if i, found := t.byKey[key]; found {
			t.enterKey(i, q, open || q.Method == frame.ICMP, &c)
		}
	}
	// Without the key only those with a clue entered: all in flight count.
	c.kin = max(c.kin, int(t.counts.InFlight))
	k, rule, reason := c.decide(open)
	if reason != ReasonNone {
		return none, 0, reason
	}
	m.Rule, m.Evidence = rule, k.weight.have
	return int32(k.at), k.weight.sum, ReasonNone
}

// enterClue puts every probe with the clue to the contest, but for those that
// entered by the clue before.
func (t *Table) enterClue(which int, q *frame.Quote, c *contest) {
	clue, ok := clueIn(which, q)
	if !ok {
		return
	}
	i := t.clues[which].first(clue)
	for steps := 0; i != none && steps < mostSteps; steps++ {
		e := &t.entries[i]
		if own, _ := e.clue(which); own == clue && !(which > 0 && e.hasClue(0, q)) {
			t.enter(i, q, c)
		}
		i = e.nextClue[which]
	}
}

// hasClue tells whether the quote has the probe's clue.
func (e *entry) hasClue(which int, q *frame.Quote) bool {
	own, ok := e.clue(which)
	clue, there := clueIn(which, q)
	return ok && there && own == clue
}

func (t *Table) enter(i int32, q *frame.Quote, c *contest) {
	e := &t.entries[i]
	if !e.routed {
		c.enter(uint32(i), e, e.weigh(q, nil))
		return
	}
	route := t.routes[i]
	c.enter(uint32(i), e, e.weigh(q, &route))
}

// enterKey puts the probes of a key to the contest, all of them or only as many
// as it takes to see whose the flow is. i is the newest.
func (t *Table) enterKey(i int32, q *frame.Quote, all bool, c *contest) {
	most := glances
	if all {
		most = mostAlike + 1
	}
	for steps := 0; i != none && steps < most; steps++ {
		if e := &t.entries[i]; !e.hasClue(clueIdentity, q) && !e.hasClue(clueWord, q) {
			t.enter(i, q, c)
		}
		i = t.entries[i].next
	}
}

// glances is how many probes of a key are looked at while weak rules rest.
const glances = 4

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
	return ReasonNone
}

// unreadable says why the quote can be no probe's.
func unreadable(q *frame.Quote) Reason {
	switch {
	case q.Malformed:
		return ReasonMalformed
	case !q.Src.IsValid():
		return ReasonTruncated // not even an IP header
	}
	return ReasonNone
}

// dccpSeqEnd is where the sequence number of a quoted DCCP packet ends, RFC
// 4340 section 5.1. The 8 bytes that every router quotes end before it.
const dccpSeqEnd = 16
