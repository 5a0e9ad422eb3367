package survey

import (
	"math/rand/v2"
	"net/netip"
	"runtime"
	"testing"

	"pgregory.net/rapid"
)

// A hop is known from when it is entered, and no other one is.
func TestStopSet(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := stopSet{secret: rapid.Uint64().Draw(r, "secret")}
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "seed"), 0))
		most := rapid.Uint64Range(1, 20*pageKeys).Draw(r, "most")
		known := map[uint64]bool{}
		for range rapid.IntRange(0, 10*pageKeys).Draw(r, "keys") {
			key := random.Uint64N(most) + 1
			if got := s.put(key); got != known[key] {
				r.Fatalf("key %d is known: %v", key, got)
			}
			known[key] = true
		}
		if s.n != len(known) {
			r.Fatalf("%d keys, want %d", s.n, len(known))
		}
		s.each(func(key uint64) {
			if !known[key] {
				r.Fatalf("there is the key %d, or twice", key)
			}
			delete(known, key)
		})
		if len(known) > 0 {
			r.Fatalf("%d keys are not there", len(known))
		}
	})
}

// Keys whose hashes all begin alike, which takes knowing the secret, don't make
// it grow without bounds: some are forgotten.
func TestStopSetIsBounded(t *testing.T) {
	s := stopSet{secret: 5}
	for i := range uint64(2 * fullPage) {
		s.put(unmix(i) ^ s.secret)
	}
	if s.n != fullPage || len(s.pages) != 1<<maxDepth {
		t.Errorf("%d keys in a list of %d pages, want %d in %d", s.n, len(s.pages), fullPage, 1<<maxDepth)
	}
	if s.put(unmix(1)^s.secret) != true || s.put(unmix(2*fullPage)^s.secret) != false {
		t.Error("what is known is not, or the other way round")
	}
	if s.put(7) != false || s.put(7) != true {
		t.Error("other keys have no room")
	}
}

// unmix gives what mix makes x of.
func unmix(x uint64) uint64 {
	unshift := func(x uint64, by int) uint64 {
		y := x
		for range 64 / by {
			y = x ^ y>>by
		}
		return y
	}
	inverse := func(a uint64) uint64 {
		b := a // right in its lowest three bits, then in twice as many
		for range 5 {
			b *= 2 - a*b
		}
		return b
	}
	x = unshift(x, 31) * inverse(0x94d049bb133111eb)
	x = unshift(x, 27) * inverse(0xbf58476d1ce4e5b9)
	return unshift(x, 30)
}

func TestUnmix(t *testing.T) {
	for _, x := range []uint64{0, 1, 77, 1 << 63, 0x0123456789abcdef} {
		if got := mix(unmix(x)); got != x {
			t.Errorf("%#x became %#x", x, got)
		}
	}
}

// A hop takes no more than 21 bytes, and nothing is thrown away as they become
// more.
func TestBytesPerHop(t *testing.T) {
	var before, after runtime.MemStats
	for _, hops := range []int{100_000, 200_000, 300_000} {
		runtime.GC()
		runtime.ReadMemStats(&before)
		s := stopSet{}
		for i := range hops {
			s.put(stopKey(hopOf(i), 9, 0))
		}
		runtime.ReadMemStats(&after)
		if size := sizeof[hopPage](); size > 4096 {
			t.Fatalf("a page takes %d bytes, more than one of memory", size)
		}
		each := float64(after.TotalAlloc-before.TotalAlloc) / float64(hops)
		if said := float64(s.bytes()) / float64(hops); said > each || said < each*9/10 {
			t.Errorf("%d hops: it tells of %.1f bytes each, and took %.1f", hops, said, each)
		}
		t.Logf("%d hops: %.1f bytes each", hops, each)
		if each > 21 {
			t.Errorf("%d hops: %.1f bytes each, thrown away ones included, want 21 at most", hops, each)
		}
		for i := range hops {
			if !s.put(stopKey(hopOf(i), 9, 0)) {
				t.Fatalf("%d hops: the one of number %d is not known", hops, i)
			}
		}
		if s.put(stopKey(hopOf(0), 8, 0)) || s.put(stopKey(hopOf(0), 9, 1)) || s.n != hops+2 {
			t.Errorf("%d hops: %d are known, at TTLs and flows where nobody was too", hops, s.n-2)
		}
	}
}

// hopOf is the i-th of many addresses.
func hopOf(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{100, byte(i >> 16), byte(i >> 8), byte(i)})
}

// BenchmarkStopSet enters a million hops, and asks for each twice.
func BenchmarkStopSet(b *testing.B) {
	const hops = 1 << 20
	b.ReportAllocs()
	for b.Loop() {
		s := stopSet{}
		for i := range hops {
			s.put(stopKey(hopOf(i), 9, 0))
		}
		for i := range 2 * hops {
			if !s.put(stopKey(hopOf(i*7919%hops), 9, 0)) {
				b.Fatal("a hop is not known")
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(3*hops), "ns/hop")
}
