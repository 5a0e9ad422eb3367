package space

import (
	"maps"
	"math"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// What is left out is by how much there would be more, in any way of sampling.
func TestLeftOut(t *testing.T) {
	for name, corner := range corners {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				how := rapid.SampledFrom([]Sampling{{}, {PerPrefix: true, Bits4: 29, Bits6: 125}, {Random: 3}}).Draw(t, "how")
				with, without := &Builder{}, &Builder{}
				may := drawRanges(t, with, corner)
				for f, l := range with.in {
					without.in[f] = lists{slices.Clone(l.lone4), slices.Clone(l.lone6), slices.Clone(l.spans)}
				}
				s, all := build(t, with, how), build(t, without, how)
				l := s.Excluded()
				if l.Targets != all.Len()-s.Len() {
					t.Fatalf("%d targets left out of %d, %d are left", l.Targets, all.Len(), s.Len())
				}
				if l.Targets == 0 {
					return
				}
				if may[l.Example] || !all.Has(netip.PrefixFrom(l.Example, l.Example.BitLen())) {
					t.Fatalf("%s is not one of those left out", l.Example)
				}
				if how.PerPrefix {
					bits := how.Bits4
					if corner.Is6() {
						bits = how.Bits6
					}
					for a := range maps.Keys(may) {
						if netip.PrefixFrom(l.Example, bits).Masked().Contains(a) {
							t.Fatalf("%s is in a prefix of which %s is left", l.Example, a)
						}
					}
				}
			})
		})
	}
}

func build(t *rapid.T, b *Builder, how Sampling) *Space {
	s, err := b.Build(how)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// What is excluded by name counts first, of the rest what is special.
func TestExcludeSpecial(t *testing.T) {
	perPrefix := Sampling{PerPrefix: true, Bits4: 24, Bits6: 48}
	for _, tt := range []struct {
		name, add, exclude string
		how                Sampling
		excluded, special  LeftOut
		left               uint64
	}{
		{"neither", "20.0.0.0/24", "21.0.0.0/8", Sampling{}, LeftOut{}, LeftOut{}, 256},
		{"both", "192.168.0.0/24", "192.168.0.0/25", Sampling{},
			LeftOut{128, netip.MustParseAddr("192.168.0.0")}, LeftOut{128, netip.MustParseAddr("192.168.0.128")}, 0},
		{"a part of a prefix", "203.0.112.0/23", "203.0.112.0/25", perPrefix, LeftOut{}, LeftOut{1, netip.MustParseAddr("203.0.113.0")}, 1},
		{"samples", "20.0.0.0/8", "20.0.0.0/9", Sampling{Random: 9}, LeftOut{}, LeftOut{}, 9},
		{"more samples than strata", "2600::/80", "2600::/128", Sampling{Random: 1 << 48}, LeftOut{}, LeftOut{}, 1<<48 - 1},
		{"all IPv6", "::/0", "::/0", Sampling{}, LeftOut{math.MaxUint64, netip.MustParseAddr("::")}, LeftOut{}, 0},
		{"multicast", "ff00::/8", "2600::/12", Sampling{}, LeftOut{}, LeftOut{math.MaxUint64, netip.MustParseAddr("ff00::")}, 0},
		{"all IPv4", "0.0.0.0/0", "0.0.0.0/32", perPrefix, LeftOut{}, LeftOut{2315269, netip.MustParseAddr("0.0.0.1")}, 1<<24 - 2315269},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := &Builder{}
			if err := b.Add(Ends(netip.MustParsePrefix(tt.add))); err != nil {
				t.Fatal(err)
			}
			if err := b.Exclude(Ends(netip.MustParsePrefix(tt.exclude))); err != nil {
				t.Fatal(err)
			}
			b.ExcludeSpecial()
			s, err := b.Build(tt.how)
			if err != nil {
				t.Fatal(err)
			}
			if s.Excluded() != tt.excluded || s.ExcludedSpecial() != tt.special || s.Len() != tt.left {
				t.Errorf("excluded %v, special %v, %d left", s.Excluded(), s.ExcludedSpecial(), s.Len())
			}
		})
	}
}
