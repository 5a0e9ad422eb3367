package pmtu

import (
	"time"

	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/scheduler"
	"github.com/hopquote/hopquote/scheduler/hops"
)

// stage is how far the hop under way has come.
type stage uint8

const (
	walking  stage = iota // its queries are out, at the present size
	doubting              // all silent: is it the hop or the size?
	trying                // a size is on trial
	checking              // it was silent: does the hop still answer?
	over                  // nothing more to send
)

const (
	tries    = 3                      // counted silent probes that make a size too big
	doubts   = 2                      // silent small probes that make a hop silent
	misses   = 1                      // silent checks that a trial bears
	patience = 4                      // spoilt trials of one size before the search is given up
	maxTold  = 8                      // told MTUs that are believed in one hop, in each of walk and search
	budget   = 300                    // probes after which a hop's search puts no size on trial any more
	leastGap = 125 * time.Millisecond // between two probes after a spoilt trial; doubles
	mostGap  = time.Second            // what common routers need between two errors
	// leastWait and slack keep a wait that is reckoned from an RTT above what
	// a router's slow path adds now and then.
	leastWait = 100 * time.Millisecond
	slack     = time.Millisecond
)

// hop is the hop under way.
type hop struct {
	ttl    int
	stage  stage
	first  int // first tag of this stage
	sent   int // probes of this stage
	flying int // of them in flight, except while walking

	heard   bool          // it answered at the present size
	rtt     time.Duration // the longest one seen
	patient bool          // an answer came late: wait as long as allowed
	told    int           // MTUs believed while walking

	// The search: the largest size that got through with its proof, the
	// smallest one too big, the size on trial, the MTU told last.
	lo, hi, try int
	proof       hops.Record
	toldMTU     int
	searchTold  int
	// Of the size on trial: counted silent probes, checks answered since the
	// last one, checks missed, and how often it had to begin anew.
	silent, checked, missed, spoilt int

	searched  int
	pace, due time.Duration // between two probes; time of the next
}

func (s *Search) enter(st stage) {
	h := &s.hop
	h.stage, h.first, h.sent, h.flying = st, len(s.sends), 0, 0
}

// line gives the first place of the hop under way and the one behind its last.
func (s *Search) line() (int, int) {
	first := (s.hop.ttl - 1) * s.cfg.Queries
	return first, first + s.cfg.Queries
}

// wait is how long a probe of the hop under way may stay unanswered.
func (s *Search) wait() time.Duration {
	w, h := &s.cfg.Wait, &s.hop
	if w.Here == 0 || h.rtt == 0 || h.patient {
		return w.Max
	}
	t := max(float64(h.rtt+slack)*w.Here, float64(leastWait))
	if t > float64(w.Max) {
		return w.Max
	}
	return time.Duration(t)
}

// ask asks for what the stage needs next.
func (s *Search) ask(pass *scheduler.Pass) {
	h := &s.hop
	first, end := s.line()
	switch h.stage {
	case walking:
		for k := first; k < end; k++ {
			p := &s.places[k]
			if p.Outcome == hops.Open && !p.flying && !s.request(pass, k, s.size) {
				return
			}
		}
	case doubting:
		for n := h.sent; n < doubts && s.request(pass, first, s.floor); n++ {
		}
	case trying, checking:
		size := h.try
		if h.stage == checking {
			size = h.lo
		}
		switch {
		case h.flying > 0:
		case h.due > pass.Now:
			pass.Wake = min(pass.Wake, h.due)
		default:
			s.request(pass, first, size)
		}
	}
}

// expire gives a probe up.
func (s *Search) expire(tag int) {
	s.closed(tag)
	d := &s.sends[tag]
	switch {
	case s.hop.stage == walking:
		// A larger probe's silence says nothing of the present size.
		if p := &s.places[d.place]; p.Outcome == hops.Open && d.probe.Size <= s.size {
			p.Outcome = hops.Lost
		}
	case s.current(tag):
		s.silence()
	}
}

// silence notes that a probe of doubt, trial or check stays unanswered.
func (s *Search) silence() {
	h := &s.hop
	switch {
	case h.stage == doubting && h.sent >= doubts && h.flying == 0:
		s.enter(over)
	case h.stage == trying:
		s.enter(checking)
	case h.stage == checking && h.missed < misses:
		h.missed++
		s.enter(checking)
	case h.stage == checking:
		h.silent, h.missed = 0, 0
		h.spoilt++
		h.pace = min(max(2*h.pace, leastGap), mostGap)
		h.due = s.sends[len(s.sends)-1].at + h.pace
		if h.spoilt > patience {
			s.enter(over)
			return
		}
		s.again()
	}
}

// again goes on with the trial, unless the hop has had its share.
func (s *Search) again() {
	h := &s.hop
	if h.searched >= budget {
		s.enter(over)
		return
	}
	h.checked = 0
	s.enter(trying)
}

