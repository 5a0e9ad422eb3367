package virtual

import (
	"net/netip"
	"time"

	"github.com/hopquote/hopquote/frame"
)

// Step is what one probe meets. The zero Step is silence.
type Step struct {
	Kind  frame.Kind // KindTimeExceeded, KindUnreachable, KindTooBig, KindEchoReply, KindTCP, KindUDP, KindUDPLite, KindDCCP (a Reset), KindRaw
	Code  uint8      // of ICMP errors
	From  netip.Addr // responder; invalid: the probe's destination
	After time.Duration
	TTL   uint8  // the reply's own; 0: 64
	Flags uint8  // KindTCP
	MTU   uint32 // KindTooBig
	Again int    // how many duplicates follow at once
}

// Script is a path: what the probes of each TTL meet, in order of arrival. The
// last step of a list goes on for ever.
type Script struct {
	TTL  map[int][]Step
	Rest []Step // for every TTL without a list

	seen map[int]int
}

// Respond implements Net.Respond.
func (s *Script) Respond(p Sent) []Reply {
	if s.seen == nil {
		s.seen = make(map[int]int)
	}
	ttl := int(p.Probe.TTL)
	steps, ok := s.TTL[ttl]
	if !ok {
		steps = s.Rest
	}
	n := s.seen[ttl]
	s.seen[ttl]++
	if len(steps) == 0 {
		return nil
	}
	step := steps[min(n, len(steps)-1)]
	f := step.frame(p)
	if f == nil {
		return nil
	}
	replies := []Reply{{step.After, f}}
	for range step.Again {
		replies = append(replies, Reply{step.After, f})
	}
	return replies
}

// quoteLen is how much a router quotes: RFC 1812 section 4.3.2.3.
const quoteLen = 548

func (s Step) frame(p Sent) []byte {
	from, ttl := s.From, s.TTL
	if !from.IsValid() {
		from = p.Probe.Dst
	}
	if ttl == 0 {
		ttl = 64
	}
	q := &p.Probe
	answer := frame.Answer{
		From: from, To: q.Src, TTL: ttl, Method: q.Method,
		SrcPort: q.DstPort, DstPort: q.SrcPort, Ack: q.Seq + 1, Flags: s.Flags,
	}
	switch s.Kind {
	case frame.KindNone:
		return nil
	case frame.KindEchoReply:
		answer.SrcPort, answer.Seq = q.SrcPort, q.Seq
		answer.Payload = p.Frame[len(p.Frame)-q.Size+q.HeaderLen():]
		return answer.Append(nil)
	case frame.KindDCCP:
		answer.Type, answer.Ack = frame.DCCPReset, q.Seq
		return answer.Append(nil)
	case frame.KindRaw:
		answer.Protocol = q.Protocol
		return answer.Append(nil)
	case frame.KindTCP, frame.KindUDP, frame.KindUDPLite:
		return answer.Append(nil)
	}
	m := frame.ErrorMessage{
		From: from, To: p.Probe.Src, TTL: ttl,
		Type: icmpType(s.Kind, p.Probe.IsIPv6()), Code: s.Code, Rest: s.MTU,
		Quote: p.Frame[:min(len(p.Frame), quoteLen)],
	}
	if s.Kind == frame.KindTooBig && !p.Probe.IsIPv6() {
		m.Code = 4
	}
	return m.Append(nil)
}

// icmpType is the wire's number for an error kind: RFC 792, RFC 4443.
func icmpType(k frame.Kind, v6 bool) uint8 {
	v4, six := uint8(0), uint8(0)
	switch k {
	case frame.KindUnreachable:
		v4, six = 3, 1
	case frame.KindTooBig:
		v4, six = 3, 2
	case frame.KindSourceQuench:
		v4 = 4
	case frame.KindRedirect:
		v4, six = 5, 137
	case frame.KindTimeExceeded:
		v4, six = 11, 3
	case frame.KindParamProblem:
		v4, six = 12, 4
	}
	if v6 {
		return six
	}
	return v4
}
