package space

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/hopquote/hopquote/scheduler/survey/permutation"
)

// MaxLen is how many addresses a Space has at most.
const MaxLen = permutation.MaxLen

// Builder collects ranges. The zero Builder has none. It grows by 4 bytes for
// each single IPv4 address and 16 for each IPv6 one, and by 32 for each range.
type Builder struct {
	in, out, special [2]lists // by family
}

// lists are ranges of one family, as they come.
type lists struct {
	lone4 []uint32
	lone6 []number
	spans []span
}

func (l *lists) add(v6 bool, x span) {
	switch {
	case x.first != x.last:
		l.spans = append(l.spans, x)
	case v6:
		l.lone6 = append(l.lone6, x.first)
	default:
		l.lone4 = append(l.lone4, uint32(x.first.lo))
	}
}

func (l *lists) set(v6 bool) set { return newSet(v6, l.lone4, l.lone6, slices.Clone(l.spans)) }

// Add puts the addresses from first to last in. Both must be of one family,
// unmapped and without zone.
func (b *Builder) Add(first, last netip.Addr) error { return enter(&b.in, first, last) }

// Exclude keeps the addresses from first to last out, whatever is added.
func (b *Builder) Exclude(first, last netip.Addr) error { return enter(&b.out, first, last) }

// ExcludeSpecial keeps the addresses of Special out.
func (b *Builder) ExcludeSpecial() {
	for _, p := range Special() {
		first, last := Ends(p)
		b.special[family(first.Is6())].add(first.Is6(), span{toNumber(first), toNumber(last)})
	}
}

func enter(to *[2]lists, first, last netip.Addr) error {
	switch {
	case !first.IsValid() || !last.IsValid() || first.Is4In6() || last.Is4In6() || first.Zone() != "" || last.Zone() != "":
		return fmt.Errorf("range %s-%s: want unmapped addresses without zone", first, last)
	case first.Is4() != last.Is4():
		return fmt.Errorf("range %s-%s: its ends are of different families", first, last)
	case last.Less(first):
		return fmt.Errorf("range %s-%s: it ends before it begins", first, last)
	}
	to[family(first.Is6())].add(first.Is6(), span{toNumber(first), toNumber(last)})
	return nil
}

// mapped are the IPv4-mapped addresses, which no packet has (RFC 4291 section
// 2.5.5.2).
var mapped = span{number{0, 0xffff << 32}, number{0, 0xffff<<32 | 0xffffffff}}

func family(v6 bool) int {
	if v6 {
		return 1
	}
	return 0
}

// Sampling says which of the addresses are meant. The zero Sampling means all.
// PerPrefix and Random exclude each other.
type Sampling struct {
	// PerPrefix takes one pseudo-random address from each prefix of Bits4 or
	// Bits6 bits that has any. Of a prefix that is there in whole it is neither
	// the first nor the last address.
	PerPrefix    bool
	Bits4, Bits6 int // 1..32, 1..128
	// Random, above 0, takes that many pseudo-random addresses, or all if there
	// are fewer, from each range; single addresses stay. Ranges that overlap
	// count as one.
	Random uint64
	// Key decides which.
	Key uint64
}

// Build makes the Space of what is added and not excluded. The Builder must
// not be used afterwards.
func (b *Builder) Build(how Sampling) (*Space, error) {
	s := &Space{how: how}
	if how.PerPrefix && (how.Bits4 < 1 || how.Bits4 > 32 || how.Bits6 < 1 || how.Bits6 > 128) {
		return nil, fmt.Errorf("one address per prefix of %d (IPv6: %d) bits: want 1 to 32 (1 to 128)", how.Bits4, how.Bits6)
	}
	none := newSet(true, nil, nil, []span{mapped})
	var given [2][]span
	for f := range b.in {
		s.sets[f], given[f] = b.in[f].set(f == 1), b.in[f].spans
	}
	s.sets[1].without(&none)
	s.excluded, s.special = s.cut(&b.out, given), s.cut(&b.special, given)
	switch {
	case how.PerPrefix:
		for f := range s.sets {
			s.blocks[f] = blocks(&s.sets[f], how.hostBits(f == 1))
		}
	case how.Random > 0:
		for f := range b.in {
			if err := s.draw(f == 1, b.in[f].spans); err != nil {
				return nil, err
			}
		}
	}
	return s, s.measure()
}

// blocks are the numbers of all aligned blocks of 2^host addresses in which s
// has any.
func blocks(s *set, host int) set {
	var l lists
	s.eachLone(func(a number) {
		b := a.right(host)
		l.add(s.v6, span{b, b})
	})
	for _, x := range s.spans {
		l.add(s.v6, span{x.first.right(host), x.last.right(host)})
	}
	return newSet(s.v6, l.lone4, l.lone6, l.spans)
}

// draw plans the samples from ranges.
func (s *Space) draw(v6 bool, spans []span) error {
	set := &s.sets[family(v6)]
	for _, x := range merge(spans) {
		_, bounds := set.bounds(x)
		strata, host := split(bounds[1].sub(bounds[0]))
		if strata == 0 {
			continue
		}
		d := draw{span: x, v6: v6, from: bounds[0], host: host}
		var err error
		if d.order, err = permutation.New(strata, s.how.Key^uint64(len(s.draws))); err != nil {
			return err
		}
		d.before, d.count = s.drawn, min(strata, s.how.Random)
		s.drawn += d.count
		s.draws = append(s.draws, d)
	}
	return nil
}

// merge makes one of the ranges that overlap.
func merge(spans []span) []span {
	spans = slices.Clone(spans)
	slices.SortFunc(spans, func(a, b span) int { return compare(a.first, b.first) })
	var apart []span
	for _, x := range spans {
		if n := len(apart); n > 0 && !apart[n-1].last.less(x.first) {
			apart[n-1].last = greater(apart[n-1].last, x.last)
			continue
		}
		apart = append(apart, x)
	}
	return apart
}

// split gives how many strata so many addresses have, of 2^host each.
func split(count number) (n uint64, host int) {
	host = max(count.len()-48, 0)
	return count.right(host).lo, host
}
