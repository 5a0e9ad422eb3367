package rx

import (
	"time"

	"github.com/hopquote/hopquote/frame"
)

// wholeToken is the mask of a token that came back with all its bits.
const wholeToken = 1<<32 - 1

// Match finds the probe that r, received at at, belongs to, fills all of m, and
// counts the reply.
//
// A whole token leads to one probe, of which everything else must hold: source,
// destination, ports or identifier, sequence or acknowledgment number. Without
// one the probes of the destination are gone through:
//
//   - An error that brings half of the token back (IPv6 quotes of 48 bytes, a
//     UDP checksum of zero), or both with one of them rewritten on the way,
//     belongs to the only probe of which half a token and all else hold, over
//     IPv6 the flow label too. Of several it is none's: ReasonAmbiguous.
//   - A direct answer brings nothing back but addresses and ports (UDP, a RST
//     without acknowledgment). It belongs to the probe in flight with the
//     highest TTL, the newest of those: the one that has reached the destination
//     if any has. Match.Ambiguous then says that others were in flight.
func (l *Ledger) Match(r *frame.Reply, at time.Duration, m *Match) {
	*m = Match{Tag: -1, At: at, Reply: r}
	l.counts.Received++
	seq, e, reason := l.find(r, at, m)
	if reason != ReasonNone {
		m.Reason = reason
		l.counts.Stray[reason]++
		return
	}
	m.attribute(e, at)
	before := e.state
	if m.Verdict, e.state = l.counts.judge(before, m.Diff); before == inFlight {
		l.ring.setState(seq, done)
	}
}

// find gives the reply's probe and its number, or the reason why there is none.
func (l *Ledger) find(r *frame.Reply, at time.Duration, m *Match) (uint32, *entry, Reason) {
	if reason := unfit(r); reason != ReasonNone {
		return 0, nil, reason
	}
	if r.Kind.IsError() && r.Quote.Transport < 8 {
		return 0, nil, ReasonTruncated
	}
	key, ok := r.Key()
	if !ok {
		return 0, nil, ReasonNoKey
	}
	reason := ReasonUnknown
	token, mask, _ := r.Token()
	if mask == wholeToken {
		seq, e, bad := l.check(token, key, r, at)
		if bad == ReasonNone || r.Kind.IsError() && l.gone(seq) {
			return seq, e, bad
		}
		reason = max(reason, bad)
	}
	if !r.Kind.IsError() {
		seq, e, bad := l.findAnswered(r, key, at, m)
		return seq, e, closest(reason, bad)
	}
	if q := &r.Quote; q.Marked && q.Mark != token {
		seq, e, bad := l.check(q.Mark, key, r, at)
		if bad == ReasonNone {
			return seq, e, ReasonNone
		}
		reason = max(reason, bad)
	}
	seq, e, bad := l.findQuoted(r, key, token, mask, at)
	return seq, e, closest(reason, bad)
}

// closest is the greater of two reasons, or none at all if the second is.
func closest(before, last Reason) Reason {
	if last == ReasonNone {
		return ReasonNone
	}
	return max(before, last)
}

// check gives the probe that has the token, if the reply is its.
func (l *Ledger) check(token uint32, key frame.Key, r *frame.Reply, at time.Duration) (uint32, *entry, Reason) {
	seq := l.cipher.Decrypt(token)
	if l.entered-1-seq >= l.ring.size || l.ring.state(seq) == void {
		return seq, nil, ReasonUnknown
	}
	e := l.expand(seq, token, at)
	return seq, e, e.refuseKeyed(key, r)
}

// gone tells whether the number was given out and its slot taken again since.
// Its token is whole, though there is nothing left to compare it with: half of
// it may be another probe's only by chance.
func (l *Ledger) gone(seq uint32) bool {
	age := l.entered - 1 - seq
	return age >= l.ring.size && uint64(age) < l.numbers
}

// refuseKeyed says what in the reply isn't the probe's, its key included.
func (e *entry) refuseKeyed(key frame.Key, r *frame.Reply) Reason {
	if e.key != key {
		return ReasonUnknown
	}
	return e.refuse(r, frame.Route{})
}

// findQuoted looks for the probe of an error whose token is incomplete or wrong.
func (l *Ledger) findQuoted(r *frame.Reply, key frame.Key, token, mask uint32, at time.Duration) (uint32, *entry, Reason) {
	q := &r.Quote
	reason, only, fits := ReasonUnknown, uint32(0), 0
	for c := l.chain(addressOf(q.Dst)); ; {
		seq, ok := l.older(&c)
		if !ok {
			break
		}
		own := l.cipher.Encrypt(seq)
		if !halfAgrees(own, token, mask) {
			continue
		}
		e := l.expand(seq, own, at)
		bad := e.refuseKeyed(key, r)
		if bad == ReasonNone && e.dst.Is6() && e.label != q.Label {
			bad = ReasonUnknown
		}
		if bad != ReasonNone {
			reason = max(reason, bad)
			continue
		}
		only = seq
		fits++
	}
	switch fits {
	case 0:
		return 0, nil, reason
	case 1:
		return only, l.expand(only, l.cipher.Encrypt(only), at), ReasonNone
	}
	return 0, nil, ReasonAmbiguous
}

// halfAgrees tells whether one half of a probe's token came back, and nothing
// else if only half came back.
func halfAgrees(own, token, mask uint32) bool {
	const low, high = 0xffff, 0xffff << 16
	d := own ^ token
	return mask&low == low && d&low == 0 || mask&high == high && d&high == 0
}

// findAnswered looks for the probe of a direct answer without a token.
func (l *Ledger) findAnswered(r *frame.Reply, key frame.Key, at time.Duration, m *Match) (uint32, *entry, Reason) {
	reason, newest, best, ttl, aloft := ReasonUnknown, uint32(0), uint32(0), uint8(0), 0
	known := false
	for c := l.chain(addressOf(r.From)); ; {
		seq, ok := l.older(&c)
		if !ok {
			break
		}
		e := l.expand(seq, l.cipher.Encrypt(seq), at)
		if bad := e.refuseKeyed(key, r); bad != ReasonNone {
			reason = max(reason, bad)
			continue
		}
		if !known {
			known, newest = true, seq
		}
		if e.state != inFlight {
			continue
		}
		if aloft == 0 || e.ttl > ttl {
			best, ttl = seq, e.ttl
		}
		aloft++
	}
	switch {
	case !known:
		return 0, nil, reason
	case aloft == 0:
		best = newest
	}
	m.Ambiguous = aloft > 1
	return best, l.expand(best, l.cipher.Encrypt(best), at), ReasonNone
}
