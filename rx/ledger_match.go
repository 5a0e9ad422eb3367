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
	seq, reason := l.find(r, at, m)
	if reason != ReasonNone {
		m.Ambiguous = false
		m.Reason = reason
		l.counts.Stray[reason]++
		return
	}
	m.attribute(&l.found, at)
	if m.Verdict, l.found.state = l.counts.judge(l.found.state, m.Diff); m.Verdict == Exact || m.Verdict == Rewritten {
		l.ring.setState(seq, done)
	}
}

// find expands the reply's probe into l.found and gives its number, or the
// reason why there is none.
func (l *Ledger) find(r *frame.Reply, at time.Duration, m *Match) (uint32, Reason) {
	if reason := unfit(r); reason != ReasonNone {
		return 0, reason
	}
	if r.Kind.IsError() && r.Quote.Transport < 8 {
		return 0, ReasonTruncated
	}
	key, ok := r.Key()
	if !ok {
		return 0, ReasonNoKey
	}
	reason := ReasonUnknown
	token, mask, _ := r.Token()
	if mask == wholeToken {
		seq, bad := l.check(token, key, r, at)
		if bad == ReasonNone || r.Kind.IsError() && l.gone(seq) {
			return seq, bad
		}
		reason = max(reason, bad)
	}
	if r.Kind.IsError() {
		if q := &r.Quote; q.Marked && q.Mark != token {
			seq, bad := l.check(q.Mark, key, r, at)
			if bad == ReasonNone {
				return seq, ReasonNone
			}
			reason = max(reason, bad)
		}
		seq, bad := l.findQuoted(r, key, token, mask, at)
		return seq, closest(reason, bad)
	}
	seq, bad := l.findAnswered(r, key, at, m)
	return seq, closest(reason, bad)
}

// closest is the greater of two reasons, or none at all if the second is.
func closest(before, last Reason) Reason {
	if last == ReasonNone {
		return ReasonNone
	}
	return max(before, last)
}

// check expands the probe that has the token, if the reply is its.
func (l *Ledger) check(token uint32, key frame.Key, r *frame.Reply, at time.Duration) (uint32, Reason) {
	seq := l.cipher.Decrypt(token)
	if l.entered-1-seq >= l.ring.size || l.ring.state(seq) == void {
		return seq, ReasonUnknown
	}
	l.expand(seq, token, at)
	return seq, l.refuse(key, r)
}

// gone tells whether the number was given out and its slot taken again since.
// Its token is whole, though there is nothing left to compare it with: half of
// it may be another probe's only by chance.
func (l *Ledger) gone(seq uint32) bool {
	age := l.entered - 1 - seq
	return age >= l.ring.size && uint64(age) < l.numbers
}

// refuse says what in the reply isn't the expanded probe's.
func (l *Ledger) refuse(key frame.Key, r *frame.Reply) Reason {
	if l.found.key != key {
		return ReasonUnknown
	}
	return l.found.refuse(r, frame.Route{})
}

// findQuoted looks for the probe of an error whose token is incomplete or wrong.
func (l *Ledger) findQuoted(r *frame.Reply, key frame.Key, token, mask uint32, at time.Duration) (uint32, Reason) {
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
		l.expand(seq, own, at)
		bad := l.refuse(key, r)
		if bad == ReasonNone && l.found.dst.Is6() && l.found.label != q.Label {
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
		return 0, reason
	case 1:
		l.expand(only, l.cipher.Encrypt(only), at)
		return only, ReasonNone
	}
	return 0, ReasonAmbiguous
}

// halfAgrees tells whether one half of a probe's token came back, and nothing
// else if only half came back.
func halfAgrees(own, token, mask uint32) bool {
	const low, high = 0xffff, 0xffff << 16
	d := own ^ token
	return mask&low == low && d&low == 0 || mask&high == high && d&high == 0
}

// findAnswered looks for the probe of a direct answer without a token.
func (l *Ledger) findAnswered(r *frame.Reply, key frame.Key, at time.Duration, m *Match) (uint32, Reason) {
	reason, newest, best, ttl, aloft := ReasonUnknown, uint32(0), uint32(0), uint8(0), 0
	known := false
	for c := l.chain(addressOf(r.From)); ; {
		seq, ok := l.older(&c)
		if !ok {
			break
		}
		l.expand(seq, l.cipher.Encrypt(seq), at)
		if bad := l.refuse(key, r); bad != ReasonNone {
			reason = max(reason, bad)
			continue
		}
		if !known {
			known, newest = true, seq
		}
		if l.found.state != inFlight {
			continue
		}
		if aloft == 0 || l.found.ttl > ttl {
			best, ttl = seq, l.found.ttl
		}
		aloft++
	}
	switch {
	case !known:
		return 0, reason
	case aloft == 0:
		best = newest
	}
	m.Ambiguous = aloft > 1
	l.expand(best, l.cipher.Encrypt(best), at)
	return best, ReasonNone
}
