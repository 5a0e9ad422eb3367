package hops

import (
	"net/netip"
	"time"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/rx/anomaly"
)

// Outcome is what became of a probe.
type Outcome uint8

// The outcomes. Arrived, Refused and TooBig are final: the hop that holds one
// is the last hop of the trace.
const (
	Open    Outcome = iota // not sent, or sent and still waiting
	Lost                   // given up
	Hop                    // time exceeded in transit: a router on the way
	Arrived                // port unreachable or a direct answer: the destination
	Refused                // any other error
	TooBig                 // never left: larger than the link takes, and DF set
)

// Final tells whether the outcome ends the trace.
func (o Outcome) Final() bool { return o >= Arrived }

// Answer is what a probe was answered with, copied out of the receive ring.
type Answer struct {
	From  netip.Addr    // responder; invalid for a probe that never left
	To    netip.Addr    // whom the responder answered
	At    time.Duration // receive time since the run's epoch
	RTT   time.Duration // at least 1 ns when there is an answer
	Local bool          // the answer was made on this host

	Kind  frame.Kind
	Type  uint8
	Code  uint8
	TTL   uint8 // the reply's own TTL or hop limit
	TOS   uint8
	Flags uint8 // TCP answers
	ID    uint16
	Size  int    // bytes, IP header included
	MTU   uint32 // too-big answers, bytes

	Quote     QuoteSummary // errors only
	Verdict   rx.Verdict   // of the reply
	Anomalies anomaly.Flag // all that is odd about it
	Rule      rx.RuleID    // by which it was attributed
	Ext       []byte       // RFC 4884 extension structure, nil when none
	// ExtCompliant tells that the message's length field led to Ext.
	ExtCompliant bool
	Classic      []byte // extension structure by traceroute's rule, nil when none
}

// QuoteSummary is the part of a quote that results keep.
type QuoteSummary struct {
	Bytes    int // bytes of the probe that came back
	Length   int // IP length as quoted
	TTL, TOS uint8
	ID       uint16
	Src, Dst netip.Addr
}

// Record is everything known of one probe.
type Record struct {
	Tag    int // 0-based: (TTL-1) * queries + Query
	TTL    int
	Query  int // 0-based within its TTL
	Probe  frame.Probe
	Sends  int           // how many times it was sent
	SentAt time.Duration // of the last send

	Outcome Outcome
	Answer  Answer
	// Shrunk is the size in bytes that path-MTU discovery came down to with
	// this probe, the last one if several; 0 for none. Probed tells that it was
	// found by trying, since nobody told it.
	Shrunk uint32
	Probed bool

	Duplicates  int // further replies to an answered probe
	LateReplies int // replies after it was given up
	// ShownTTL is the TTL at whose place the answer was printed when that is
	// not its own: an unreachable that answers for an earlier silent hop.
	ShownTTL int
}

// Settled is one probe's result in print order.
type Settled struct {
	TTL, Query int
	Outcome    Outcome
	Answer     Answer
	Shrunk     uint32 // as in Record
	Probed     bool
}
