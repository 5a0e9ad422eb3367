package rx

import (
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx/anomaly"
)

// findAnswered gives the index of the probe that a direct answer belongs to:
// nothing but its flow tells which where it acknowledges none, and then it is
// the newest in flight, or the newest.
func (t *Table) findAnswered(r *frame.Reply, m *Match) (int32, Reason) {
	key, ok := r.Key()
	if !ok {
		return none, ReasonNoKey
	}
	i, ok := t.byKey[key]
	if !ok {
		return none, ReasonUnknown
	}
	var c contest
	c.begin(true)
	t.enterAnswered(i, r, &c)
	k, rule, reason := c.decideAnswer(t.guard.open(r.From, m.At))
	if reason != ReasonNone {
		t.guard.charge(r.From)
		return none, reason
	}
	m.answered(&c, k, rule)
	_, mask, _ := r.Token()
	switch e := &t.entries[k.at]; {
	case m.Ambiguous:
		t.share(i)
	case mask == 0 && c.flying == 1:
		m.Ambiguous = e.shared
	}
	return int32(k.at), ReasonNone
}

// share notes of the probes in flight of a key, of which i is the newest, that an
// answer may be theirs.
func (t *Table) share(i int32) {
	for steps := 0; i != none && steps < mostSteps; i, steps = t.entries[i].next, steps+1 {
		if e := &t.entries[i]; e.state == inFlight {
			e.shared = true
		}
	}
}

// enterAnswered puts the probes of a key to the contest, of which i is the newest:
// those with the number that a TCP answer acknowledges first.
func (t *Table) enterAnswered(i int32, r *frame.Reply, c *contest) {
	key := t.entries[i].key
	for steps := 0; i != none && steps < mostSteps; steps++ {
		t.enterAnswer(i, r, c)
		i = t.entries[i].next
	}
	if i == none || r.Kind != frame.KindTCP || c.best < len(c.rules) {
		return
	}
	for seq := r.Ack - 1; seq != r.Ack+1; seq++ { // see acknowledged
		i := t.clues[clueWord].first(uint64(seq))
		for steps := 0; i != none && steps < mostSteps; steps++ {
			e := &t.entries[i]
			if e.key == key && e.seq == seq {
				t.enterAnswer(i, r, c)
			}
			i = e.nextClue[clueWord]
		}
	}
}

func (t *Table) enterAnswer(i int32, r *frame.Reply, c *contest) {
	e := &t.entries[i]
	w := e.weighAnswer(r)
	if t.TargetOnly && w.have&Destination == 0 {
		w.have &= ports // near, and no more
	}
	c.enter(uint32(i), e, w)
}

// answered notes by what a direct answer was attributed.
func (m *Match) answered(c *contest, k candidate, rule RuleID) {
	m.Rule, m.Evidence = rule, k.weight.have
	m.Ambiguous = c.flying > 1
	if k.weight.have&Destination == 0 {
		m.Flags |= anomaly.OtherAddress
	}
}

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
	if e.tcpFlags&both == both {
		span = 2
	}
	return ack-e.seq <= span
}
