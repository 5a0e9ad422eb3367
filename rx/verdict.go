package rx

import (
	"errors"
	"net/netip"
	"time"

	"github.com/hopquote/hopquote/frame"
)

// Verdict says what a reply is to the table.
type Verdict uint8

// The verdicts. All but Stray name a probe.
const (
	Stray     Verdict = iota // answers no probe of ours; Match.Reason says why
	Exact                    // first reply to a probe in flight, quoted as it was sent
	Rewritten                // the same, but fields that routers leave alone differ: Match.Diff
	Duplicate                // a further reply to an answered probe
	Late                     // a reply to an expired probe
)

// String gives the verdict in one lower-case word.
func (v Verdict) String() string { return name(verdictNames[:], int(v)) }

var verdictNames = [...]string{
	Stray: "stray", Exact: "exact", Rewritten: "rewritten", Duplicate: "duplicate", Late: "late",
}

// Reason says why a reply is a stray.
type Reason uint8

// The reasons, in the order in which they are looked for.
const (
	ReasonNone      Reason = iota // not a stray
	ReasonNoKey                   // no kind of reply, or a quote of a protocol we don't probe with
	ReasonTruncated               // ends early, or quotes fewer than 8 transport bytes
	ReasonMalformed               // its header or the quoted one contradicts itself
	ReasonFragment                // it or the quote is a later fragment
	ReasonChecksum                // its own checksum is wrong
	ReasonKind                    // redirect, source quench, other ICMP messages
	ReasonUnknown                 // no probe has such an identity
	ReasonAmbiguous               // what came back of the identity fits several probes
	ReasonAddress                 // the addresses quoted, or the one it came to, aren't the probe's
	ReasonSource                  // a direct answer that isn't from the probe's destination
	ReasonSequence                // TCP or DCCP sequence or acknowledgment number isn't the probe's
	reasons
)

// Reasons is how many reasons there are, ReasonNone included.
const Reasons = int(reasons)

// String gives the reason in one lower-case word.
func (r Reason) String() string { return name(reasonNames[:], int(r)) }

var reasonNames = [Reasons]string{
	ReasonNone: "none", ReasonNoKey: "no-key", ReasonTruncated: "truncated",
	ReasonMalformed: "malformed", ReasonFragment: "fragment", ReasonChecksum: "checksum",
	ReasonKind: "kind", ReasonUnknown: "unknown", ReasonAmbiguous: "ambiguous", ReasonAddress: "address",
	ReasonSource: "source", ReasonSequence: "sequence",
}

func name(names []string, i int) string {
	if i < len(names) {
		return names[i]
	}
	return "invalid"
}

// Origin is what is remembered of a probe besides its tag.
type Origin struct {
	Dst  netip.Addr
	TTL  uint8
	Sent time.Duration // since the epoch
}

// Match is what the table found out about one reply.
type Match struct {
	Verdict Verdict
	Reason  Reason        // for a Stray
	Diff    Diff          // quoted fields that differ from what was sent
	Tag     int           // of the probe; -1 for a Stray
	RTT     time.Duration // since that probe was sent, at least 1 ns; 0 for a Stray
	At      time.Duration // receive time since the epoch
	Origin  Origin        // the probe; zero for a Stray
	Reply   *frame.Reply  // as handed in, and valid only as long as that one
	// Ambiguous notes that the reply belongs to one of several probes in flight,
	// which nothing in it tells apart: their destination and flow are certain,
	// Tag, RTT and the rest of Origin are those of the likeliest. Only a Ledger
	// says so.
	Ambiguous bool
	// Local is Packet.Local, which the table is not told: it clears Local and
	// who calls Match sets it.
	Local bool
}

// Ticket names a probe between the moment it is given its identity and the one
// it leaves.
type Ticket uint64

// ErrBusy is the error of giving a probe an identity while every one is taken by
// probes in flight.
var ErrBusy = errors.New("every identity is in flight")

// Counts is how many probes and replies the table has seen, and what became of
// them.
//
// Sent == Answered + Expired + InFlight, and
// Received == Matched + Duplicate + Late + Strays().
type Counts struct {
	Sent     uint64 // probes added
	Answered uint64 // with at least one Exact or Rewritten reply
	Expired  uint64 // expired, replaced by a newer one of the same tag, or forgotten unanswered
	InFlight uint64

	Received  uint64 // replies handed to Match
	Matched   uint64 // Exact and Rewritten
	Duplicate uint64
	Late      uint64
	Stray     [Reasons]uint64 // by Reason
}

// Strays is the number of strays of every reason.
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
}

// Balanced tells whether both sums above hold. Anything else is a bug here.
func (c *Counts) Balanced() bool {
	return c.Sent == c.Answered+c.Expired+c.InFlight &&
		c.Received == c.Matched+c.Duplicate+c.Late+c.Strays()
}
