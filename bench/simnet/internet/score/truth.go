package score

import (
	"iter"
	"net/netip"
	"slices"

	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/frame"
)

// How a path ends.
const (
	Reached = "reached"
	Silent  = "silent" // at the target, which does not answer
	Refused = "refused"
	Loop    = "loop"
)

// Path is the truth about one target.
type Path struct {
	Target netip.Addr `json:"target"`
	End    string     `json:"end"`
	// Distance is the TTL of the target, of the router that refuses, or of the
	// first hop that repeats another, for ever.
	Distance int   `json:"distance"`
	Hops     []Hop `json:"hops"` // in order from TTL 1 to Distance, and one more of a Loop
}

// Hop is who may answer at a TTL.
type Hop struct {
	TTL     int      `json:"ttl"`
	Routers []Router `json:"routers"` // one, or several that flows choose among
}

// Router is one of them, the target itself at the end of a path that has Reached it.
type Router struct {
	Address netip.Addr `json:"address"`
	Silent  bool       `json:"silent,omitempty"` // it never answers
	Refuses bool       `json:"refuses,omitempty"`
	Code    uint8      `json:"code,omitempty"` // of the unreachable with which it refuses
}

// View says which part of the truth a prober could see.
type View struct {
	// Flows gives the flows in which a target is probed, for a prober that keeps
	// them constant: hops then have the routers that these pass, one for each
	// flow at most. Nil means every flow.
	Flows func(target netip.Addr) []internet.Flow
}

// Truth gives the path to every target, as a prober could see it.
func Truth(c internet.Config, targets iter.Seq[netip.Addr], v View) iter.Seq[Path] {
	return func(yield func(Path) bool) {
		for target := range targets {
			if !yield(path(c, target, v)) {
				return
			}
		}
	}
}

func path(c internet.Config, target netip.Addr, v View) Path {
	end, distance := c.End(target)
	p := Path{Target: target, End: Reached, Distance: distance}
	last := distance
	switch end {
	case internet.Refuses:
		p.End = Refused
	case internet.Circles:
		p.End = Loop
		last++
	default:
		if c.Answer(target, distance, frame.ICMP).Silent {
			p.End = Silent
		}
	}
	var flows []internet.Flow
	if v.Flows != nil {
		flows = v.Flows(target)
	}
	var list []internet.Truth
	for ttl := 1; ttl <= last; ttl++ {
		list = list[:0]
		for _, f := range flows {
			if t := c.AnswerFlow(target, ttl, frame.ICMP, f); !slices.Contains(list, t) {
				list = append(list, t)
			}
		}
		if v.Flows == nil {
			if list = c.Routers(list, target, ttl); len(list) == 0 {
				list = append(list, c.Answer(target, ttl, frame.ICMP))
			}
		}
		h := Hop{TTL: ttl}
		for _, t := range list {
			isRefusal := t.Kind == frame.KindUnreachable
			h.Routers = append(h.Routers, Router{Address: t.From, Silent: t.Silent, Refuses: isRefusal, Code: t.Code})
		}
		p.Hops = append(p.Hops, h)
	}
	return p
}
