package pmtu

import (
	"slices"
	"time"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/scheduler"
	"github.com/hopquote/hopquote/scheduler/hops"
)

// Search traces to one destination, one hop after the other, and finds the
// largest size that gets through to each. It implements scheduler.Strategy.
// The queries of a hop leave together where the engine's window has room; the
// probes of a search leave one by one.
type Search struct {
	cfg    hops.Config
	size   int // of probes from now on, bytes
	floor  int // the smallest size tried
	places []place
	sends  []send // by tag
	open   []int  // tags of sends in flight
	start  int    // first place not printed
	end    int    // first place that will not be printed
	hop    hop
}

// place is one probe's spot on the line.
type place struct {
	hops.Record
	flying bool // a probe of its own is in flight
}

// send is one packet. A search sends many for the hop's first place.
type send struct {
	place int
	probe frame.Probe
	at    time.Duration
	left  bool
}

// NewSearch makes a strategy out of a classic one's configuration; its Resize
// is not used and Wait.Near has no effect. The size of Probe is the first one.
// It tells which value is out of range.
func NewSearch(cfg hops.Config) (*Search, error) {
	if _, err := hops.New(cfg); err != nil {
		return nil, err
	}
	floor := floor4
	if cfg.Probe.IsIPv6() {
		floor = floor6
	}
	s := &Search{
		cfg: cfg, size: cfg.Probe.Size, floor: floor,
		places: make([]place, cfg.Last*cfg.Queries),
		start:  (cfg.First - 1) * cfg.Queries,
		end:    cfg.Last * cfg.Queries,
		hop:    hop{ttl: cfg.First},
	}
	for k := range s.places {
		s.places[k].Record = hops.Record{Tag: k, TTL: k/cfg.Queries + 1, Query: k % cfg.Queries}
	}
	return s, nil
}

// MostProbes is the bound of what a search sends for each TTL with so many
// queries, whatever the routers answer.
func MostProbes(queries int) int {
	// A query is sent at most once for each size of its hop: the first one,
	// those told, and the one found.
	return queries*(1+maxTold+1) + budget + 1 + tries + misses
}

// Done tells that every place up to the last hop is printed.
func (s *Search) Done() bool { return s.start >= s.end }

// Reached tells whether the destination itself answered.
func (s *Search) Reached() bool { return s.any(hops.Arrived) }

// Stopped tells whether an error of another kind ended the trace.
func (s *Search) Stopped() bool { return s.any(hops.Refused) || s.any(hops.TooBig) }

func (s *Search) any(o hops.Outcome) bool {
	return slices.ContainsFunc(s.places[:s.end], func(p place) bool { return p.Outcome == o })
}

// Records gives every place that a probe was sent for, by TTL and query. A
// search counts into its hop's first place.
func (s *Search) Records() []hops.Record {
	var sent []hops.Record
	for i := range s.places {
		if r := &s.places[i].Record; r.Sends > 0 {
			sent = append(sent, *r)
		}
	}
	return sent
}

// Finish prints what is known of a trace that ends before it is done: every
// place up to the last one that is settled, with open ones shown as lost. The
// records are left as they are.
func (s *Search) Finish() {
	last := s.start
	for k := s.start; k < s.end; k++ {
		if s.places[k].Outcome != hops.Open {
			last = k + 1
		}
	}
	for ; s.start < last; s.start++ {
		s.print(s.start)
	}
}

func (s *Search) print(k int) {
	if s.cfg.Settle == nil {
		return
	}
	r := &s.places[k].Record
	s.cfg.Settle(hops.Settled{
		TTL: r.TTL, Query: r.Query, Outcome: max(r.Outcome, hops.Lost),
		Answer: r.Answer, Shrunk: r.Shrunk, Probed: r.Probed,
	})
}

// Plan gives up what is overdue, prints what is settled, and asks for what
// the hop under way needs next.
func (s *Search) Plan(pass *scheduler.Pass) {
	if pass.Room > 0 {
		s.forgetUnsent()
	}
	for i := 0; i < len(s.open); {
		tag := s.open[i]
		if s.deadline(tag) > pass.Now {
			i++
			continue
		}
		pass.Expire(tag)
		s.expire(tag)
	}
	s.advance()
	if s.Done() {
		return
	}
	s.ask(pass)
	for _, tag := range s.open {
		pass.Wake = min(pass.Wake, s.deadline(tag))
	}
}

// forgetUnsent drops what the engine was asked for and had no identity for:
// always the last ones asked for, and never while it still holds some.
func (s *Search) forgetUnsent() {
	for n := len(s.sends); n > 0 && !s.sends[n-1].left; n-- {
		s.sends = s.sends[:n-1]
	}
}

// request asks for a probe of the place.
func (s *Search) request(pass *scheduler.Pass, place, size int) bool {
	p := s.cfg.Probe
	p.TTL, p.Size = uint8(s.places[place].TTL), size
	tag := len(s.sends)
	switch s.cfg.Count {
	case hops.CountPort:
		p.DstPort += uint16(tag)
	case hops.CountSeq:
		p.Seq = uint32(uint16(p.Seq) + uint16(tag))
	}
	if !pass.Send(tag, &p) {
		return false
	}
	s.sends = append(s.sends, send{place: place, probe: p})
	return true
}

// Sent notes what left and when.
func (s *Search) Sent(tag int, p *frame.Probe, at time.Duration) {
	d := &s.sends[tag]
	d.probe, d.at, d.left = *p, at, true
	r := &s.places[d.place]
	r.Probe, r.SentAt = *p, at
	r.Sends++
	s.open = append(s.open, tag)
	h := &s.hop
	h.sent++
	if h.stage == walking {
		r.flying = true
		return
	}
	h.flying++
	h.searched++
	h.due = at + h.pace
}

// closed takes a send out of those in flight.
func (s *Search) closed(tag int) {
	i := slices.Index(s.open, tag)
	if i < 0 {
		return
	}
	s.open = slices.Delete(s.open, i, i+1)
	s.places[s.sends[tag].place].flying = false
	if s.hop.stage != walking && s.current(tag) {
		s.hop.flying--
	}
}

// current tells whether the probe belongs to the present stage of the hop.
func (s *Search) current(tag int) bool { return tag >= s.hop.first }

// Learn takes in an answer. Late ones are as good a proof as any that their
// size gets through.
func (s *Search) Learn(m *rx.Match) {
	d := &s.sends[m.Tag]
	p := &s.places[d.place]
	switch {
	case m.Verdict == rx.Duplicate:
		p.Duplicates++
		return
	case m.Verdict == rx.Late:
		p.LateReplies++
	case m.Verdict.First():
		s.closed(m.Tag)
	}
	late := m.Verdict == rx.Late
	switch {
	case p.TTL != s.hop.ttl || s.hop.stage == over:
	case m.Reply.Kind == frame.KindTooBig && !late:
		s.tooBig(m.Tag, m)
	case m.Reply.Kind != frame.KindTooBig:
		s.hop.rtt = max(s.hop.rtt, m.RTT)
		s.hop.patient = s.hop.patient || late
		s.through(m.Tag, m, late)
	}
}
