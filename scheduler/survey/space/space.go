package space

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/bits"
	"net/netip"
	"sort"

	"github.com/hopquote/hopquote/scheduler/survey/permutation"
)

// Space is a set of addresses by index: IPv4 before IPv6, single addresses
// before ranges, else in order. It is immutable.
type Space struct {
	how    Sampling
	sets   [2]set // what may be probed
	blocks [2]set // PerPrefix: the prefixes with any
	draws  []draw // Random: the samples of each range
	drawn  uint64
	n      [2]uint64 // how many addresses of each family; Random: the single ones

	excluded, special LeftOut
}

// draw is the samples of one range. Its addresses that may be probed are split
// into strata of 2^host, of which the first in a keyed order give one each.
type draw struct {
	span   span
	v6     bool
	from   number // index of the first of them among the spans' numbers
	host   int
	order  *permutation.Permutation
	before uint64 // samples of earlier draws
	count  uint64
}

// measure counts the addresses.
func (s *Space) measure() error {
	total := small(s.drawn)
	for f := range s.sets {
		from := &s.sets[f]
		var n number
		switch {
		case s.how.PerPrefix:
			n = s.blocks[f].count()
		case s.how.Random > 0:
			n = small(uint64(from.lones()))
		default:
			n = from.count()
		}
		s.n[f] = n.lo
		if total = total.add(n); small(MaxLen).less(total) || n.hi != 0 {
			return fmt.Errorf("more than %d targets (2^48): take one per prefix or some at random", uint64(MaxLen))
		}
	}
	return nil
}

// Len is how many addresses there are.
func (s *Space) Len() uint64 { return s.n[0] + s.n[1] + s.drawn }

// First gives an address of a family, if there is one.
func (s *Space) First(v6 bool) (netip.Addr, bool) {
	starts := []uint64{0, s.n[0], s.n[0] + s.n[1]}
	for i := range s.draws {
		starts = append(starts, s.n[0]+s.n[1]+s.draws[i].before)
	}
	for _, i := range starts {
		if i < s.Len() {
			if a := s.At(i); a.Is6() == v6 {
				return a, true
			}
		}
	}
	return netip.Addr{}, false
}

// At gives the address with an index, which must be below Len.
func (s *Space) At(i uint64) netip.Addr {
	for f := range s.sets {
		if i < s.n[f] {
			v6 := f == 1
			if s.how.PerPrefix {
				return s.host(v6, s.blocks[f].at(small(i))).addr(v6)
			}
			return s.sets[f].at(small(i)).addr(v6)
		}
		i -= s.n[f]
	}
	d := &s.draws[sort.Search(len(s.draws), func(k int) bool { return i < s.draws[k].before })-1]
	return s.sample(d, i-d.before).addr(d.v6)
}

// Find gives the index of an address, if it has one.
func (s *Space) Find(a netip.Addr) (uint64, bool) {
	if !a.IsValid() || a.Is4In6() || a.Zone() != "" {
		return 0, false
	}
	f, x := family(a.Is6()), toNumber(a)
	var before uint64
	if f == 1 {
		before = s.n[0]
	}
	from := &s.sets[f]
	if s.how.PerPrefix {
		block := x.right(s.how.hostBits(f == 1))
		i, ok := s.blocks[f].find(block)
		return before + i.lo, ok && s.host(f == 1, block) == x
	}
	i, ok := from.find(x)
	if s.how.Random > 0 && ok && i.lo >= s.n[f] {
		return s.findSample(f == 1, x)
	}
	return before + i.lo, ok
}

// hostBits is how many bits a prefix leaves to the hosts in it.
func (how *Sampling) hostBits(v6 bool) int {
	if v6 {
		return 128 - how.Bits6
	}
	return 32 - how.Bits4
}

// prefix is the addresses of a prefix by its number.
func prefix(n number, host int) span {
	first := n.left(host)
	return span{first, first.or(low(host))}
}

// host gives the address that stands for a block.
func (s *Space) host(v6 bool, n number) number {
	f := family(v6)
	host := s.how.hostBits(v6)
	x := prefix(n, host)
	count := s.sets[f].within(x)
	h := mix(s.how.Key ^ mix(n.lo^mix(n.hi+uint64(f))))
	if host >= 2 && count == low(host).next() {
		return x.first.add(below(h, count.sub(small(2)))).next()
	}
	return s.sets[f].pick(x, below(h, count))
}

// below makes a hash a number below limit.
func below(hash uint64, limit number) number {
	if limit.hi == 0 {
		hi, _ := bits.Mul64(hash, limit.lo)
		return small(hi)
	}
	return number{hash, mix(hash)}.right(128 - (limit.len() - 1))
}

// sample gives the i-th address of a draw.
func (s *Space) sample(d *draw, i uint64) number {
	stratum := d.order.At(i)
	return s.sets[family(d.v6)].ofSpan(d.from.add(s.inStratum(d, stratum)))
}

// inStratum gives which of the addresses of a range its stratum gives.
func (s *Space) inStratum(d *draw, stratum uint64) number {
	h := mix(s.how.Key ^ mix(stratum^d.before))
	return small(stratum).left(d.host).or(number{h, mix(h)}.and(low(d.host)))
}

func (s *Space) findSample(v6 bool, x number) (uint64, bool) {
	for k := range s.draws {
		d := &s.draws[k]
		if d.v6 != v6 || x.less(d.span.first) || d.span.last.less(x) {
			continue
		}
		i, _ := s.sets[family(v6)].inSpan(x)
		offset := i.sub(d.from)
		stratum := offset.right(d.host).lo
		if stratum >= d.order.Len() || s.inStratum(d, stratum) != offset {
			return 0, false
		}
		place := d.order.Place(stratum)
		return s.n[0] + s.n[1] + d.before + place, place < d.count
	}
	return 0, false
}

// mix spreads every bit of x over all of them (the last step of splitmix64).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Has tells whether an address of the prefix may be probed. Of PerPrefix and
// Random that need not be one of the addresses that are.
func (s *Space) Has(p netip.Prefix) bool {
	if !p.IsValid() || p.Addr().Is4In6() {
		return false
	}
	first, last := Ends(p)
	set := &s.sets[family(first.Is6())]
	return set.within(span{toNumber(first), toNumber(last)}) != number{}
}

// Digest is a hash of which addresses there are, and at which index.
func (s *Space) Digest() [32]byte {
	h := sha256.New()
	put := func(list ...uint64) {
		var b [8]byte
		for _, v := range list {
			binary.BigEndian.PutUint64(b[:], v)
			h.Write(b[:])
		}
	}
	sampled := uint64(0)
	if s.how.PerPrefix {
		sampled = 1
	}
	put(sampled, uint64(s.how.Bits4), uint64(s.how.Bits6), s.how.Random)
	if sampled == 1 || s.how.Random > 0 {
		put(s.how.Key)
	}
	for f := range s.sets {
		x := &s.sets[f]
		put(uint64(x.lones()), uint64(len(x.spans)))
		x.eachLone(func(a number) { put(a.hi, a.lo) })
		for _, p := range x.spans {
			put(p.first.hi, p.first.lo, p.last.hi, p.last.lo)
		}
	}
	for i := range s.draws {
		d := &s.draws[i]
		put(d.span.first.hi, d.span.first.lo, d.span.last.hi, d.span.last.lo)
	}
	return [32]byte(h.Sum(nil))
}
