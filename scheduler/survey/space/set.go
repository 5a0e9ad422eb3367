package space

import (
	"cmp"
	"slices"
	"sort"
)

// span is all numbers from first to last.
type span struct{ first, last number }

func (s span) count() number { return s.last.sub(s.first).next() }

// set is numbers of one family, each once. Those that were given one by one
// take the room of an address only.
//
// The index of a number counts the lone ones first, then the spans'.
type set struct {
	v6    bool
	lone4 []uint32 // sorted, the lone numbers of IPv4
	lone6 []number // and of IPv6
	spans []span   // sorted, apart
	first []number // index of each span's first number among the spans' numbers
	rest  number   // how many numbers the spans have
}

func compare(a, b number) int {
	if c := cmp.Compare(a.hi, b.hi); c != 0 {
		return c
	}
	return cmp.Compare(a.lo, b.lo)
}

// newSet takes its lists over, sorts them and merges what overlaps.
func newSet(v6 bool, lone4 []uint32, lone6 []number, spans []span) set {
	s := set{v6: v6}
	slices.SortFunc(spans, func(a, b span) int { return compare(a.first, b.first) })
	for _, x := range spans {
		n := len(s.spans)
		if n > 0 && (!s.spans[n-1].last.less(x.first) || s.spans[n-1].last.next() == x.first) {
			s.spans[n-1].last = greater(s.spans[n-1].last, x.last)
			continue
		}
		s.spans = append(s.spans, x)
	}
	slices.Sort(lone4)
	slices.SortFunc(lone6, compare)
	s.lone4, s.lone6 = slices.Compact(lone4), slices.Compact(lone6)
	s.index()
	s.keepLone(func(a number) bool { _, in := s.inSpan(a); return !in })
	return s
}

// index counts the spans' numbers.
func (s *set) index() {
	s.first, s.rest = make([]number, len(s.spans)), number{}
	for i, x := range s.spans {
		s.first[i] = s.rest
		s.rest = s.rest.add(x.count())
	}
}

// keepLone drops the lone numbers that keep does not want.
func (s *set) keepLone(keep func(number) bool) {
	s.lone4 = slices.DeleteFunc(s.lone4, func(a uint32) bool { return !keep(small(uint64(a))) })
	s.lone6 = slices.DeleteFunc(s.lone6, func(a number) bool { return !keep(a) })
}

// without takes the numbers of o out.
func (s *set) without(o *set) {
	s.keepLone(func(a number) bool { return !o.has(a) })
	cuts := slices.Clone(o.spans)
	o.eachLone(func(a number) { cuts = append(cuts, span{a, a}) })
	slices.SortFunc(cuts, func(a, b span) int { return compare(a.first, b.first) })
	var left []span
	at := 0
	for _, x := range s.spans {
		for at < len(cuts) && cuts[at].last.less(x.first) {
			at++
		}
		whole := true
		for i := at; i < len(cuts) && !x.last.less(cuts[i].first); i++ {
			c := cuts[i]
			if x.first.less(c.first) {
				left = append(left, span{x.first, c.first.prev()})
			}
			if !c.last.less(x.last) {
				whole = false
				break
			}
			x.first = greater(x.first, c.last.next())
		}
		if whole {
			left = append(left, x)
		}
	}
	s.spans = left
	s.index()
}

func (s *set) eachLone(f func(number)) {
	for _, a := range s.lone4 {
		f(small(uint64(a)))
	}
	for _, a := range s.lone6 {
		f(a)
	}
}

// lones is how many lone numbers there are.
func (s *set) lones() int { return len(s.lone4) + len(s.lone6) }

func (s *set) lone(i int) number {
	if s.v6 {
		return s.lone6[i]
	}
	return small(uint64(s.lone4[i]))
}

// loneBelow is how many lone numbers are less than a.
func (s *set) loneBelow(a number) int {
	if s.v6 {
		i, _ := slices.BinarySearchFunc(s.lone6, a, compare)
		return i
	}
	if a.hi != 0 || a.lo>>32 != 0 {
		return len(s.lone4)
	}
	i, _ := slices.BinarySearch(s.lone4, uint32(a.lo))
	return i
}

// spanFrom gives the first span that has a or numbers beyond it.
func (s *set) spanFrom(a number) int {
	return sort.Search(len(s.spans), func(i int) bool { return !s.spans[i].last.less(a) })
}

// spanBelow is how many numbers of spans are less than a.
func (s *set) spanBelow(a number) number {
	i := s.spanFrom(a)
	if i == len(s.spans) {
		return s.rest
	}
	n := s.first[i]
	if s.spans[i].first.less(a) {
		n = n.add(a.sub(s.spans[i].first))
	}
	return n
}

// inSpan gives the index of a among the spans' numbers, if it is one.
func (s *set) inSpan(a number) (number, bool) {
	i := s.spanFrom(a)
	if i == len(s.spans) || a.less(s.spans[i].first) {
		return number{}, false
	}
	return s.first[i].add(a.sub(s.spans[i].first)), true
}

// ofSpan gives the spans' number with an index among them.
func (s *set) ofSpan(i number) number {
	at := sort.Search(len(s.first), func(k int) bool { return i.less(s.first[k]) }) - 1
	return s.spans[at].first.add(i.sub(s.first[at]))
}

func (s *set) count() number { return small(uint64(s.lones())).add(s.rest) }

// at gives the number with an index below count.
func (s *set) at(i number) number {
	n := small(uint64(s.lones()))
	if i.less(n) {
		return s.lone(int(i.lo))
	}
	return s.ofSpan(i.sub(n))
}

// find gives the index of a.
func (s *set) find(a number) (number, bool) {
	if i := s.loneBelow(a); i < s.lones() && s.lone(i) == a {
		return small(uint64(i)), true
	}
	i, ok := s.inSpan(a)
	return i.add(small(uint64(s.lones()))), ok
}

func (s *set) has(a number) bool {
	_, ok := s.find(a)
	return ok
}

// within counts the numbers of x that are in the set.
func (s *set) within(x span) number {
	lones, spans := s.bounds(x)
	return small(uint64(lones[1] - lones[0])).add(spans[1].sub(spans[0]))
}

func (s *set) bounds(x span) (lones [2]int, spans [2]number) {
	lones[0], spans[0] = s.loneBelow(x.first), s.spanBelow(x.first)
	if end := x.last.next(); end != (number{}) {
		lones[1], spans[1] = s.loneBelow(end), s.spanBelow(end)
	} else {
		lones[1], spans[1] = s.lones(), s.rest
	}
	return lones, spans
}

// pick gives the i-th of the set's numbers in x: its lone ones first.
func (s *set) pick(x span, i number) number {
	lones, spans := s.bounds(x)
	n := small(uint64(lones[1] - lones[0]))
	if i.less(n) {
		return s.lone(lones[0] + int(i.lo))
	}
	return s.ofSpan(spans[0].add(i.sub(n)))
}
