package space

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

// corner is where a universe of 256 addresses lies; the ends of the families
// are where sums could overflow.
var corners = map[string]netip.Addr{
	"first IPv4": netip.MustParseAddr("0.0.0.0"), "IPv4": netip.MustParseAddr("20.1.2.0"), "last IPv4": netip.MustParseAddr("255.255.255.0"),
	"first IPv6": netip.MustParseAddr("::"), "IPv6": netip.MustParseAddr("2600::ffff:ffff:ffff:ff00"),
	"halves": netip.MustParseAddr("2600:0:0:0:ffff:ffff:ffff:ff80"), "last IPv6": netip.MustParseAddr("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ff00"),
}

func nth(corner netip.Addr, i int) netip.Addr {
	return toNumber(corner).add(small(uint64(i))).addr(corner.Is6())
}

// drawSpace builds a Space and tells which of the 256 addresses are meant.
func drawSpace(t *rapid.T, corner netip.Addr, how Sampling) (*Space, map[netip.Addr]bool) {
	b := &Builder{}
	want := drawRanges(t, b, corner)
	s, err := b.Build(how)
	if err != nil {
		t.Fatal(err)
	}
	return s, want
}

// drawRanges adds and excludes some, and tells which of the 256 addresses are
// left.
func drawRanges(t *rapid.T, b *Builder, corner netip.Addr) map[netip.Addr]bool {
	want := map[netip.Addr]bool{}
	edit := func(label string, add func(a, b netip.Addr) error, in bool) {
		for range rapid.IntRange(0, 12).Draw(t, label) {
			first := rapid.IntRange(0, 255).Draw(t, "first")
			last := min(255, first+rapid.SampledFrom([]int{0, 0, 0, 1, 2, 7, 30, 255}).Draw(t, "more"))
			if err := add(nth(corner, first), nth(corner, last)); err != nil {
				t.Fatal(err)
			}
			for i := first; i <= last; i++ {
				if in {
					want[nth(corner, i)] = true
				} else {
					delete(want, nth(corner, i))
				}
			}
		}
	}
	edit("adds", b.Add, true)
	edit("excludes", b.Exclude, false)
	return want
}

// checkIndex holds index to address and back against each other, and gives the
// addresses.
func checkIndex(t *rapid.T, s *Space) map[netip.Addr]bool {
	got := map[netip.Addr]bool{}
	for i := range s.Len() {
		a := s.At(i)
		if got[a] {
			t.Fatalf("%s a second time, at %d", a, i)
		}
		got[a] = true
		if back, ok := s.Find(a); !ok || back != i {
			t.Fatalf("%s at %d is found at %d (%v)", a, i, back, ok)
		}
	}
	return got
}

func TestAll(t *testing.T) {
	for name, corner := range corners {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				s, want := drawSpace(t, corner, Sampling{})
				got := checkIndex(t, s)
				for i := range 256 {
					a := nth(corner, i)
					if got[a] != want[a] {
						t.Fatalf("%s in it: %v, want %v", a, got[a], want[a])
					}
					if _, ok := s.Find(a); ok != want[a] {
						t.Fatalf("%s found: %v, want %v", a, ok, want[a])
					}
				}
			})
		})
	}
}

func TestPerPrefix(t *testing.T) {
	for name, corner := range corners {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				host := rapid.IntRange(0, 8).Draw(t, "host bits")
				how := Sampling{PerPrefix: true, Bits4: 32 - host, Bits6: 128 - host, Key: rapid.Uint64().Draw(t, "key")}
				s, may := drawSpace(t, corner, how)
				bits := how.Bits4
				if corner.Is6() {
					bits = how.Bits6
				}
				prefixes := map[netip.Prefix]int{}
				for a := range may {
					prefixes[netip.PrefixFrom(a, bits).Masked()]++
				}
				got := checkIndex(t, s)
				if len(got) != len(prefixes) {
					t.Fatalf("%d addresses for %d prefixes", len(got), len(prefixes))
				}
				for a := range got {
					p := netip.PrefixFrom(a, bits).Masked()
					if !may[a] || prefixes[p] == 0 {
						t.Fatalf("%s is none of those given, or a second one in its prefix", a)
					}
					first, last := Ends(p)
					if host >= 2 && prefixes[p] == 1<<host && (a == first || a == last) {
						t.Fatalf("%s is at the end of %s", a, p)
					}
					delete(prefixes, p)
				}
			})
		})
	}
}

func TestRandom(t *testing.T) {
	for name, corner := range corners {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				n := rapid.Uint64Range(1, 20).Draw(t, "n")
				s, may := drawSpace(t, corner, Sampling{Random: n, Key: rapid.Uint64().Draw(t, "key")})
				got := checkIndex(t, s)
				if len(may) > 0 && len(got) == 0 {
					t.Fatal("nothing")
				}
				for a := range got {
					if !may[a] {
						t.Fatalf("%s is none of those given", a)
					}
				}
			})
		})
	}
}

// In huge prefixes the samples are all over them, and found again.
func TestRandomHuge(t *testing.T) {
	b := &Builder{}
	for _, p := range []string{"2600::/12", "2a00:1::/64", "20.0.0.0/8", "2a00:1::7/128"} {
		first, last := Ends(netip.MustParsePrefix(p))
		if err := b.Add(first, last); err != nil {
			t.Fatal(err)
		}
	}
	s, err := b.Build(Sampling{Random: 1000, Key: 9})
	if err != nil {
		t.Fatal(err)
	}
	if s.Len() != 3000 {
		t.Fatalf("%d targets, want 3000: the single address is within a range", s.Len())
	}
	sixteenths := map[string]int{}
	for i := range s.Len() {
		a := s.At(i)
		if back, ok := s.Find(a); !ok || back != i {
			t.Fatalf("%s at %d is found at %d (%v)", a, i, back, ok)
		}
		if b := a.As16(); a.Is6() && b[0] == 0x26 {
			sixteenths[a.String()[:4]]++
		}
	}
	if len(sixteenths) != 16 {
		t.Errorf("the samples of 2600::/12 are in %d sixteenths of it", len(sixteenths))
	}
	for _, v6 := range []bool{false, true} {
		if a, ok := s.First(v6); !ok || a.Is6() != v6 {
			t.Errorf("first of IPv6 %v: %s, %v", v6, a, ok)
		}
	}
}

func TestTooMany(t *testing.T) {
	for _, p := range []string{"2600::/64", "::/0"} {
		b := &Builder{}
		first, last := Ends(netip.MustParsePrefix(p))
		if err := b.Add(first, last); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Build(Sampling{}); err == nil {
			t.Errorf("%s: no error", p)
		}
	}
}

func TestRefused(t *testing.T) {
	b := &Builder{}
	for _, r := range [][2]string{{"20.0.0.2", "20.0.0.1"}, {"20.0.0.1", "2600::"}, {"::ffff:20.0.0.1", "::ffff:20.0.0.1"}, {"fe80::1%eth0", "fe80::1%eth0"}} {
		if err := b.Add(netip.MustParseAddr(r[0]), netip.MustParseAddr(r[1])); err == nil {
			t.Errorf("%v: no error", r)
		}
	}
	if err := b.Add(netip.Addr{}, netip.Addr{}); err == nil {
		t.Error("no address: no error")
	}
}

// The registries' blocks are what they were typed as.
func TestSpecial(t *testing.T) {
	for _, p := range Special() {
		if p.Masked() != p {
			t.Errorf("%s has host bits", p)
		}
	}
}
