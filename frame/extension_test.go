package frame

import (
	"bytes"
	"slices"
	"testing"
)

func TestValid(t *testing.T) {
	set := func(at int, v ...byte) []byte {
		b := slices.Clone(mplsExtension)
		copy(b[at:], v)
		return b
	}
	for _, c := range []struct {
		name string
		ext  []byte
		want error
	}{
		{"without checksum", mplsExtension, nil},
		{"with checksum", withChecksum(mplsExtension), nil},
		{"object without data", []byte{0x20, 0, 0, 0, 0, 4, 3, 0}, nil},
		{"reserved bits set", withChecksum(set(0, 0x2f, 0xff)), nil},
		{"nothing", nil, ErrExtensionShort},
		{"three bytes", mplsExtension[:3], ErrExtensionShort},
		{"header only", mplsExtension[:4], ErrExtensionEmpty},
		{"version 1", set(0, 0x10), ErrExtensionVersion},
		{"version in the lower nibble", set(0, 0x02), ErrExtensionVersion},
		{"wrong checksum", set(2, 0xff, 0xff), ErrExtensionChecksum},
		{"object length 0", set(4, 0, 0), ErrExtensionObject},
		{"object length 3", set(4, 0, 3), ErrExtensionObject},
		{"object length 6", set(4, 0, 6), ErrExtensionObject},
		{"object length 6 fills it", []byte{0x20, 0, 0, 0, 0, 6, 1, 1, 0, 0}, ErrExtensionObject},
		{"object length 65535", set(4, 0xff, 0xff), ErrExtensionObject},
		{"object length 65532", set(4, 0xff, 0xfc), ErrExtensionObject},
		{"second object too long", set(16, 0, 16), ErrExtensionObject},
		{"second object too short", set(16, 0, 8), ErrExtensionObject},
		{"one byte left over", append(slices.Clone(mplsExtension), 0), ErrExtensionObject},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Valid(c.ext); got != c.want {
				t.Errorf("Valid = %v, want %v", got, c.want)
			}
		})
	}
}

// extended is the error of kind k that quotes quote, states length bytes of it
// and carries ext.
func extended(k icmpKind, v6 bool, quote []byte, length int, ext []byte) []byte {
	e := errorOfKind(k, v6)
	e.Rest |= lengthField(length, v6)
	e.Quote = quote
	e.Ext = ext
	return e.Append(nil)
}

func TestDecodeExtensions(t *testing.T) {
	short := func(v6 bool) []byte { return probePacket(t, quotedProbe(UDP, v6)) }
	long := func(v6 bool) []byte {
		p := quotedProbe(UDP, v6)
		p.Size = 600
		return probePacket(t, p)
	}
	pad := func(b []byte, n int) []byte { return append(b, make([]byte, n-len(b))...) }
	good := withChecksum(mplsExtension)
	bad := slices.Clone(good)
	bad[3] ^= 1

	for _, v6 := range []bool{false, true} {
		whole := len(short(v6))
		for _, c := range []struct {
			name      string
			quote     []byte
			length    int // stated by the message
			ext       []byte
			want      []byte
			compliant bool
			bytes     int
		}{
			{"stated 128", pad(short(v6), 128), 128, good, good, true, whole},
			{"stated 128, no checksum", pad(short(v6), 128), 128, mplsExtension, mplsExtension, true, whole},
			{"stated 128, bad checksum", pad(short(v6), 128), 128, bad, bad, true, whole},
			{"stated 128, header only", pad(short(v6), 128), 128, good[:4], good[:4], true, whole},
			{"stated 128, three bytes", pad(short(v6), 128), 128, good[:3], nil, false, whole},
			{"stated 128, no extension", pad(short(v6), 128), 128, nil, nil, false, whole},
			{"stated 200 of a long probe", long(v6)[:200], 200, good, good, true, 200},
			{"stated 504 of a long probe", long(v6)[:504], 504, good, good, true, 504},
			{"stated 80, padded", pad(short(v6), 80), 80, good, good, true, whole},
			{"stated 48", short(v6)[:48], 48, good, good, true, 48},
			{"stated 48, bad checksum", short(v6)[:48], 48, bad, nil, false, 48 + len(bad)},
			{"stated 8 of a long quote", long(v6)[:544], 8, nil, nil, false, 544},
			{"stated past the end", long(v6)[:400], 408, nil, nil, false, 400},
			{"stated past the end, extension at 128", long(v6)[:128], 512, good, good, false, 128},
			{"not stated, extension at 128", pad(short(v6), 128), 0, good, good, false, whole},
			{"not stated, at 128 of a long probe", long(v6)[:128], 0, mplsExtension, mplsExtension, false, 128},
			{"not stated, bad checksum", long(v6)[:128], 0, bad, nil, false, 128 + len(bad)},
			{"not stated, header only", long(v6)[:128], 0, good[:4], nil, false, 132},
			{"not stated, three bytes", long(v6)[:128], 0, good[:3], nil, false, 131},
			{"not stated, at 136", long(v6)[:136], 0, good, nil, false, 136 + len(good)},
			{"not stated, long quote", long(v6), 0, nil, nil, false, 600},
		} {
			t.Run(familyName(v6)+"/"+c.name, func(t *testing.T) {
				for _, k := range []icmpKind{icmpKinds[0], icmpKinds[2]} {
					r := decode(extended(k, v6, c.quote, c.length, c.ext), LinkRaw, false)
					if !bytes.Equal(r.Ext, c.want) || (r.Ext == nil) != (c.want == nil) || r.ExtCompliant != c.compliant {
						t.Errorf("%s: Ext % x compliant %t, want % x, %t", k.name, r.Ext, r.ExtCompliant, c.want, c.compliant)
					}
					if r.Quote.Bytes != c.bytes {
						t.Errorf("%s: Quote.Bytes = %d, want %d", k.name, r.Quote.Bytes, c.bytes)
					}
					if r.Checksum != ChecksumGood {
						t.Errorf("%s: Checksum = %d, want good", k.name, r.Checksum)
					}
				}
			})
		}
	}
}

// Extensions belong to some kinds of errors only (RFC 4884 section 4).
func TestDecodeExtensionKinds(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		for _, k := range icmpKinds {
			if v6 && k.only4 {
				continue
			}
			quote := make([]byte, 128)
			copy(quote, probePacket(t, quotedProbe(UDP, v6)))
			want := k.extended
			if v6 {
				want = k.ext6
			}
			r := decode(extended(k, v6, quote, 0, mplsExtension), LinkRaw, false)
			if got := r.Ext != nil; got != want {
				t.Errorf("%s/%s: extensions found %t, want %t", k.name, familyName(v6), got, want)
			}
		}
	}
}

// The largest length fields state more than 255 bytes.
func TestDecodeExtensionLargestLength(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		n := 255 * 4
		if v6 {
			n = 255 * 8
		}
		p := quotedProbe(UDP, v6)
		p.Size = 3000
		r := decode(extended(timeExceeded, v6, probePacket(t, p)[:n], n, mplsExtension), LinkRaw, false)
		if !r.ExtCompliant || !bytes.Equal(r.Ext, mplsExtension) || r.Quote.Bytes != n {
			t.Errorf("%s: compliant %t, %d extension bytes, %d quoted", familyName(v6), r.ExtCompliant, len(r.Ext), r.Quote.Bytes)
		}
	}
}
