package frame

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// piece is what a test wants to know of a fragment.
type piece struct {
	Length, Offset int // IP length and data offset in bytes
	More           bool
	ID             uint32
}

// reassemble puts the packet together again and lists its pieces. It fails for
// fragments that no receiver would take.
func reassemble(t testing.TB, frames [][]byte, link LinkType) (whole []byte, pieces []piece) {
	t.Helper()
	at := 0
	for i, f := range frames {
		ip := f[link.HeaderLen():]
		var p piece
		var word uint16
		head, front := 20, 20 // before the data, and without Fragment header
		if ip[0]>>4 == 6 {
			head, front = 48, 40
			p.Length = 40 + int(binary.BigEndian.Uint16(ip[4:]))
			if ip[6] != 44 || ip[41] != 0 {
				t.Fatalf("fragment %d: next header %d, reserved byte %d", i, ip[6], ip[41])
			}
			word = binary.BigEndian.Uint16(ip[42:])
			p.Offset, p.More = int(word&^7), word&1 != 0
			p.ID = binary.BigEndian.Uint32(ip[44:])
		} else {
			if sum := naiveSum(ip[:20], 0); sum != 0xffff {
				t.Fatalf("fragment %d: IPv4 header sums up to %#04x", i, sum)
			}
			p.Length = int(binary.BigEndian.Uint16(ip[2:]))
			word = binary.BigEndian.Uint16(ip[6:])
			p.Offset, p.More = int(word&0x1fff)*8, word&0x2000 != 0
			p.ID = uint32(binary.BigEndian.Uint16(ip[4:]))
		}
		if p.Length != len(ip) || p.Offset != at || p.More != (i < len(frames)-1) || p.More && (len(ip)-head)%8 != 0 {
			t.Fatalf("fragment %d of %d: %+v with %d bytes at offset %d", i, len(frames), p, len(ip), at)
		}
		if i == 0 {
			whole = append(whole, f[:link.HeaderLen()+front]...)
		}
		whole = append(whole, ip[head:]...)
		at += len(ip) - head
		pieces = append(pieces, p)
	}
	ip := whole[link.HeaderLen():]
	if ip[0]>>4 == 6 {
		ip[6] = frames[0][link.HeaderLen()+40]
		binary.BigEndian.PutUint16(ip[4:], uint16(len(ip)-40))
	} else {
		binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)))
		binary.BigEndian.PutUint16(ip[6:], 0)
		binary.BigEndian.PutUint16(ip[10:], 0)
		binary.BigEndian.PutUint16(ip[10:], ^naiveSum(ip[:20], 0))
	}
	return whole, pieces
}

func TestFragments(t *testing.T) {
	for _, tt := range []struct {
		name string
		v6   bool
		size int
		mtu  int
		want []piece
	}{
		{"2000 over 1500", false, 2000, 1500, []piece{{1500, 0, true, 0xbeef}, {520, 1480, false, 0xbeef}}},
		{"exact second piece", false, 20 + 1480*2, 1500, []piece{{1500, 0, true, 0xbeef}, {1500, 1480, false, 0xbeef}}},
		{"one byte over", false, 1501, 1500, []piece{{1500, 0, true, 0xbeef}, {21, 1480, false, 0xbeef}}},
		// Only pieces that others follow are rounded down to 8 bytes.
		{"last piece unrounded", false, 20 + 1472 + 1479, 1499, []piece{{1492, 0, true, 0xbeef}, {1499, 1472, false, 0xbeef}}},
		{"smallest MTU", false, 120, 68, []piece{{68, 0, true, 0xbeef}, {68, 48, true, 0xbeef}, {24, 96, false, 0xbeef}}},
		{"v6 2000 over 1500", true, 2000, 1500, []piece{{1496, 0, true, 0xfeedface}, {560, 1448, false, 0xfeedface}}},
		{"v6 last piece unrounded", true, 40 + 1448 + 1452, 1500, []piece{{1496, 0, true, 0xfeedface}, {1500, 1448, false, 0xfeedface}}},
		{"v6 smallest MTU", true, 2000, 1280, []piece{{1280, 0, true, 0xfeedface}, {776, 1232, false, 0xfeedface}}},
	} {
		for _, m := range []Method{UDP, ICMP, UDPLite, Raw} {
			for _, link := range []Link{{}, ethernet} {
				t.Run(fmt.Sprintf("%s/%s/%d", tt.name, m, link.Type), func(t *testing.T) {
					p := fullProbe(m, tt.v6, tt.size)
					p.DF = false
					f := putFresh(t, link, &p)
					before := bytes.Clone(f)
					frames, _, err := Fragments(nil, nil, f, link.Type, tt.mtu, 0xfeedface)
					must(t, err)
					whole, pieces := reassemble(t, frames, link.Type)
					if diff := cmp.Diff(tt.want, pieces); diff != "" {
						t.Errorf("pieces (-want +got):\n%s", diff)
					}
					if diff := cmp.Diff(before, whole); diff != "" {
						t.Errorf("reassembled (-want +got):\n%s", diff)
					}
					if !bytes.Equal(f, before) {
						t.Error("Fragments wrote into its input")
					}
				})
			}
		}
	}
}

func TestFragmentsFits(t *testing.T) {
	p := fullProbe(UDP, false, 1500) // with DF: no matter as long as it fits
	f := putFresh(t, ethernet, &p)
	frames, buf, err := Fragments(nil, nil, f, LinkEthernet, 1500, 1)
	if err != nil || len(frames) != 1 || &frames[0][0] != &f[0] || len(frames[0]) != len(f) || len(buf) != 0 {
		t.Errorf("Fragments = %d frames, %d bytes, %v; want the frame itself", len(frames), len(buf), err)
	}
}

