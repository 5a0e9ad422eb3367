package frame

import (
	"bytes"
	"slices"
	"testing"
)

func TestClassicExtensions(t *testing.T) {
	const short = 60 // bytes of the probe
	good := withChecksum(mplsExtension)
	set := func(at int, v ...byte) []byte {
		b := slices.Clone(good)
		copy(b[at:], v)
		return b
	}
	for _, v6 := range []bool{false, true} {
		long := func(n int) []byte {
			p := quotedProbe(UDP, v6)
			p.Size = 1400
			return probePacket(t, p)[:n]
		}
		padded := append(long(short), make([]byte, 128-short)...)
		for _, c := range []struct {
			name  string
			quote []byte
			state int // length that the message states
			ext   []byte
			sent  int
			found bool
		}{
			{"stated", padded, 128, good, short, true},
			{"not stated", padded, 0, good, short, true},
			{"stated wrongly", padded, 64, good, short, true},
			{"no checksum", padded, 0, mplsExtension, short, true},
			{"wrong checksum", padded, 128, set(2, 1, 2), short, false},
			{"version 1", padded, 128, mplsWith(0, 0x10), short, false},
			{"object of 6 bytes", padded, 128, mplsWith(5, 6), short, false},
			{"header only", padded, 128, []byte{0x20, 0, 0, 0}, short, false},
			{"one object without data", padded, 128, []byte{0x20, 0, 0, 0, 0, 4, 3, 0}, short, true},
			{"quote of 60 that is stated", long(short)[:short&^7], short &^ 7, good, short, false},
			{"quote of 200 of a short probe", long(200), 200, good, short, false},
			{"as long as the probe", long(200), 0, good, 200 + len(good), true},
			{"a byte longer than the probe", long(200), 0, good, 200 + len(good) - 1, false},
			{"quote of 128 of a long probe", long(128), 128, good, 300, true},
			{"quote of 200 of a long probe", long(200), 0, good, 300, true},
			{"quote of 132 of a long probe", long(132), 0, good, 300, !v6},
			{"quote of 130 of a long probe", long(130), 0, good, 300, false},
			{"up to 1280 bytes", long((1280 - len(good)) &^ 7), 0, good, 1400, true},
			{"beyond 1280 bytes", long((1288 - len(good)) &^ 7), 0, good, 1400, false},
			{"nothing", nil, 0, nil, short, false},
		} {
			t.Run(familyName(v6)+"/"+c.name, func(t *testing.T) {
				r := decode(extended(timeExceeded, v6, c.quote, c.state, c.ext), LinkRaw, false)
				if want := append(slices.Clone(c.quote), c.ext...); !bytes.Equal(r.Body, want) {
					t.Errorf("Body % x, want % x", r.Body, want)
				}
				want := c.ext
				if !c.found {
					want = nil
				}
				if got := r.ClassicExtensions(c.sent); !bytes.Equal(got, want) {
					t.Errorf("% x, want % x", got, want)
				}
				if n := testing.AllocsPerRun(20, func() { r.ClassicExtensions(c.sent) }); n != 0 {
					t.Errorf("%v allocations", n)
				}
			})
		}
	}
}

// mplsWith is mplsExtension with one byte changed.
func mplsWith(at int, v byte) []byte {
	b := slices.Clone(mplsExtension)
	b[at] = v
	return b
}

func TestClassicExtensionKinds(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		for _, k := range icmpKinds {
			if v6 && k.only4 {
				continue
			}
			want := k.extended
			if v6 {
				want = k.ext6
			}
			r := decode(extended(k, v6, make([]byte, 128), 0, mplsExtension), LinkRaw, false)
			if got := r.ClassicExtensions(60) != nil; got != want {
				t.Errorf("%s/%s: extensions found %t, want %t", k.name, familyName(v6), got, want)
			}
		}
	}
}
