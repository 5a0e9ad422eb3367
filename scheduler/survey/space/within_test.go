package space

import (
	"maps"
	"math"
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

// What Within gives of any range, and how many Count says they are, is what
// going through all addresses finds there.
func TestWithin(t *testing.T) {
	for name, corner := range corners {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				var how Sampling
				switch host := rapid.IntRange(0, 8).Draw(t, "host bits"); rapid.IntRange(0, 2).Draw(t, "sampling") {
				case 1:
					how = Sampling{PerPrefix: true, Bits4: 32 - host, Bits6: 128 - host, Key: rapid.Uint64().Draw(t, "key")}
				case 2:
					how = Sampling{Random: rapid.SampledFrom([]uint64{1, 3, 20, 300}).Draw(t, "random"), Key: rapid.Uint64().Draw(t, "key")}
				}
				s, _ := drawSpace(t, corner, how)
				i := rapid.IntRange(0, 255).Draw(t, "first")
				first, last := nth(corner, i), nth(corner, rapid.IntRange(i, 255).Draw(t, "last"))
				if rapid.IntRange(0, 4).Draw(t, "all") == 0 {
					first, last = Ends(netip.PrefixFrom(corner, 0))
				}
				want, got := map[netip.Addr]bool{}, map[netip.Addr]bool{}
				for i := range s.Len() {
					if a := s.At(i); !a.Less(first) && !last.Less(a) {
						want[a] = true
					}
				}
				for a := range s.Within(first, last) {
					if got[a] {
						t.Fatalf("%s a second time", a)
					}
					got[a] = true
				}
				if !maps.Equal(got, want) || s.Count(first, last) != uint64(len(want)) {
					t.Fatalf("%s to %s has %v, %d of them, want %v", first, last, got, s.Count(first, last), want)
				}
				for a := range s.Within(first, last) {
					if !want[a] {
						t.Fatalf("%s is none", a)
					}
					break
				}
				if s.Count(last, first) != 0 && first != last {
					t.Fatalf("from %s back to %s there are %d", last, first, s.Count(last, first))
				}
			})
		})
	}
}

// Large ranges are counted at once, and their samples found where they are.
func TestWithinLarge(t *testing.T) {
	all6 := netip.MustParsePrefix("2000::/3")
	for _, how := range []Sampling{{PerPrefix: true, Bits4: 24, Bits6: 48, Key: 7}, {Random: 1 << 20, Key: 7}} {
		b := &Builder{}
		first, last := Ends(all6)
		if err := b.Add(first, last); err != nil {
			t.Fatal(err)
		}
		s, err := b.Build(how)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Count(first, last); got != s.Len() {
			t.Errorf("%+v: %d of %d", how, got, s.Len())
		}
		low, high := Ends(netip.MustParsePrefix("2400::/8"))
		got, share := s.Count(low, high), float64(s.Len())/32
		if math.Abs(float64(got)-share) > share/20 {
			t.Errorf("%+v: %d in %s, want about %.0f", how, got, "2400::/8", share)
		}
		found := 0
		for a := range s.Within(low, high) {
			if _, ok := s.Find(a); !ok || a.Less(low) || high.Less(a) {
				t.Fatalf("%+v: %s is none", how, a)
			}
			if found++; found == 1000 {
				break
			}
		}
		if found != 1000 {
			t.Errorf("%+v: %d found", how, found)
		}
	}
}
