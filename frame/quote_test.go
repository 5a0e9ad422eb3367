package frame

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// quoteOf wraps b into a time exceeded of a family and decodes that.
func quoteOf(v6 bool, b []byte) Reply {
	e := errorOfKind(timeExceeded, v6)
	e.Quote = b
	return decode(e.Append(nil), LinkRaw, false)
}

func TestQuoteEveryLength(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		head := ipHeaderLen(v6)
		for _, m := range withHeader {
			p := quotedProbe(m, v6)
			b := probePacket(t, p)
			for n := range len(b) + 1 {
				want := wantQuote(p, b, n)
				reach := func(n int) bool { return want.Transport >= n }
				switch {
				case n < head:
					want = Quote{Bytes: n}
				case m == ICMP:
					if !reach(1) {
						want.Method = 0
					}
					if !reach(6) {
						want.SrcPort = 0
					}
				case !reach(4):
					want.SrcPort, want.DstPort = 0, 0
				}
				if !reach(8) {
					want.Seq = 0
				}
				got := quoteOf(v6, b[:n])
				if diff := cmp.Diff(want, got.Quote, compareAddrs); diff != "" {
					t.Errorf("%s, IPv6 %t, %d bytes (-want +got):\n%s", m, v6, n, diff)
				}
				if key, ok := got.Key(); ok != reach(8) || ok && key != p.Key() {
					t.Errorf("%s, IPv6 %t, %d bytes: Key %#x %t", m, v6, n, key, ok)
				}
			}
		}
	}
}

func TestQuoteHeaders(t *testing.T) {
	udp4 := probePacket(t, quotedProbe(UDP, false))
	udp6 := probePacket(t, quotedProbe(UDP, true))
	echo4 := probePacket(t, quotedProbe(ICMP, false))
	echo6 := probePacket(t, quotedProbe(ICMP, true))
	set := func(b []byte, at int, v ...byte) []byte {
		b = slices.Clone(b)
		copy(b[at:], v)
		return b
	}
	inner := errorOfKind(timeExceeded, false)
	inner.Quote = udp4
	error4 := inner.Append(nil)
	inner = errorOfKind(timeExceeded, true)
	inner.Quote = udp6
	error6 := inner.Append(nil)

	type facts struct {
		Malformed, Fragment bool
		Protocol            uint8
		Method              Method
		Transport           int
		Key                 bool
	}
	for _, c := range []struct {
		name  string
		v6    bool // the family of the error
		quote []byte
		want  facts
	}{
		{"IPv4", false, udp4, facts{Protocol: 17, Method: UDP, Transport: 40, Key: true}},
		{"IPv6", true, udp6, facts{Protocol: 17, Method: UDP, Transport: 40, Key: true}},
		{"IPv4 with options", false, insert4(udp4, make([]byte, 8)...), facts{Protocol: 17, Method: UDP, Transport: 40, Key: true}},
		{"IPv4 options cut", false, insert4(udp4, make([]byte, 40)...)[:40], facts{Protocol: 17, Malformed: true}},
		{"IPv4 IHL 4", false, set(udp4, 0, 0x44), facts{Protocol: 17, Malformed: true}},
		{"IPv4 IHL 4 and short", false, set(udp4, 0, 0x44)[:12], facts{Malformed: true}},
		{"IPv4 short", false, udp4[:12], facts{}},
		{"IPv4 IHL 15 past the end", false, set(udp4, 0, 0x4f)[:28], facts{Protocol: 17, Malformed: true}},
		{"version 0", false, set(udp4, 0, 0x05), facts{Malformed: true}},
		{"version 5", true, set(udp6, 0, 0x50), facts{Malformed: true}},
		{"IPv4 first fragment", false, set(udp4, 6, 0x20, 0), facts{Protocol: 17, Method: UDP, Transport: 40, Key: true}},
		{"IPv4 later fragment", false, set(udp4, 6, 0, 185), facts{Protocol: 17, Fragment: true}},
		{"IPv4 IPIP", false, set(udp4, 9, 4), facts{Protocol: 4, Transport: 40}},
		{"IPv4 with ICMPv6", false, set(echo4, 9, 58), facts{Protocol: 58, Transport: 40}},
		{"IPv6 with ICMP", true, set(echo6, 6, 1), facts{Protocol: 1, Transport: 40}},
		{"an ICMP error", false, error4, facts{Protocol: 1, Transport: 68}},
		{"an ICMPv6 error", true, error6, facts{Protocol: 58, Transport: 88}},
		{"an echo reply", false, set(echo4, 20, 0), facts{Protocol: 1, Transport: 40}},
		{"IPv6 hop-by-hop and routing", true, insert6(udp6, extHopByHop, set(hopByHop, 0, extRouting), routingLeft), facts{Protocol: 17, Method: UDP, Transport: 40, Key: true}},
		{"IPv6 destination options", true, insert6(echo6, extDestination, destination), facts{Protocol: 58, Method: ICMP, Transport: 40, Key: true}},
		{"IPv6 first fragment", true, insert6(udp6, extFragment, firstOfMany), facts{Protocol: 17, Method: UDP, Transport: 40, Key: true}},
		{"IPv6 later fragment", true, insert6(udp6, extFragment, laterOf), facts{Protocol: 17, Fragment: true}},
		{"IPv6 extension header cut", true, insert6(udp6, extRouting, routingLeft)[:56], facts{Protocol: extRouting}},
		{"IPv6 fixed header only", true, udp6[:40], facts{Protocol: 17, Method: UDP}},
		{"IPv6 too many headers", true, insert6(udp6, extDestination, slices.Repeat([][]byte{set(destination, 0, extDestination)}, maxExtHeaders+1)...), facts{Protocol: extDestination, Malformed: true}},
		{"IPv4 in an ICMPv6 error", true, udp4, facts{Protocol: 17, Method: UDP, Transport: 40, Key: true}},
		{"IPv6 in an ICMP error", false, echo6, facts{Protocol: 58, Method: ICMP, Transport: 40, Key: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := quoteOf(c.v6, c.quote)
			q := r.Quote
			_, ok := r.Key()
			got := facts{q.Malformed, q.Fragment, q.Protocol, q.Method, q.Transport, ok}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("quote (-want +got):\n%s", diff)
			}
			if q.Bytes != len(c.quote) {
				t.Errorf("Bytes = %d, want %d", q.Bytes, len(c.quote))
			}
			if r.Kind != KindTimeExceeded || r.Checksum != ChecksumGood {
				t.Errorf("Kind %d Checksum %d, want a time exceeded and good", r.Kind, r.Checksum)
			}
		})
	}
}

