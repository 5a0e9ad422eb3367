package frame

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// wantQuote is the quote of the first n bytes of probe p in packet b.
func wantQuote(p Probe, b []byte, n int) Quote {
	v6 := p.IsIPv6()
	head := ipHeaderLen(v6)
	q := Quote{
		Bytes: n, Transport: n - head, Protocol: protocolOf(p.Method, v6), Method: p.Method,
		Src: p.Src, Dst: p.Dst, TTL: p.TTL, TOS: p.TOS, ID: p.ID, DF: p.DF, Label: p.Label,
		Length: len(b), SrcPort: p.SrcPort, DstPort: p.DstPort, Seq: p.Seq,
	}
	at := checksumAt[p.Method]
	if at+2 <= q.Transport {
		q.Checksum = uint16(b[head+at])<<8 | uint16(b[head+at+1])
	}
	if p.Method == UDP || p.Method == UDPLite || p.Method == DCCP && n-head < 16 {
		q.Seq = 0
	}
	return q
}

func TestDecodeErrors(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		for _, k := range icmpKinds {
			if v6 && k.only4 {
				continue
			}
			for _, m := range withHeader {
				p := quotedProbe(m, v6)
				b := probePacket(t, p)
				for _, n := range []int{ipHeaderLen(v6) + 8, len(b)} {
					t.Run(fmt.Sprintf("%s/%s/ipv6=%t/quote=%d", k.name, m, v6, n), func(t *testing.T) {
						e := errorOfKind(k, v6)
						e.Quote = b[:n]
						f := e.Append(nil)
						want := Reply{
							Protocol: protocolOf(ICMP, v6),
							Kind:     k.kind, From: e.From, To: e.To, TTL: e.TTL, TOS: e.TOS, ID: e.ID, Size: len(f),
							Checksum: ChecksumGood, Type: e.Type, Code: e.Code, MTU: k.mtu,
							Quote: wantQuote(p, b, n), Body: b[:n],
						}
						got := decode(f, LinkRaw, false)
						if diff := cmp.Diff(want, got, compareAddrs); diff != "" {
							t.Errorf("reply (-want +got):\n%s", diff)
						}
						if key, ok := got.Key(); !ok || key != p.Key() {
							t.Errorf("Key = %#x, %t, want %#x", key, ok, p.Key())
						}
						f[len(f)-1] ^= 1
						if got := decode(f, LinkRaw, false); got.Checksum != ChecksumBad {
							t.Errorf("Checksum = %d after a bit error, want bad", got.Checksum)
						}
						if got := decode(f, LinkRaw, true); got.Checksum != ChecksumUnknown {
							t.Errorf("Checksum = %d when offloaded, want unknown", got.Checksum)
						}
					})
				}
			}
		}
	}
}

func TestDecodeErrorLiteral(t *testing.T) {
	// A port unreachable that quotes 28 bytes, taken apart by hand.
	b := bytesOfHex(t, `
		45 c0 0038 beef 0000 f9 01 0000  # IPv4, TOS c0, 56 bytes, TTL 249, ICMP
		cb007109 c0000201                # 203.0.113.9 to 192.0.2.1
		03 03 1df0 00000000              # port unreachable
		45 02 003c 4d5c 4000 01 11 0000  # quote: TOS 2, 60 bytes, DF, TTL 1, UDP
		c0000201 c6336407                # 192.0.2.1 to 198.51.100.7
		8235 829b 0028 1a2b              # 33333 to 33435, checksum 1a2b`)
	want := Reply{
		Protocol: 1,
		Kind:     KindUnreachable, From: routerAddr4, To: ourAddr4, TTL: 249, TOS: 0xc0, ID: 0xbeef, Size: 56,
		Checksum: ChecksumGood, Type: 3, Code: 3,
		Quote: Quote{
			Bytes: 28, Transport: 8, Protocol: 17, Method: UDP, Src: ourAddr4, Dst: targetAddr4, TTL: 1, TOS: 2, ID: 0x4d5c,
			DF: true, Length: 60, SrcPort: 33333, DstPort: 33435, Checksum: 0x1a2b,
		},
		Body: b[28:],
	}
	if diff := cmp.Diff(want, decode(b, LinkRaw, false), compareAddrs); diff != "" {
		t.Errorf("reply (-want +got):\n%s", diff)
	}
}

func TestDecodeErrorLiteralIPv6(t *testing.T) {
	// A packet too big that quotes an echo request, taken apart by hand.
	b := bytesOfHex(t, `
		6c012345 0038 3a 3e                                # class c0, label 12345, 56 bytes, ICMPv6, hop limit 62
		20010db8000900000000000000000009                   # 2001:db8:9::9
		20010db8000000000000000000000001                   # 2001:db8::1
		02 00 9dc3 00000500                                # too big, MTU 1280
		6b9abcde 05b4 3a 07                                # quote: class b9, label abcde, 1500 bytes, hop limit 7
		20010db8000000000000000000000001
		20010db8000700000000000000000007                   # 2001:db8:7::7
		80 00 1a2b 8235 1f2e                               # echo request, checksum, identifier, sequence`)
	want := Reply{
		Protocol: 58,
		Kind:     KindTooBig, From: routerAddr6, To: ourAddr6, TTL: 62, TOS: 0xc0, Size: 96,
		Checksum: ChecksumGood, Type: 2, MTU: 1280,
		Quote: Quote{
			Bytes: 48, Transport: 8, Protocol: 58, Method: ICMP, Src: ourAddr6, Dst: targetAddr6, TTL: 7, TOS: 0xb9,
			Length: 1500, Label: 0xabcde, SrcPort: 0x8235, Seq: 0x1f2e, Checksum: 0x1a2b,
		},
		Body: b[48:],
	}
	if diff := cmp.Diff(want, decode(b, LinkRaw, false), compareAddrs); diff != "" {
		t.Errorf("reply (-want +got):\n%s", diff)
	}
}

func TestDecodeErrorWithoutQuote(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		e := errorOfKind(timeExceeded, v6)
		b := e.Append(nil)
		got := decode(b, LinkRaw, false)
		if got.Kind != KindTimeExceeded || got.Quote != (Quote{}) || got.Checksum != ChecksumGood {
			t.Errorf("IPv6 %t: Kind %d Quote %+v, want a time exceeded without quote", v6, got.Kind, got.Quote)
		}
		if _, ok := got.Key(); ok {
			t.Errorf("IPv6 %t: a key without a quote", v6)
		}
		for cut := 1; cut <= 8; cut++ {
			if got := decode(b[:len(b)-cut], LinkRaw, false); got.Kind != KindTruncated {
				t.Errorf("IPv6 %t: Kind %d with %d bytes of ICMP header, want truncated", v6, got.Kind, 8-cut)
			}
		}
	}
}
