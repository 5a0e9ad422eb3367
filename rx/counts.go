package rx

import "github.com/hopquote/hopquote/rx/anomaly"

// Counts is how many probes and replies the table has seen, and what became of
// them.
//
// Sent == Answered + Expired + InFlight,
// Received == Matched + Duplicate + Late + Strays(), and
// Received is the sum of Verdicts.
type Counts struct {
	Sent     uint64 // probes added
	Answered uint64 // with at least one reply in time
	Expired  uint64 // expired, replaced by a newer one of the same tag, or forgotten unanswered
	InFlight uint64

	Received  uint64 // replies handed to Match
	Matched   uint64 // those that are a probe's first (Verdict.First)
	Duplicate uint64
	Late      uint64
	Stray     [Reasons]uint64  // those that belong to no probe, by Reason
	Verdicts  [Verdicts]uint64 // by Verdict
}

// Strays is the number of replies that belong to no probe, for every reason.
func (c *Counts) Strays() uint64 {
	var n uint64
	for _, s := range c.Stray {
		n += s
	}
	return n
}

// Add adds the numbers of another table.
func (c *Counts) Add(o *Counts) {
	c.Sent += o.Sent
	c.Answered += o.Answered
	c.Expired += o.Expired
	c.InFlight += o.InFlight
	c.Received += o.Received
	c.Matched += o.Matched
	c.Duplicate += o.Duplicate
	c.Late += o.Late
	for i, n := range o.Stray {
		c.Stray[i] += n
	}
	for i, n := range o.Verdicts {
		c.Verdicts[i] += n
	}
}

// Balanced tells whether all sums above hold. Anything else is a bug here.
func (c *Counts) Balanced() bool {
	var first, rejected uint64
	for v, n := range c.Verdicts {
		switch v := Verdict(v); {
		case v.First():
			first += n
		case !v.Attributed():
			rejected += n
		}
	}
	return c.Sent == c.Answered+c.Expired+c.InFlight &&
		c.Received == c.Matched+c.Duplicate+c.Late+c.Strays() &&
		c.Matched == first && c.Duplicate == c.Verdicts[Duplicate] && c.Late == c.Verdicts[Late] &&
		c.Strays() == rejected
}

// accept gives the verdict on a reply to a probe in state s, counts it, and
// gives the state that the probe is in from now on.
func (c *Counts) accept(m *Match, s state) state {
	switch s {
	case answered:
		m.Verdict = Duplicate
		m.Flags |= anomaly.Duplicate
		c.Duplicate++
	case expired:
		m.Verdict = Late
		m.Flags |= anomaly.Late
		c.Late++
	default:
		if m.Verdict = firstVerdict(m.Flags); m.Ambiguous {
			m.Verdict = Undecided
		}
		c.InFlight--
		c.Answered++
		c.Matched++
		s = answered
	}
	c.Received++
	c.Verdicts[m.Verdict]++
	return s
}

// reject gives the verdict on a reply that belongs to no probe, and counts it.
func (c *Counts) reject(m *Match, reason Reason) {
	*m = Match{Tag: -1, At: m.At, Reply: m.Reply, Reason: reason}
	quote := m.Reply.Kind.IsError() && m.Reply.Quote.Src.IsValid()
	switch reason {
	case ReasonMalformed:
		m.Verdict, m.Flags = Malformed, anomaly.Malformed
	case ReasonAmbiguous:
		m.Verdict, m.Flags = Ambiguous, anomaly.Ambiguous
	case ReasonCheck:
		m.Verdict, m.Flags = Spoofed, anomaly.Spoofed
	case ReasonChecksum:
		m.Verdict, m.Flags = Stray, anomaly.Stray|anomaly.ReplyChecksum
	case ReasonUnknown, ReasonAddress, ReasonNoKey, ReasonTruncated:
		if quote {
			m.Verdict, m.Flags = Foreign, anomaly.Foreign
			break
		}
		fallthrough
	default:
		m.Verdict, m.Flags = Stray, anomaly.Stray
	}
	if quote && m.Reply.Quote.Transport < minTransport && !m.Reply.Quote.Fragment && reason != ReasonMalformed {
		m.Flags |= anomaly.Truncated
	}
	c.Received++
	c.Stray[reason]++
	c.Verdicts[m.Verdict]++
}

// recount takes back a rejection, and makes it one for another reason unless that
// is ReasonNone.
func (c *Counts) recount(m *Match, reason Reason) {
	c.Received--
	c.Stray[m.Reason]--
	c.Verdicts[m.Verdict]--
	if reason != ReasonNone {
		c.reject(m, reason)
	}
}