// The fixed header of a malformed quote or later fragment is still read.
func TestQuoteFixedHeaderStays(t *testing.T) {
	p := quotedProbe(UDP, false)
	for name, edit := range map[string]func(b []byte){
		"IHL 3":          func(b []byte) { b[0] = 0x43 },
		"later fragment": func(b []byte) { b[7] = 2 },
	} {
		b := probePacket(t, p)
		edit(b)
		q := quoteOf(false, b).Quote
		if q.Src != p.Src || q.Dst != p.Dst || q.TTL != p.TTL || q.ID != p.ID || q.Length != p.Size || !q.DF || q.TOS != p.TOS {
			t.Errorf("%s: quote %+v, want the probe's fixed header", name, q)
		}
		if q.SrcPort != 0 || q.DstPort != 0 || q.Checksum != 0 {
			t.Errorf("%s: ports %d, %d and checksum %#x from no transport header", name, q.SrcPort, q.DstPort, q.Checksum)
		}
	}
}

func TestQuoteBytes(t *testing.T) {
	p4 := probePacket(t, quotedProbe(UDP, false)) // 60 bytes
	p6 := probePacket(t, quotedProbe(UDP, true))  // 80 bytes
	length := func(b []byte, at int, n uint16) []byte {
		b = slices.Clone(b)
		b[at], b[at+1] = byte(n>>8), byte(n)
		return b
	}
	zeros := func(b []byte, n int) []byte { return append(slices.Clone(b), make([]byte, n)...) }
	for _, c := range []struct {
		name  string
		quote []byte
		want  int
	}{
		{"whole", p4, 60},
		{"zero padding", zeros(p4, 68), 60},
		{"one byte of zero padding", zeros(p4, 1), 60},
		{"padding with a bit set", append(zeros(p4, 67), 1), 128},
		{"length in the other byte order", length(p4, 2, 60<<8), 60},
		{"length in the other byte order, padded", zeros(length(p4, 2, 60<<8), 4), 64},
		{"length without the header", length(p4, 2, 40), 60},
		{"length below the header", zeros(length(p4, 2, 8), 4), 64},
		{"length below the header, zeros", append([]byte{0x45, 0, 0, 8}, make([]byte, 24)...), 28},
		{"length 0", length(p4, 2, 0), 60},
		{"first part", p4[:28], 28},
		{"IPv6 whole", p6, 80},
		{"IPv6 zero padding", zeros(p6, 48), 80},
		{"IPv6 padding with a bit set", append(zeros(p6, 7), 1), 88},
		{"IPv6 length 0", length(p6, 4, 0), 80},
	} {
		t.Run(fmt.Sprintf("%s/%d", c.name, len(c.quote)), func(t *testing.T) {
			v6 := c.quote[0]>>4 == 6
			q := quoteOf(v6, c.quote).Quote
			if q.Bytes != c.want || q.Transport != c.want-ipHeaderLen(v6) {
				t.Errorf("Bytes %d Transport %d, want %d and %d", q.Bytes, q.Transport, c.want, c.want-ipHeaderLen(v6))
			}
		})
	}
}
