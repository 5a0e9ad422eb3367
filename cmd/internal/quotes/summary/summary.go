// Package summary counts what replies have in common: by responder, by TTL, by
// anomaly and by extension, in memory that does not grow with the capture.
package summary

import (
	"net/netip"
	"time"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx/anomaly"
	"github.com/hopquote/hopquote/rx/attribute"
)

// Bounds of what is told apart; the rest is counted together.
const (
	maxResponders = 1 << 16
	maxExtensions = 1 << 12
)

// Summary is the counts over all replies given to Add.
type Summary struct {
	Replies    uint64
	Verdicts   [attribute.Verdicts]uint64
	Flags      [64]uint64            // by bit of anomaly.Flag
	Rules      map[string]uint64     // by name
	Responders map[netip.Addr]*Group // at most maxResponders
	Others     Group                 // responders beyond them
	TTLs       [256]Group            // by the TTL that the probe was sent with; replies with a cause only
	Extensions map[Extension]uint64  // replies with each, at most maxExtensions
	Unlisted   uint64                // extensions beyond them
}

// New makes an empty Summary.
func New() *Summary {
	return &Summary{
		Rules:      make(map[string]uint64),
		Responders: make(map[netip.Addr]*Group),
		Extensions: make(map[Extension]uint64),
	}
}

// Span is the least and the greatest of some numbers, and their sum.
type Span struct {
	N, Sum   uint64
	Min, Max uint64
}

func (s *Span) add(v uint64) {
	if s.N == 0 || v < s.Min {
		s.Min = v
	}
	s.Max = max(s.Max, v)
	s.N++
	s.Sum += v
}

// Mean is the average, 0 of nothing.
func (s *Span) Mean() uint64 {
	if s.N == 0 {
		return 0
	}
	return s.Sum / s.N
}

// Group is what replies of one responder or one TTL have in common.
type Group struct {
	Replies    uint64
	Errors     uint64 // ICMP errors; the rest are direct answers
	Attributed uint64
	Rewritten  uint64       // with any flag of anomaly.Rewrites
	Flags      anomaly.Flag // of any reply
	TTL        Span         // of the probes
	Quote      Span         // bytes that came back
	RTT        Span         // ns; first replies only
	Extended   uint64       // with extensions
	Compliant  uint64       // of those: as RFC 4884 wants it
	MPLS       uint64
	Interface  uint64 // RFC 5837
	Unknown    uint64 // other objects
}

const badExtension = anomaly.ExtNoLength | anomaly.ExtVersion | anomaly.ExtChecksum | anomaly.ExtObjects

func (g *Group) add(r *attribute.Result) {
	g.Replies++
	g.Flags |= r.Flags
	if r.Flags&anomaly.Rewrites != 0 {
		g.Rewritten++
	}
	if r.Verdict.Attributed() {
		g.Attributed++
		g.TTL.add(uint64(r.Cause.TTL))
		if r.Nth == 1 {
			g.RTT.add(uint64(max(r.RTT, 0)))
		}
	}
	if !r.Reply.Kind.IsError() {
		return
	}
	g.Errors++
	if r.Flags&anomaly.Cut == 0 {
		g.Quote.add(uint64(r.Reply.Quote.Bytes))
	}
	if r.Reply.Ext == nil {
		return
	}
	g.Extended++
	if r.Flags&badExtension == 0 {
		g.Compliant++
	}
	for w := frame.Objects(r.Reply.Ext); ; {
		o, ok := w.Next()
		if !ok {
			return
		}
		switch o.Class {
		case frame.ClassMPLS:
			g.MPLS++
		case frame.ClassInterface:
			g.Interface++
		default:
			g.Unknown++
		}
	}
}

// Add counts a reply.
func (s *Summary) Add(r *attribute.Result) {
	s.Replies++
	s.Verdicts[r.Verdict]++
	for i := range s.Flags {
		s.Flags[i] += uint64(r.Flags >> i & 1)
	}
	if r.Rule != "" {
		s.Rules[r.Rule]++
	}
	s.responder(r.Reply.From).add(r)
	if r.Verdict.Attributed() {
		s.TTLs[r.Cause.TTL].add(r)
	}
	s.addExtensions(r)
}

func (s *Summary) responder(a netip.Addr) *Group {
	g := s.Responders[a]
	switch {
	case g != nil:
		return g
	case len(s.Responders) >= maxResponders:
		return &s.Others
	}
	g = new(Group)
	s.Responders[a] = g
	return g
}

// MeanRTT is the average RTT.
func (g *Group) MeanRTT() time.Duration { return time.Duration(g.RTT.Mean()) }
