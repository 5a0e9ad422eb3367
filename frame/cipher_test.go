package frame

import "testing"

// The test vector of the cipher's paper.
func TestCipherVector(t *testing.T) {
	c := NewCipher([8]byte{0x00, 0x01, 0x08, 0x09, 0x10, 0x11, 0x18, 0x19})
	const plain, secret uint32 = 0x6574694c, 0xa86842f2
	if got := c.Encrypt(plain); got != secret {
		t.Errorf("Encrypt(%#x) = %#x, want %#x", plain, got, secret)
	}
	if got := c.Decrypt(secret); got != plain {
		t.Errorf("Decrypt(%#x) = %#x, want %#x", secret, got, plain)
	}
}

func TestCipherAllocatesNothing(t *testing.T) {
	c := NewCipher([8]byte{1})
	n := uint32(0)
	if a := testing.AllocsPerRun(100, func() { n = c.Decrypt(c.Encrypt(n) + 1) }); a != 0 {
		t.Errorf("%v allocations", a)
	}
}

func FuzzCipher(f *testing.F) {
	f.Add([]byte("password"), uint32(0))
	f.Add([]byte{}, uint32(0xffffffff))
	f.Fuzz(func(t *testing.T, secret []byte, n uint32) {
		var key [8]byte
		copy(key[:], secret)
		c := NewCipher(key)
		if got := c.Decrypt(c.Encrypt(n)); got != n {
			t.Errorf("Decrypt(Encrypt(%#x)) = %#x", n, got)
		}
		if got := c.Encrypt(c.Decrypt(n)); got != n {
			t.Errorf("Encrypt(Decrypt(%#x)) = %#x", n, got)
		}
	})
}

// BenchmarkCipher measures the time until a result is there (each number is the
// last one's result), and the time per number of a row of them.
func BenchmarkCipher(b *testing.B) {
	c := NewCipher([8]byte{1, 2, 3})
	for _, bb := range []struct {
		name string
		f    func(uint32) uint32
	}{{"encrypt", c.Encrypt}, {"decrypt", c.Decrypt}} {
		b.Run(bb.name+"/chained", func(b *testing.B) {
			b.ReportAllocs()
			n := uint32(0)
			for b.Loop() {
				n = bb.f(n)
			}
		})
		b.Run(bb.name+"/row", func(b *testing.B) {
			b.ReportAllocs()
			n, sum := uint32(0), uint32(0)
			for b.Loop() {
				n++
				sum += bb.f(n)
			}
		})
	}
}