// A second packet goes behind the first in the same buffers, and buffers that
// have grown are not grown again.
func TestFragmentsReuse(t *testing.T) {
	p, q := fullProbe(UDP, false, 4000), fullProbe(ICMP, true, 3000)
	p.DF = false
	f, g := putFresh(t, ethernet, &p), putFresh(t, ethernet, &q)
	var frames [][]byte
	var buf []byte
	both := func() {
		var err error
		frames, buf, err = Fragments(frames[:0], buf[:0], f, LinkEthernet, 1500, 1)
		must(t, err)
		frames, buf, err = Fragments(frames, buf, g, LinkEthernet, 1500, 2)
		must(t, err)
	}
	both()
	if n := testing.AllocsPerRun(20, both); n != 0 {
		t.Errorf("Fragments with grown buffers allocates %v times", n)
	}
	if len(frames) != 6 {
		t.Fatalf("%d fragments, want 3 and 3", len(frames))
	}
	first, _ := reassemble(t, frames[:3], LinkEthernet)
	second, _ := reassemble(t, frames[3:], LinkEthernet)
	if !bytes.Equal(first, f) || !bytes.Equal(second, g) {
		t.Error("packets differ after reassembly")
	}
	if _ = append(frames[0], 0xee); !bytes.Equal(frames[1][:14], f[:14]) {
		t.Error("appending to a fragment overwrites the next")
	}
}

func TestFragmentsErrors(t *testing.T) {
	udp4, udp6 := fullProbe(UDP, false, 2000), fullProbe(UDP, true, 2000)
	df := putFresh(t, Link{}, &udp4)
	udp4.DF = false
	f4, f6 := putFresh(t, Link{}, &udp4), putFresh(t, Link{}, &udp6)
	edit := func(f []byte, at int, b ...byte) []byte {
		f = bytes.Clone(f)
		copy(f[at:], b)
		return f
	}
	for _, tt := range []struct {
		name string
		f    []byte
		link LinkType
		mtu  int
		want string
	}{
		{"empty", nil, LinkRaw, 1500, "0 bytes"},
		{"link header only", make([]byte, 14), LinkEthernet, 1500, "14 bytes"},
		{"v4 MTU", f4, LinkRaw, 67, "MTU 67, want at least 68"},
		{"v6 MTU", f6, LinkRaw, 1279, "MTU 1279, want at least 1280"},
		{"DF", df, LinkRaw, 1500, "packet of 2000 bytes, MTU 1500: don't-fragment is set"},
		{"options", edit(f4, 0, 0x46), LinkRaw, 1500, "IPv4 options"},
		{"version", edit(f4, 0, 0x55), LinkRaw, 1500, "0x55"},
		{"fragment already", edit(f4, 6, 0x20), LinkRaw, 1500, "no fragment"},
		{"cut", f4[:1999], LinkRaw, 1500, "IP length 2000"},
		{"header cut", f6[:39], LinkRaw, 1500, "IP header of 39 bytes"},
		{"length below header", edit(f4, 2, 0, 19), LinkRaw, 1500, "IP length 19"},
		{"v6 fragment", edit(f6, 6, 44), LinkRaw, 1500, "next header 44"},
		{"v6 routing", edit(f6, 6, 43), LinkRaw, 1500, "next header 43"},
		{"v6 hop-by-hop", edit(f6, 6, 0), LinkRaw, 1500, "next header 0"},
		{"EtherType", append(make([]byte, 14), f4...), LinkEthernet, 1500, "EtherType 0x0000, want 0x0800"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			frames, buf, err := Fragments([][]byte{{1}}, []byte{2}, tt.f, tt.link, tt.mtu, 1)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
			if len(frames) != 1 || len(buf) != 1 {
				t.Errorf("%d frames and %d bytes, want what was handed in", len(frames), len(buf))
			}
			if errors.Is(err, ErrDontFragment) != (tt.name == "DF") {
				t.Errorf("error %v: wrong about ErrDontFragment", err)
			}
		})
	}
}

func FuzzFragments(f *testing.F) {
	p, q := fullProbe(UDP, false, 200), fullProbe(UDP, true, 1300)
	p.DF = false
	f.Add(putFresh(f, Link{}, &p), false, uint16(68), uint32(7))
	f.Add(putFresh(f, ethernet, &p), true, uint16(99), uint32(7))
	f.Add(putFresh(f, Link{}, &q), false, uint16(1280), uint32(7))
	f.Fuzz(func(t *testing.T, b []byte, eth bool, mtu uint16, id uint32) {
		link := LinkRaw
		if eth {
			link = LinkEthernet
		}
		before := bytes.Clone(b)
		frames, buf, err := Fragments(nil, nil, b, link, int(mtu), id)
		if !bytes.Equal(b, before) {
			t.Fatal("Fragments wrote into its input")
		}
		if err != nil || len(frames) == 1 {
			return
		}
		if cap(buf) > 2*len(buf)+4096 {
			t.Fatalf("buffer grown to %d for %d bytes", cap(buf), len(buf))
		}
		whole, _ := reassemble(t, frames, link)
		for _, f := range frames {
			if len(f) > link.HeaderLen()+int(mtu) {
				t.Fatalf("fragment of %d bytes for MTU %d", len(f), mtu)
			}
		}
		// The header checksum is made right, whatever it was.
		if n := link.HeaderLen(); b[n]>>4 == 4 {
			binary.BigEndian.PutUint16(before[n+10:], binary.BigEndian.Uint16(whole[n+10:]))
		}
		if !bytes.Equal(whole, before[:len(whole)]) {
			t.Fatal("packet differs after reassembly")
		}
	})
}