// through takes in an answer that is not about the size: the probe got there.
func (s *Search) through(tag int, m *rx.Match, late bool) {
	h, d := &s.hop, &s.sends[tag]
	size := d.probe.Size
	switch h.stage {
	case walking:
		h.heard = h.heard || size >= s.size
		if p := &s.places[d.place]; !late && p.Outcome == hops.Open {
			p.Answer, p.Outcome, h.heard = hops.AnswerOf(m), hops.OutcomeOf(m), true
		}
	case doubting:
		if size >= s.size {
			s.enter(over) // late: the size is none of the trouble
			return
		}
		s.prove(d, m)
		h.hi = s.size + 1
		s.next()
	case trying, checking:
		switch {
		case size > h.lo:
			s.prove(d, m)
			if size >= h.hi {
				h.hi = s.size + 1 // the verdicts above were hasty
			}
			s.next()
		case h.stage == checking && s.current(tag):
			s.check()
		}
	}
}

// check notes that the hop still answers. It takes one check for the first
// silent probe to count, two for the second and three for the third: a router
// that answers at a steady rate can't fall into step with that.
func (s *Search) check() {
	h := &s.hop
	h.checked++
	switch {
	case h.checked <= h.silent:
		s.enter(checking)
	case h.silent+1 < tries:
		h.silent++
		s.again()
	default:
		h.hi = h.try
		s.next()
	}
}

// prove keeps the answer of the largest size that got through.
func (s *Search) prove(d *send, m *rx.Match) {
	s.hop.lo = d.probe.Size
	s.hop.proof = hops.Record{Probe: d.probe, SentAt: d.at, Answer: hops.AnswerOf(m), Outcome: hops.OutcomeOf(m)}
}

// next puts the next size on trial: first the present one, which may have met
// nothing but loss, then what lies between the bounds.
func (s *Search) next() {
	h := &s.hop
	switch {
	case h.lo+1 >= h.hi:
		s.found()
		return
	case h.hi > s.size:
		h.try = s.size
	case h.toldMTU == h.hi-1:
		h.try = h.toldMTU
	default:
		h.try = choose(h.lo, h.hi)
	}
	h.silent, h.missed, h.spoilt = 0, 0, 0
	s.again()
}

// found ends the search: its proof is shown at the hop's first place, and the
// other queries are sent anew where the size fell.
func (s *Search) found() {
	h := &s.hop
	first, end := s.line()
	p := &s.places[first]
	p.Probe, p.SentAt, p.Answer, p.Outcome = h.proof.Probe, h.proof.SentAt, h.proof.Answer, h.proof.Outcome
	h.heard = true
	if h.lo < s.size {
		s.size = h.lo
		p.Shrunk, p.Probed = uint32(h.lo), h.toldMTU != h.lo
		for k := first + 1; k < end; k++ {
			s.places[k].Outcome = hops.Open
		}
	}
	s.enter(walking)
}

// tooBig takes in a too-big answer. One that tells no MTU, or no usable one,
// is worth as much as silence while walking, and proves the size on trial too
// big at once.
func (s *Search) tooBig(tag int, m *rx.Match) {
	h, d := &s.hop, &s.sends[tag]
	mtu, usable := told(&d.probe, m)
	switch p := &s.places[d.place]; h.stage {
	case walking:
		switch {
		case usable && mtu < s.size && h.told < maxTold:
			h.told++
			s.size = mtu
			p.Shrunk, p.Probed = uint32(mtu), false
		case d.probe.Size > s.size: // it left before the size fell
		case s.size <= s.floor:
			p.Answer, p.Outcome, h.heard = hops.AnswerOf(m), hops.OutcomeOf(m), true
		default:
			p.Outcome = hops.Lost
		}
	case doubting:
		p.Answer, p.Outcome = hops.AnswerOf(m), hops.OutcomeOf(m)
		s.enter(over)
	case trying:
		if !s.current(tag) {
			return
		}
		h.hi = min(h.hi, h.try)
		if usable && mtu >= h.lo && h.searchTold < maxTold {
			h.searchTold++
			h.toldMTU, h.hi = mtu, min(h.hi, mtu+1)
		}
		s.next()
	case checking:
		if s.current(tag) {
			s.silence()
		}
	}
}

// advance prints what is settled and goes on to the next hop when one is over.
func (s *Search) advance() {
	for !s.Done() {
		h := &s.hop
		first, end := s.line()
		if h.stage == walking && s.walked(first, end) {
			if h.heard || s.size <= s.floor {
				s.enter(over)
			} else {
				s.enter(doubting)
			}
		}
		for s.start < end && s.printable(&s.places[s.start]) {
			s.print(s.start)
			s.start++
		}
		if h.stage != over {
			return
		}
		for k := first; k < end; k++ {
			if s.places[k].Outcome.Final() {
				s.end = end
			}
		}
		s.hop = hop{ttl: h.ttl + 1, first: len(s.sends)}
	}
}

func (s *Search) walked(first, end int) bool {
	for k := first; k < end; k++ {
		if s.places[k].Outcome == hops.Open {
			return false
		}
	}
	return true
}

// printable holds lost places back while a search may still fill them.
func (s *Search) printable(p *place) bool {
	return p.Outcome > hops.Lost || p.Outcome == hops.Lost && (s.hop.heard || s.hop.stage == over)
}
