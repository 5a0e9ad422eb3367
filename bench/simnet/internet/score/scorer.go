package score

import "net/netip"

// scorer is made for millions of targets: addresses are numbers in it.
type scorer struct {
	numbers map[netip.Addr]uint32 // of addresses, in order of their coming
	isRight []interfaceState      // by number
	targets map[netip.Addr]*target
	wrong   map[Result]struct{} // hops
	alien   map[netip.Addr]struct{}
	said    map[netip.Addr]struct{} // targets that are silent or cannot be reached, and were said to answer
	strange int
}

// interfaceState is what is known of an address.
type interfaceState struct{ isThere, isFound bool }

// target is a path: its answers in order of TTL.
type target struct {
	distance uint8
	isLoop   bool
	reaches  bool
	cells    []cell
}

// cell is one answer that there is.
type cell struct {
	number  uint32
	ttl     uint8
	isFound bool
}

func newScorer() *scorer {
	return &scorer{
		numbers: map[netip.Addr]uint32{}, targets: map[netip.Addr]*target{}, wrong: map[Result]struct{}{},
		alien: map[netip.Addr]struct{}{}, said: map[netip.Addr]struct{}{},
	}
}

// number gives an address its number.
func (s *scorer) number(a netip.Addr) uint32 {
	n, ok := s.numbers[a]
	if !ok {
		n = uint32(len(s.isRight))
		s.numbers[a] = n
		s.isRight = append(s.isRight, interfaceState{})
	}
	return n
}

// expect takes a path of the truth. Of a target that comes twice the last
// counts.
func (s *scorer) expect(p *Path) {
	t := &target{distance: uint8(p.Distance), isLoop: p.End == Loop, reaches: p.End == Reached}
	for _, h := range p.Hops {
		isEnd := h.TTL == p.Distance && (p.End == Reached || p.End == Silent)
		for _, r := range h.Routers {
			if r.Silent {
				continue
			}
			n := s.number(r.Address)
			if t.find(h.TTL, n) == nil { // routers may share an address
				t.cells = append(t.cells, cell{number: n, ttl: uint8(h.TTL)})
			}
			if !isEnd {
				s.isRight[n].isThere = true
			}
		}
	}
	s.targets[p.Target] = t
}

// take judges one result.
func (s *scorer) take(r Result) {
	if !r.From.IsValid() {
		return // nobody answered
	}
	t := s.targets[r.Target]
	if t == nil {
		s.strange++
		s.wrong[r] = struct{}{}
		return
	}
	n, ok := s.numbers[r.From]
	switch {
	case r.From == r.Target && t.reaches:
	case r.From == r.Target:
		s.said[r.From] = struct{}{}
	case !ok || !s.isRight[n].isThere:
		s.alien[r.From] = struct{}{}
	default:
		s.isRight[n].isFound = true
	}
	if c := t.find(r.TTL, n); ok && c != nil {
		c.isFound = true
		return
	}
	s.wrong[r] = struct{}{}
}

// find gives the answer of an address at a TTL, nil if there is none.
func (t *target) find(ttl int, number uint32) *cell {
	last := int(t.distance)
	switch {
	case ttl < 1:
		return nil
	case ttl <= last:
	case t.isLoop:
		ttl = last + (ttl-last)&1
	default:
		ttl = last // the same answers
	}
	for i := range t.cells {
		if c := &t.cells[i]; int(c.ttl) == ttl && c.number == number {
			return c
		}
	}
	return nil
}

func (s *scorer) report() Report {
	r := Report{Strangers: s.strange}
	for _, state := range s.isRight {
		r.Interfaces.count(state.isThere, state.isFound)
	}
	for _, t := range s.targets {
		isFound := false
		for i := range t.cells {
			c := &t.cells[i]
			r.Hops.count(true, c.isFound)
			isFound = isFound || c.isFound && c.ttl == t.distance
		}
		r.Targets.count(t.reaches, isFound)
	}
	r.Interfaces.Wrong = len(s.alien)
	r.Hops.Wrong = len(s.wrong)
	r.Targets.Wrong = len(s.said)
	return r
}

// count adds something that is there, or not at all, and was found or not.
func (t *Tally) count(isThere, isFound bool) {
	switch {
	case isThere && isFound:
		t.Found++
	case isThere:
		t.Missed++
	}
}
