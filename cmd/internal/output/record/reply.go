package record

import (
	"net/netip"
	"time"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/rx/anomaly"
)

// Reply is one reply that belongs to a probe, with that probe; duplicates and late ones are records of their own.
type Reply struct {
	// The probe.
	Target  netip.Addr
	Index   uint64 // of the target, in the order in which targets were given
	Flow    uint16 // 0..Run.Flows-1
	TTL     uint8
	Attempt uint8  // 0 for the first probe of TTL and flow
	SrcPort uint16 // of methods with ports; the echo identifier for ICMP

	// The reply.
	Verdict rx.Verdict
	From    netip.Addr
	At      time.Duration // receive time
	RTT     time.Duration // at least 1 ns
	Kind    frame.Kind
	Type    uint8 // ICMP
	Code    uint8 // ICMP
	Flags   uint8 // TCP
	TTLBack uint8 // the reply's own TTL
	TOSBack uint8
	ID      uint16 // IPv4 identification
	Size    int    // whole IP length, bytes
	MTU     uint32 // KindTooBig: next-hop MTU

	// The quote, of kinds that are errors.
	Quoted      int // bytes that came back, IP header included; 0: none
	QuoteTTL    uint8
	QuoteTOS    uint8
	QuoteLength int // whole IP length as quoted
	// Anomalies is all that is odd about the reply and its quote.
	Anomalies anomaly.Flag
	// Ext is the RFC 4884 extension structure, header included; nil when there
	// is none. Package frame takes it apart.
	Ext          []byte
	ExtCompliant bool // found by the message's length field
}

// Arrived tells whether the target itself answered: a direct answer, or port or
// protocol unreachable from it.
func (r *Reply) Arrived() bool {
	return r.Kind.IsAnswer() || r.Kind.IsError() && r.Kind != frame.KindTimeExceeded && r.From == r.Target
}

// Final tells whether no probe of a greater TTL would get farther: the target
// answered, or a router refused to go on.
func (r *Reply) Final() bool {
	switch r.Kind {
	case frame.KindUnreachable, frame.KindParamProblem, frame.KindTooBig:
		return true
	}
	return r.Kind.IsAnswer()
}
