package link

import (
	"bytes"
	"encoding/binary"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// frameTo is the head of an Ethernet frame to an address.
func frameTo(dst netip.Addr) []byte {
	f := make([]byte, dst6+16)
	at := dst6
	binary.BigEndian.PutUint16(f[12:], 0x86dd)
	if dst.Is4() {
		at = dst4
		binary.BigEndian.PutUint16(f[12:], 0x0800)
	}
	copy(f[at:], dst.AsSlice())
	return f
}

// anyAddr is one of few, so that prefixes meet.
func anyAddr(t *rapid.T) netip.Addr {
	b := rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 128, 255}), 16, 16).Draw(t, "address")
	if rapid.Bool().Draw(t, "IPv6") {
		return netip.AddrFrom16([16]byte(append([]byte{0x20}, b[1:]...)))
	}
	return netip.AddrFrom4([4]byte(b))
}

// The table finds what going through all prefixes finds.
func TestHops(tt *testing.T) {
	rapid.Check(tt, func(t *rapid.T) {
		h, all := NewHops(), map[netip.Prefix]uint32{}
		hops := []uint32{nowhere}
		for i := range rapid.IntRange(1, 4).Draw(t, "next hops") {
			hops = append(hops, h.Add([6]byte{2, 5: byte(i + 1)}))
		}
		for range rapid.IntRange(0, 12).Draw(t, "prefixes") {
			a := anyAddr(t)
			p, _ := a.Prefix(rapid.IntRange(0, a.BitLen()).Draw(t, "bits"))
			all[p] = rapid.SampledFrom(hops).Draw(t, "next hop")
		}
		for _, p := range slices.SortedFunc(maps.Keys(all), netip.Prefix.Compare) {
			h.Set(p, all[p])
		}
		for range 20 {
			dst := anyAddr(t)
			want, bits := uint32(nowhere), -1
			for p, n := range all {
				if p.Contains(dst) && p.Bits() > bits {
					want, bits = n, p.Bits()
				}
			}
			if got := h.of(frameTo(dst)); !bytes.Equal(got, h.macs[want][:]) || h.Leads(dst) != (want != nowhere) {
				t.Fatalf("%s goes to %x (leads: %t), want %x: %v", dst, got, h.Leads(dst), h.macs[want], all)
			}
		}
		for n := range dst6 + 15 {
			if got := h.of(append(make([]byte, 0, n), frameTo(netip.IPv6Unspecified())[:max(n, 14)]...)); !bytes.Equal(got, h.macs[nowhere][:]) {
				t.Fatalf("a frame of %d bytes goes to %x", n, got)
			}
		}
		// A sender needs the table only where a family has several.
		families := [2]map[uint32]bool{{}, {}}
		for p, n := range all {
			if n != nowhere {
				families[len(p.Addr().AsSlice())/16][n] = true
			}
		}
		var s Sender
		s.follow(h)
		to := s.addresses()
		if several := len(families[0]) > 1 || len(families[1]) > 1; (to.hops != nil) != several {
			t.Fatalf("the table is used: %t, with %v", to.hops != nil, all)
		}
		for p, n := range all {
			dst := p.Addr()
			if !h.Leads(dst) || n == nowhere {
				continue
			}
			f := frameTo(dst)
			if to.hops == nil && !bytes.Equal(to.of(f), h.of(f)) {
				t.Fatalf("%s goes to %x, want %x: %v", dst, to.of(f), h.of(f), all)
			}
		}
	})
}

// Nothing is allocated for a frame.
func TestHopsAllocate(t *testing.T) {
	h, frames := manyHops(1000)
	h.Set(netip.MustParsePrefix("128.0.0.0/8"), h.AddShares([]Share{{[6]byte{2, 1}, 1}, {[6]byte{2, 2}, 1}}))
	frames = append([][]byte{flowTo(netip.MustParseAddr("128.0.0.1"), 1)}, frames...)
	for _, f := range frames[:64] {
		if n := testing.AllocsPerRun(10, func() { h.of(f); h.Leads(netip.AddrFrom4([4]byte(f[dst4:]))) }); n != 0 {
			t.Fatalf("%v allocations", n)
		}
	}
}

// manyHops are so many random prefixes by two next hops, and frames.
func manyHops(n int) (*Hops, [][]byte) {
	r := rand.New(rand.NewPCG(1, 2))
	h := NewHops()
	hops := []uint32{h.Add([6]byte{2, 1}), h.Add([6]byte{2, 2})}
	h.Set(netip.MustParsePrefix("0.0.0.0/0"), hops[0])
	draw := func() netip.Addr {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], r.Uint32())
		return netip.AddrFrom4(b)
	}
	list := make([]netip.Prefix, n)
	for i := range list {
		list[i], _ = draw().Prefix(12 + r.IntN(13))
	}
	slices.SortFunc(list, netip.Prefix.Compare)
	for _, p := range list {
		h.Set(p, hops[r.IntN(2)])
	}
	frames := make([][]byte, 1<<12)
	for i := range frames {
		frames[i] = frameTo(draw())
	}
	return h, frames
}

// BenchmarkHops is what it takes to find where a frame goes: with one next hop
// for each family, and with several by so many routes.
func BenchmarkHops(b *testing.B) {
	bench := func(b *testing.B, to *addresses, frames [][]byte) {
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			f := frames[i%len(frames)]
			if to.hops != nil {
				copy(f, to.hops.of(f))
			} else {
				copy(f, to.of(f))
			}
			i++
		}
	}
	_, frames := manyHops(1)
	b.Run("one", func(b *testing.B) { bench(b, &addresses{}, frames) })
	b.Run("two families", func(b *testing.B) { bench(b, &addresses{two: true, v6: true}, frames) })
	b.Run("shared", func(b *testing.B) {
		h := NewHops()
		h.Set(netip.MustParsePrefix("0.0.0.0/0"), h.AddShares([]Share{{[6]byte{2, 1}, 1}, {[6]byte{2, 2}, 1}}))
		bench(b, &addresses{hops: h}, frames)
	})
	for name, n := range map[string]int{"2 routes": 2, "100 routes": 100, "1000000 routes": 1e6} {
		b.Run(name, func(b *testing.B) {
			h, frames := manyHops(n)
			bench(b, &addresses{hops: h}, frames)
		})
	}
}
