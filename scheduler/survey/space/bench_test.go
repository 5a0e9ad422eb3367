package space

import (
	"math/rand/v2"
	"net/netip"
	"runtime"
	"testing"

	"github.com/hopquote/hopquote/scheduler/survey/permutation"
)

// slash24s is one host in each /24 of the whole IPv4 space.
func slash24s(tb testing.TB) *Space {
	b := &Builder{}
	if err := b.Add(netip.MustParseAddr("0.0.0.0"), netip.MustParseAddr("255.255.255.255")); err != nil {
		tb.Fatal(err)
	}
	s, err := b.Build(Sampling{PerPrefix: true, Bits4: 24, Bits6: 48, Key: 1})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// list is n addresses one by one, as from a file.
func list(tb testing.TB, n int) *Space {
	b := &Builder{}
	r := rand.New(rand.NewPCG(1, 2))
	for range n {
		a := small(uint64(r.Uint32())).addr(false)
		if err := b.Add(a, a); err != nil {
			tb.Fatal(err)
		}
	}
	s, err := b.Build(Sampling{})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// public is the IPv4 space without its special blocks.
func public(tb testing.TB) *Space {
	b := &Builder{}
	if err := b.Add(netip.MustParseAddr("0.0.0.0"), netip.MustParseAddr("255.255.255.255")); err != nil {
		tb.Fatal(err)
	}
	for _, p := range Special() {
		first, last := Ends(p)
		if err := b.Exclude(first, last); err != nil {
			tb.Fatal(err)
		}
	}
	s, err := b.Build(Sampling{})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func BenchmarkAt(b *testing.B) {
	for _, c := range []struct {
		name string
		make func(testing.TB) *Space
	}{
		{"list of 1e6", func(tb testing.TB) *Space { return list(tb, 1e6) }},
		{"public IPv4", public},
		{"all 24s", slash24s},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := c.make(b)
			p, err := permutation.New(s.Len(), 1)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			var i uint64
			for b.Loop() {
				s.At(p.At(i))
				if i++; i == s.Len() {
					i = 0
				}
			}
		})
	}
}

// All 16.7 million /24s, planned and gone through in permuted order with 16
// TTLs each once.
func BenchmarkAll24s(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		s := slash24s(b)
		p, err := permutation.New(s.Len()*16, 1)
		if err != nil {
			b.Fatal(err)
		}
		var sum byte
		for i := range p.Len() {
			a := s.At(p.At(i) / 16).As4()
			sum += a[3]
		}
		b.ReportMetric(float64(s.Len()), "targets")
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.Sys)/(1<<20), "MiB")
}

// A list of single IPv4 addresses takes 4 bytes for each, ranges nothing for
// what is in them, and nothing is allocated for an address.
func TestMemory(t *testing.T) {
	before := heap()
	s := list(t, 1e6)
	if used := float64(heap()-before) / float64(s.Len()); used > 4.5 {
		t.Errorf("%.2f bytes for each address, want 4", used)
	}
	if n := testing.AllocsPerRun(100, func() { s.Find(s.At(77)) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	before = heap()
	all := slash24s(t)
	if used := heap() - before; used > 1<<16 {
		t.Errorf("%d bytes for %d prefixes", used, all.Len())
	}
	runtime.KeepAlive(s)
	runtime.KeepAlive(all)
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
