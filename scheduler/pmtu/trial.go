package pmtu

import (
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/scheduler/hops"
)

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
			p.Answer, p.Outcome, h.heard = hops.AnswerOf(m, d.probe.Size), hops.OutcomeOf(m), true
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
	s.hop.proof = hops.Record{Probe: d.probe, SentAt: d.at, Answer: hops.AnswerOf(m, d.probe.Size), Outcome: hops.OutcomeOf(m)}
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
			p.Answer, p.Outcome, h.heard = hops.AnswerOf(m, d.probe.Size), hops.OutcomeOf(m), true
		default:
			p.Outcome = hops.Lost
		}
	case doubting:
		p.Answer, p.Outcome = hops.AnswerOf(m, d.probe.Size), hops.OutcomeOf(m)
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
