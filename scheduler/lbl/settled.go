package lbl

import (
	"net/netip"
	"time"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
)

// Outcome is what became of a probe.
type Outcome uint8

// The outcomes.
const (
	Lost    Outcome = iota // no answer in time
	Hop                    // time exceeded in transit
	Arrived                // port or protocol unreachable, or a direct answer
	Refused                // any other destination unreachable
)

// Answer is what a probe was answered with, copied out of the receive ring.
type Answer struct {
	From, To netip.Addr
	RTT      time.Duration // at least 1 ns
	TTL      uint8         // the reply's own
	Size     int           // bytes, IP header included
	Kind     frame.Kind
	Code     uint8  // of an ICMP error
	MTU      uint32 // KindTooBig: bytes
}

// Settled is one probe's result, in the order of sending.
type Settled struct {
	TTL, Query int
	Last       bool // of its hop
	Outcome    Outcome
	Answer     Answer
}

// Codes of destination unreachable, RFC 792.
const (
	codeProtocol = 2
	codePort     = 3
)

// judge says what a reply means for its probe; false means nothing, and that
// the probe waits on.
func judge(r *frame.Reply) (Outcome, bool) {
	switch {
	case !r.From.IsValid():
		return Lost, false // the link's own refusal, never on the wire
	case r.Kind == frame.KindTimeExceeded:
		return Hop, r.Code == 0
	case r.Kind.IsAnswer():
		return Arrived, true
	case r.Kind == frame.KindUnreachable && (r.Code == codePort || r.Code == codeProtocol):
		return Arrived, true
	case r.Kind == frame.KindUnreachable || r.Kind == frame.KindTooBig:
		return Refused, true
	}
	return Lost, false
}

func answer(m *rx.Match) Answer {
	r := m.Reply
	return Answer{
		From: r.From, To: r.To, RTT: m.RTT, TTL: r.TTL, Size: r.Size,
		Kind: r.Kind, Code: r.Code, MTU: r.MTU,
	}
}
