package rx

import (
	"net/netip"
	"time"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx/anomaly"
)

// wholeToken is the mask of a token that came back with all its bits.
const wholeToken = 1<<32 - 1

// Match finds the probe that r, received at at, belongs to, fills all of m, and
// counts the reply.
//
// A whole token leads to one probe, and nearly always all else agrees with it.
// Otherwise Rules decide between that probe and those of the destination, of
// which half a token may have come back: IPv6 quotes of 48 bytes, an
// identification or checksum of zero. A direct answer that brings nothing back
// but addresses and ports (UDP, a RST without acknowledgment) belongs to the
// probe in flight with the highest TTL, the newest of those: the one that has
// reached the destination if any has. Match.Ambiguous then says that others
// were in flight, and so do the answers that are left for those.
func (l *Ledger) Match(r *frame.Reply, at time.Duration, m *Match) {
	*m = Match{Tag: -1, At: at, Reply: r}
	q := &r.Quote
	seq, e, sum, reason := l.find(r, &q, m)
	if reason != ReasonNone {
		l.counts.reject(m, reason)
		return
	}
	m.attribute(e, q, sum)
	if l.whole && r.Kind.IsError() {
		if l.sent.Method == frame.ICMP {
			l.sent.Sum = q.Checksum // it is not remembered
		}
		m.inspect(&l.packets, l.packets.find(l.sent), l.sent, e)
	}
	l.counts.accept(m, e.state)
	if m.Verdict.First() {
		l.ring.setState(seq, done)
	}
	m.Nth = l.ring.count(seq)
}

// find gives the reply's probe and its number, or the reason why there is none. q
// is as in Table.find.
func (l *Ledger) find(r *frame.Reply, q **frame.Quote, m *Match) (uint32, *entry, anomaly.Flag, Reason) {
	if reason := unfit(r); reason != ReasonNone {
		return 0, nil, 0, reason
	}
	if !r.Kind.IsError() {
		seq, e, reason := l.findAnswered(r, m)
		return seq, e, 0, reason
	}
	token, mask, _ := r.Token()
	if mask == wholeToken {
		key, ok := r.Key()
		seq := l.cipher.Decrypt(token)
		if ok && l.has(seq) {
			e := l.expand(seq, token, m.At)
			if e.key == key && e.same(*q) {
				m.Rule, m.Evidence = ruleWhole, flowOnly|Identity|Word
				return seq, e, 0, ReasonNone
			}
		}
	}
	seq, e, sum, reason := l.findQuoted(r, m)
	if reason != ReasonNone && reason != ReasonAmbiguous && unwrap(r, &l.inner.Quote) {
		l.inner.Kind = r.Kind
		if seq, e, sum, reason := l.findQuoted(&l.inner, m); reason == ReasonNone {
			*q = &l.inner.Quote
			m.Flags |= anomaly.Encapsulated
			return seq, e, sum, reason
		}
		l.guard.charge(l.inner.Quote.Dst)
	}
	if reason != ReasonNone {
		l.guard.charge((*q).Dst)
	}
	return seq, e, sum, reason
}

// has tells whether a probe left under the number and still has its slot.
func (l *Ledger) has(seq uint32) bool {
	return l.entered-1-seq < l.ring.size && l.ring.state(seq) != void
}

// gone tells whether the number was given out and its slot taken again since.
// Its token is whole, though there is nothing left to compare it with: half of
// it may be another probe's only by chance.
func (l *Ledger) gone(seq uint32) bool {
	age := l.entered - 1 - seq
	return age >= l.ring.size && uint64(age) < l.numbers
}

// findQuoted lets the rules decide whose the quote of r is.
func (l *Ledger) findQuoted(r *frame.Reply, m *Match) (uint32, *entry, anomaly.Flag, Reason) {
	q := &r.Quote
	if reason := unreadable(q); reason != ReasonNone {
		return 0, nil, 0, reason
	}
	var c contest
	c.begin(false)
	c.shared = l.shared
	token, mask, _ := r.Token()
	if mask == wholeToken {
		seq := l.cipher.Decrypt(token)
		l.enter(seq, token, q, m.At, &c)
		if l.gone(seq) {
			return 0, nil, 0, ReasonUnknown
		}
	}
	if q.Marked && q.Mark != token {
		l.enter(l.cipher.Decrypt(q.Mark), q.Mark, q, m.At, &c)
	}
	if !q.Src.Is4() && mask == lowToken {
		l.enterHalved(token, q, m.At, &c)
	}
	// All else that is found by the destination alone is found by weak rules.
	open := l.guard.open(q.Dst, m.At)
	if open && (c.best == len(c.rules) || c.rules[c.best].weak()) {
		c.begin(false)
		c.shared = l.shared
		l.enterAll(q, m.At, &c)
	}
	k, rule, reason := c.decide(open)
	if reason != ReasonNone {
		if !open && reason == ReasonUnknown && l.knows(q) {
			reason = ReasonCheck
		}
		return 0, nil, 0, reason
	}
	m.Rule, m.Evidence = rule, k.weight.have
	return k.at, l.expand(k.at, l.cipher.Encrypt(k.at), m.At), k.weight.sum, ReasonNone
}

