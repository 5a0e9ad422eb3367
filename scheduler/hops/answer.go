package hops

import (
	"bytes"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
)

// AnswerOf copies of a reply what outlives the ring. sent is the probe's size
// in bytes.
func AnswerOf(m *rx.Match, sent int) Answer {
	r := m.Reply
	q := &r.Quote
	return Answer{
		From: r.From, To: r.To, At: m.At, RTT: m.RTT, Local: m.Local,
		Kind: r.Kind, Type: r.Type, Code: r.Code,
		TTL: r.TTL, TOS: r.TOS, Flags: r.Flags, ID: r.ID, Size: r.Size, MTU: r.MTU,
		Quote: QuoteSummary{
			Bytes: q.Bytes, Length: q.Length, TTL: q.TTL, TOS: q.TOS, ID: q.ID, Src: q.Src, Dst: q.Dst,
		},
		Anomalies: m.Flags, Verdict: m.Verdict, Rule: m.Rule,
		Ext: bytes.Clone(r.Ext), ExtCompliant: r.ExtCompliant,
		Classic: bytes.Clone(r.ClassicExtensions(sent)),
	}
}

// Codes that do not mean a refusal: RFC 792, RFC 4443.
const (
	codePortUnreachable4 = 3
	codePortUnreachable6 = 4
	codeInTransit        = 0 // of time exceeded, both families
)

// OutcomeOf says what the answer means for the path. Anything that came back
// from further than "expired in transit" ends the trace there.
func OutcomeOf(m *rx.Match) Outcome {
	r := m.Reply
	switch {
	case r.Kind == frame.KindTimeExceeded && r.Code == codeInTransit:
		return Hop
	case r.Kind.IsAnswer():
		return Arrived
	case r.Kind == frame.KindUnreachable && r.Code == portUnreachable(r):
		return Arrived
	case r.Kind == frame.KindTooBig && m.Local && !r.From.IsValid():
		return TooBig
	}
	return Refused
}

func portUnreachable(r *frame.Reply) uint8 {
	if r.From.Is6() {
		return codePortUnreachable6
	}
	return codePortUnreachable4
}
