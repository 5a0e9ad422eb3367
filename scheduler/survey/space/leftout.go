package space

import (
	"math"
	"net/netip"
	"slices"
)

// LeftOut is what Builder.Exclude or ExcludeSpecial kept out of a Space.
type LeftOut struct {
	// Targets is how many more there would be, math.MaxUint64 for that many or
	// more. Of PerPrefix and Random that is not how many addresses.
	Targets uint64
	Example netip.Addr // one of them
}

// Excluded is what Builder.Exclude kept out.
func (s *Space) Excluded() LeftOut { return s.excluded }

// ExcludedSpecial is what Builder.ExcludeSpecial kept out of what was left then.
func (s *Space) ExcludedSpecial() LeftOut { return s.special }

// cut takes addresses out, and tells what that leaves out. given are the ranges
// that were added, by family.
func (s *Space) cut(out *[2]lists, given [2][]span) LeftOut {
	var l LeftOut
	var total number
	for f := range s.sets {
		v6 := f == 1
		from, o := &s.sets[f], out[f].set(v6)
		example, some := from.common(&o)
		if !some {
			continue
		}
		before := *from
		before.lone4, before.lone6 = slices.Clone(before.lone4), slices.Clone(before.lone6)
		from.without(&o)
		were, are := s.how.targets(&before, given[f]), s.how.targets(from, given[f])
		if !are.less(were) { // more strata may come of fewer addresses: split
			continue
		}
		if s.how.PerPrefix {
			example = s.how.emptied(&before, from)
		}
		if total == (number{}) {
			l.Example = example.addr(v6)
		}
		total = total.add(were.sub(are))
	}
	if l.Targets = total.lo; total.hi != 0 {
		l.Targets = math.MaxUint64
	}
	return l
}

// targets counts those that the addresses of a set give.
func (how *Sampling) targets(s *set, given []span) number {
	switch {
	case how.PerPrefix:
		b := blocks(s, how.hostBits(s.v6))
		return b.count()
	case how.Random == 0:
		return s.count()
	}
	n := small(uint64(s.lones()))
	for _, x := range merge(given) {
		_, bounds := s.bounds(x)
		parts, _ := split(bounds[1].sub(bounds[0]))
		n = n.add(small(min(parts, how.Random)))
	}
	return n
}

// emptied gives an address of a prefix that has some before, and none after.
func (how *Sampling) emptied(before, after *set) number {
	host := how.hostBits(before.v6)
	gone, still := blocks(before, host), blocks(after, host)
	gone.without(&still)
	return before.pick(prefix(gone.at(number{}), host), number{})
}

// common gives a number that two sets have in common.
func (s *set) common(o *set) (number, bool) {
	for i := range s.lones() {
		if a := s.lone(i); o.has(a) {
			return a, true
		}
	}
	for _, x := range s.spans {
		if a, ok := o.firstIn(x); ok {
			return a, true
		}
	}
	return number{}, false
}

// firstIn gives a number of the set in x: its first lone one, else the first.
func (s *set) firstIn(x span) (number, bool) {
	if i := s.loneBelow(x.first); i < s.lones() && !x.last.less(s.lone(i)) {
		return s.lone(i), true
	}
	i := s.spanFrom(x.first)
	if i == len(s.spans) || x.last.less(s.spans[i].first) {
		return number{}, false
	}
	return greater(x.first, s.spans[i].first), true
}