// enter puts the probe with the token to the contest, if there is one.
func (l *Ledger) enter(seq, token uint32, q *frame.Quote, at time.Duration, c *contest) {
	if !l.has(seq) {
		return
	}
	e := l.expand(seq, token, at)
	c.enter(seq, e, e.weigh(q, nil))
}

// lowToken is the mask of a token of which only the lower half came back.
const lowToken = 1<<16 - 1

// enterHalved puts the probes to the contest of which half a token came back, in
// an IPv6 quote that ends before the Mark.
func (l *Ledger) enterHalved(token uint32, q *frame.Quote, at time.Duration, c *contest) {
	for w := l.chain(addressOf(q.Dst)); ; {
		seq, ok := l.older(&w)
		if !ok {
			return
		}
		if words := l.ring.at(seq); labelOf(words) != q.Label || hintOf(words) != token&hintMask {
			continue
		}
		if own := l.cipher.Encrypt(seq); uint16(own) == uint16(token) {
			l.enter(seq, own, q, at, c)
		}
	}
}

// enterAll puts the probes to the quoted destination to the contest: also those
// to the IPv4 address in an IPv6 one, as translators write it.
func (l *Ledger) enterAll(q *frame.Quote, at time.Duration, c *contest) {
	dst := addressOf(q.Dst)
	for range 2 {
		for w := l.chain(dst); ; {
			seq, ok := l.older(&w)
			if !ok {
				break
			}
			l.enter(seq, l.cipher.Encrypt(seq), q, at, c)
		}
		if q.Dst.Is4() {
			return
		}
		tail := anomaly.Tail(q.Dst)
		dst = addressOf(netip.AddrFrom4([4]byte{byte(tail >> 24), byte(tail >> 16), byte(tail >> 8), byte(tail)}))
	}
}

// findAnswered looks for the probe of a direct answer.
func (l *Ledger) findAnswered(r *frame.Reply, m *Match) (uint32, *entry, Reason) {
	key, ok := r.Key()
	if !ok {
		return 0, nil, ReasonNoKey
	}
	var c contest
	c.begin(true)
	token, mask, _ := r.Token()
	if mask == wholeToken {
		l.enterAnswer(l.cipher.Decrypt(token), key, r, m.At, &c)
	}
	open := l.guard.open(r.From, m.At)
	if c.best == len(c.rules) {
		l.enterAnswers(key, r, m.At, &c)
	}
	k, rule, reason := c.decideAnswer(open)
	if reason != ReasonNone {
		l.guard.charge(r.From)
		return 0, nil, reason
	}
	m.answered(&c, k, rule)
	switch {
	case m.Ambiguous:
		l.share(key, r, m.At)
	case mask == 0 && c.flying == 1:
		m.Ambiguous = l.ring.isShared(k.at)
	}
	return k.at, l.expand(k.at, l.cipher.Encrypt(k.at), m.At), ReasonNone
}

func (l *Ledger) enterAnswer(seq uint32, key frame.Key, r *frame.Reply, at time.Duration, c *contest) {
	if !l.has(seq) {
		return
	}
	if e := l.expand(seq, l.cipher.Encrypt(seq), at); e.key == key {
		c.enter(seq, e, e.weighAnswer(r))
	}
}

// enterAnswers puts the probes to whom the answer is from to the contest.
func (l *Ledger) enterAnswers(key frame.Key, r *frame.Reply, at time.Duration, c *contest) {
	c.highest = true
	for w := l.chain(addressOf(r.From)); ; {
		seq, ok := l.older(&w)
		if !ok {
			return
		}
		l.enterAnswer(seq, key, r, at, c)
	}
}

// share notes of all probes in flight to whom the answer is from, with the key,
// that it may be theirs.
func (l *Ledger) share(key frame.Key, r *frame.Reply, at time.Duration) {
	for w := l.chain(addressOf(r.From)); ; {
		seq, ok := l.older(&w)
		if !ok {
			return
		}
		if l.ring.state(seq) == flying && l.expand(seq, l.cipher.Encrypt(seq), at).key == key {
			l.ring.share(seq)
		}
	}
}

// knows tells whether a probe has the quoted addresses and ports.
func (l *Ledger) knows(q *frame.Quote) bool {
	for c := l.chain(addressOf(q.Dst)); ; {
		seq, ok := l.older(&c)
		if !ok {
			return false
		}
		w := l.ring.at(seq)
		p := &l.kinds.list[kindOf(w)].probe
		if p.Method == q.Method && p.Src == q.Src && uint16(w[0]) == q.SrcPort && (p.DstPort == q.DstPort || p.Method == frame.ICMP) {
			return true
		}
	}
}
