package permutation

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func permute(t testing.TB, n, key uint64) *Permutation {
	t.Helper()
	p, err := New(n, key)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Every number has exactly one place.
func TestBijection(t *testing.T) {
	for _, n := range []uint64{0, 1, 2, 3, 4, 5, 7, 16, 17, 99, 100, 101, 255, 256, 257, 1000, 65536, 65537, 100003} {
		p := permute(t, n, 42)
		seen := map[uint64]bool{}
		for i := range n {
			v := p.At(i)
			if v >= n || seen[v] {
				t.Fatalf("n %d: place %d has %d, out of range or a second time", n, i, v)
			}
			seen[v] = true
			if back := p.Place(v); back != i {
				t.Fatalf("n %d: the place of %d is %d, want %d", n, v, back, i)
			}
		}
	}
}

// The same holds for single places of large permutations.
func TestInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Uint64Range(1, MaxLen).Draw(t, "n")
		p, err := New(n, rapid.Uint64().Draw(t, "key"))
		if err != nil {
			t.Fatal(err)
		}
		x := rapid.Uint64Range(0, n-1).Draw(t, "x")
		if v := p.At(x); v >= n || p.Place(v) != x {
			t.Fatalf("At(%d) = %d, and back %d", x, v, p.Place(v))
		}
		if v := p.Place(x); v >= n || p.At(v) != x {
			t.Fatalf("Place(%d) = %d, and back %d", x, v, p.At(v))
		}
	})
}

func TestTooMany(t *testing.T) {
	if _, err := New(MaxLen+1, 0); err == nil {
		t.Error("no error beyond 2^48")
	}
}

// Two keys agree in no more places than chance has it.
func TestKeys(t *testing.T) {
	const n = 10000
	p, q := permute(t, n, 1), permute(t, n, 2)
	same := 0
	for i := range uint64(n) {
		if p.At(i) == q.At(i) {
			same++
		}
	}
	if same > 10 {
		t.Errorf("%d of %d places are equal under two keys, 1 is expected", same, n)
	}
}

// Any stretch of the order takes its share from everywhere: the numbers are
// counted in 64 bins, whose counts are within 6 standard deviations.
func TestSpread(t *testing.T) {
	for _, n := range []uint64{1 << 16, 1<<20 + 7, 1 << 40, MaxLen} {
		p := permute(t, n, 7)
		const bins, draws = 64, 1 << 14
		for _, from := range []uint64{0, n / 3, n - draws} {
			var count [bins]int
			for i := range uint64(draws) {
				count[p.At(from+i)/((n+bins-1)/bins)]++
			}
			mean := float64(draws) / bins
			off := 6 * math.Sqrt(mean)
			if low, top := slices.Min(count[:]), slices.Max(count[:]); float64(low) < mean-off || float64(top) > mean+off {
				t.Errorf("n %d from %d: %d to %d in a bin, want %.0f±%.0f", n, from, low, top, mean, off)
			}
		}
	}
}

// Neighbouring places are no nearer than any two numbers are.
func TestNeighbours(t *testing.T) {
	const n = 1 << 30
	p := permute(t, n, 3)
	var sum float64
	last := p.At(0)
	const steps = 100000
	for i := uint64(1); i <= steps; i++ {
		v := p.At(i)
		sum += math.Abs(float64(v) - float64(last))
		last = v
	}
	if mean := sum / steps / n; mean < 0.32 || mean > 0.345 {
		t.Errorf("mean distance of neighbours is %.3f of the range, want 1/3", mean)
	}
}

func TestAllocs(t *testing.T) {
	p := permute(t, 1<<40, 3)
	if n := testing.AllocsPerRun(100, func() { p.Place(p.At(77)) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkAt(b *testing.B) {
	for name, n := range map[string]uint64{"1e6": 1e6, "2^29": 1 << 29, "2^48": MaxLen} {
		b.Run(name, func(b *testing.B) {
			p := permute(b, n, 3)
			b.ReportAllocs()
			var i, sum uint64
			for b.Loop() {
				sum += p.At(i)
				if i++; i == n {
					i = 0
				}
			}
			_ = sum
		})
	}
}

func BenchmarkPlace(b *testing.B) {
	p := permute(b, 1<<29, 3)
	b.ReportAllocs()
	var i, sum uint64
	for b.Loop() {
		sum += p.Place(i & (1<<29 - 1))
		i++
	}
	_ = sum
}
