package space

import (
	"iter"
	"net/netip"
)

// Within gives those of the addresses that lie from first to last, two of one
// family. To find the samples of a range that is only in part there it goes
// through these strata or all of its samples, whichever are fewer.
func (s *Space) Within(first, last netip.Addr) iter.Seq[netip.Addr] {
	v6 := first.Is6()
	x := span{toNumber(first), toNumber(last)}
	return func(yield func(netip.Addr) bool) {
		s.within(v6, x, func(a number) bool { return yield(a.addr(v6)) })
	}
}

func (s *Space) within(v6 bool, x span, yield func(number) bool) {
	if x.last.less(x.first) {
		return
	}
	f := family(v6)
	from := &s.sets[f]
	each := func(of *set, x span, most number, yield func(number) bool) bool {
		for i := (number{}); i.less(most); i = i.next() {
			if !yield(of.pick(x, i)) {
				return false
			}
		}
		return true
	}
	switch {
	case s.how.PerPrefix:
		host := s.how.hostBits(v6)
		blocks := span{x.first.right(host), x.last.right(host)}
		each(&s.blocks[f], blocks, s.blocks[f].within(blocks), func(block number) bool {
			a := s.host(v6, block)
			return !x.has(a) || yield(a)
		})
	case s.how.Random > 0:
		lones, _ := from.bounds(x)
		if !each(from, x, small(uint64(lones[1]-lones[0])), yield) {
			return
		}
		for k := range s.draws {
			if d := &s.draws[k]; d.v6 == v6 && !s.samples(d, x, yield) {
				return
			}
		}
	default:
		each(from, x, from.within(x), yield)
	}
}

func (x span) has(a number) bool { return !a.less(x.first) && !x.last.less(a) }

// samples yields the samples of a draw that lie in x, until yield is false.
func (s *Space) samples(d *draw, x span, yield func(number) bool) bool {
	first, last, ok := s.strata(d, x)
	if !ok {
		return true
	}
	if last-first >= d.count {
		for i := range d.count {
			if a := s.sample(d, i); x.has(a) && !yield(a) {
				return false
			}
		}
		return true
	}
	set := &s.sets[family(d.v6)]
	for stratum := first; stratum <= last; stratum++ {
		if d.order.Place(stratum) >= d.count {
			continue
		}
		if a := set.ofSpan(d.from.add(s.inStratum(d, stratum))); x.has(a) && !yield(a) {
			return false
		}
	}
	return true
}

// strata gives the first and the last one that have addresses in x.
func (s *Space) strata(d *draw, x span) (first, last uint64, ok bool) {
	if x.last.less(d.span.first) || d.span.last.less(x.first) {
		return 0, 0, false
	}
	x.first = greater(x.first, d.span.first)
	if d.span.last.less(x.last) {
		x.last = d.span.last
	}
	_, bounds := s.sets[family(d.v6)].bounds(x)
	if bounds[0] == bounds[1] {
		return 0, 0, false
	}
	first = bounds[0].sub(d.from).right(d.host).lo
	last = bounds[1].prev().sub(d.from).right(d.host).lo
	return first, min(last, d.order.Len()-1), first < d.order.Len()
}

// Count tells how many Within gives, and takes no longer than it: as a rule, no
// longer than At.
func (s *Space) Count(first, last netip.Addr) uint64 {
	v6 := first.Is6()
	f, x := family(v6), span{toNumber(first), toNumber(last)}
	if x.last.less(x.first) {
		return 0
	}
	from := &s.sets[f]
	var n uint64
	count := func(number) bool { n++; return true }
	switch {
	case s.how.PerPrefix:
		// All of a block's addresses lie in x, but for the first and last block.
		host := s.how.hostBits(v6)
		blocks := span{x.first.right(host), x.last.right(host)}
		s.within(v6, span{x.first, lesser(x.last, prefix(blocks.first, host).last)}, count)
		if blocks.first == blocks.last {
			return n
		}
		s.within(v6, span{blocks.last.left(host), x.last}, count)
		if inner := (span{blocks.first.next(), blocks.last.prev()}); !inner.last.less(inner.first) {
			n += s.blocks[f].within(inner).lo
		}
		return n
	case s.how.Random > 0:
		lones, _ := from.bounds(x)
		n = uint64(lones[1] - lones[0])
		for k := range s.draws {
			switch d := &s.draws[k]; {
			case d.v6 != v6:
			case !d.span.first.less(x.first) && !x.last.less(d.span.last):
				n += d.count
			default:
				s.samples(d, x, count)
			}
		}
		return n
	}
	return from.within(x).lo
}

func lesser(a, b number) number {
	if a.less(b) {
		return a
	}
	return b
}
