package pack

import (
	"bytes"
	"math"
	"testing"
)

// What was appended comes out again, and anything cut off is an error.
func TestReader(t *testing.T) {
	var b []byte
	b = Uint(b, 300)
	b = Int(b, -5)
	b = Fixed(b, 1<<63)
	b = Float(b, 0.25)
	b = Bytes(b, []byte("abc"))
	b = append(b, 'x', 'y')
	read := func(b []byte) (*Reader, bool) {
		r := NewReader(b)
		same := r.Uint(300) == 300 && r.Int() == -5 && r.Fixed() == 1<<63 && r.Float() == 0.25 &&
			bytes.Equal(r.Bytes(), []byte("abc")) && bytes.Equal(r.Next(2), []byte("xy"))
		return r, same
	}
	if r, same := read(b); !same || r.End() != nil {
		t.Errorf("not what was appended: %v", r.End())
	}
	if r, _ := read(append(b, 0)); r.End() == nil {
		t.Error("a byte too many is no error")
	}
	for n := range b {
		if r, _ := read(b[:n]); r.End() == nil {
			t.Errorf("the first %d bytes are no error", n)
		}
	}
	if r := NewReader(Uint(nil, 301)); r.Uint(300) != 0 || r.Err() == nil {
		t.Error("a number above its limit is no error")
	}
	if r := NewReader(append(Uint(nil, 3), 1, 2)); r.Count(1) != 0 || r.Err() == nil {
		t.Error("a count above what there is room for is no error")
	}
}

func FuzzReader(f *testing.F) {
	f.Add(Bytes(Uint(Int(nil, -1), math.MaxUint64), []byte("abc")))
	f.Fuzz(func(_ *testing.T, data []byte) {
		r := NewReader(data)
		for i := 0; r.Err() == nil && i < len(data)+1; i++ {
			switch i % 6 {
			case 0:
				r.Int()
			case 1:
				r.Uint(1 << 40)
			case 2:
				r.Bytes()
			case 3:
				r.Fixed()
			case 4:
				r.Next(r.Count(2))
			case 5:
				r.Float()
			}
		}
	})
}
