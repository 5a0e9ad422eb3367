package frame

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"
)

// naiveSum is RFC 1071 word by word, in a register that can't overflow here.
func naiveSum(b []byte, initial uint32) uint16 {
	sum := uint64(initial)
	for i, c := range b {
		if i%2 == 0 {
			sum += uint64(c) << 8
		} else {
			sum += uint64(c)
		}
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return uint16(sum)
}

func TestSumRFC1071Example(t *testing.T) {
	// RFC 1071 section 3.
	b := []byte{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7}
	if got := Fold(Sum(b, 0)); got != 0xddf2 {
		t.Errorf("Fold(Sum) = %#04x, want 0xddf2", got)
	}
}

func TestSumEqualsNaive(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	random := make([]byte, 4096)
	for i := range random {
		random[i] = byte(rng.Uint32())
	}
	ones := make([]byte, 4096)
	for i := range ones {
		ones[i] = 0xff
	}
	// A carry comes out of the last word of a block while the sum is all ones.
	carry := append([]byte(nil), ones[:128]...)
	carry[64+56] = 0xfe
	inputs := map[string][]byte{"random": random, "ones": ones, "zeros": make([]byte, 4096), "carry": carry}
	for name, in := range inputs {
		for n := 0; n <= len(in); n += 1 + n/64 {
			for _, initial := range []uint32{0, 1, 0xffff, 0x10000, 0xffffffff} {
				b := in[len(in)-n:] // odd offsets too: nothing may need alignment
				if got, want := Fold(Sum(b, initial)), naiveSum(b, initial); got != want {
					t.Fatalf("%s: Fold(Sum(%d bytes, %#x)) = %#04x, want %#04x", name, n, initial, got, want)
				}
			}
		}
	}
}

func TestSumContinues(t *testing.T) {
	b := []byte("the sum of the parts is the sum of the whole, when each part but the last is even")
	for cut := 0; cut <= len(b); cut += 2 {
		if got, want := Fold(Sum(b[cut:], Sum(b[:cut], 7))), Fold(Sum(b, 7)); got != want {
			t.Errorf("cut at %d: %#04x, want %#04x", cut, got, want)
		}
	}
}

func TestFold(t *testing.T) {
	for _, tt := range []struct {
		sum  uint32
		want uint16
	}{
		{0, 0}, {1, 1}, {0xffff, 0xffff}, {0x10000, 1}, {0x1fffe, 0xffff},
		{0x1ffff, 1}, {0xffff0000, 0xffff}, {0xffff0001, 1}, {0xffffffff, 0xffff},
	} {
		if got := Fold(tt.sum); got != tt.want {
			t.Errorf("Fold(%#x) = %#x, want %#x", tt.sum, got, tt.want)
		}
	}
}

func TestPseudoSum(t *testing.T) {
	for _, tt := range []struct {
		src, dst string
		length   int
	}{
		{"192.0.2.1", "198.51.100.254", 40},
		{"255.255.255.255", "255.255.255.255", 65515},
		{"2001:db8::1", "2001:db8:ffff:fffe::2", 40},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::", 65535 + 8},
		{"::ffff:192.0.2.1", "2001:db8::1", 8},
	} {
		src, dst := netip.MustParseAddr(tt.src), netip.MustParseAddr(tt.dst)
		b := append(src.AsSlice(), dst.AsSlice()...)
		b = binary.BigEndian.AppendUint32(b, uint32(tt.length))
		b = append(b, 0, 0, 0, protoUDP)
		if got, want := Fold(PseudoSum(src, dst, protoUDP, tt.length)), naiveSum(b, 0); got != want {
			t.Errorf("PseudoSum(%s, %s, udp, %d) folds to %#04x, want %#04x", tt.src, tt.dst, tt.length, got, want)
		}
	}
}

func TestUpdateChecksum(t *testing.T) {
	// RFC 1624 section 4: the sum that equation 2 of RFC 1141 gets wrong.
	if got := UpdateChecksum(0xdd2f, 0x5555, 0x3285); got != 0 {
		t.Errorf("UpdateChecksum of RFC 1624's example = %#04x, want 0", got)
	}
	rng := rand.New(rand.NewPCG(3, 4))
	b := make([]byte, 20)
	for range 10000 {
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		before := ^Fold(Sum(b, 0))
		at := rng.IntN(10) * 2
		old, word := binary.BigEndian.Uint16(b[at:]), uint16(rng.Uint32())
		binary.BigEndian.PutUint16(b[at:], word)
		if got, want := UpdateChecksum(before, old, word), ^Fold(Sum(b, 0)); got != want {
			t.Fatalf("UpdateChecksum(%#04x, %#04x, %#04x) = %#04x, want %#04x", before, old, word, got, want)
		}
	}
}

func BenchmarkSum(b *testing.B) {
	for _, size := range []int{20, 40, 60, 1500, 65000} {
		b.Run(sizeName(size), func(b *testing.B) {
			data := make([]byte, size)
			fillPattern(data, 0)
			b.ReportAllocs()
			b.SetBytes(int64(size))
			for b.Loop() {
				Sum(data, 0)
			}
		})
	}
}
