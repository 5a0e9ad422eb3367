package record

import (
	"net/netip"
	"time"
)

// Trace is everything about one target and flow, once no more of it is to come.
type Trace struct {
	Target  netip.Addr
	Index   uint64 // of the target, in the order in which targets were given
	Flow    uint16
	SrcPort uint16 // of methods with ports; the echo identifier for ICMP
	Stop    Stop

	// Probes has what was sent, by TTL and attempt. A stateless run (mode
	// random) keeps none: only answered probes are in it then.
	Probes []Probe
	// Replies has what came back, by TTL, attempt and receive time, duplicates
	// and late ones included.
	Replies []Reply
}

// Probe is one probe of a trace.
type Probe struct {
	TTL     uint8
	Attempt uint8
	SentAt  time.Duration
}

// Start is when the trace's first probe left, as far as it is known.
func (t *Trace) Start() time.Duration {
	var first time.Duration
	for i, p := range t.Probes {
		if i == 0 || p.SentAt < first {
			first = p.SentAt
		}
	}
	return first
}

// Hops is the greatest TTL that got a reply, or the one that the target first
// answered to; 0 for none.
func (t *Trace) Hops() uint8 {
	var last uint8
	for i := range t.Replies {
		r := &t.Replies[i]
		if r.Arrived() {
			return r.TTL
		}
		last = max(last, r.TTL)
	}
	return last
}

// Stop says why a trace goes no farther.
type Stop uint8

// The reasons.
const (
	Unfinished  Stop = iota // the run ended first
	Reached                 // the target answered
	Unreachable             // a router refused to go on
	GapLimit                // too many silent hops in a row
	MaxTTL                  // the greatest TTL was probed and the target did not answer
)

// String gives the reason as outputs show it.
func (s Stop) String() string {
	switch s {
	case Reached:
		return "reached"
	case Unreachable:
		return "unreachable"
	case GapLimit:
		return "gap_limit"
	case MaxTTL:
		return "max_ttl"
	}
	return "unfinished"
}
