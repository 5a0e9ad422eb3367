package frame

import "testing"

// FuzzToken sends any token in any probe, and has a quote of any length bring
// it back.
func FuzzToken(f *testing.F) {
	for m := range uint8(4) {
		f.Add(m, false, uint32(0xfeedbeef), uint32(0x80000001), uint16(0), uint16(8), []byte{192, 0, 2, 7})
		f.Add(m, true, uint32(0x00010001), uint32(1), uint16(40), uint16(16), []byte{0x20, 1, 0x0d, 0xb8})
	}
	f.Fuzz(func(t *testing.T, method uint8, v6 bool, token, other uint32, more, quoted uint16, dst []byte) {
		m := keyedMethods[int(method)%len(keyedMethods)]
		p := keyedProbe(m, v6)
		if m != TCP {
			p.Size += int(more % 1400)
		}
		q := fuzzProbe(nil, dst, 0, 0, 0, 0, b2u(v6), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
		p.Dst = q.Dst
		was := p
		if !p.SetToken(token) {
			low, marked := uint16(token), m == ICMP || m != TCP && v6
			if p != was || m == TCP || !(low == 0 && m != ICMP || marked && (token == 0 || token == udpPattern || token == icmpPattern)) {
				t.Fatalf("%s %t: token %#x refused, probe %+v", m, v6, token, p)
			}
			return
		}
		b := probePacket(t, p)
		if v := verified(t, b); v != ChecksumGood {
			t.Fatalf("checksum verdict %d of % x", v, b)
		}
		if was.SetToken(other) {
			c := probePacket(t, was)
			if string(flowOf(b, m, v6)) != string(flowOf(c, m, v6)) {
				t.Fatalf("tokens %#x and %#x are in two flows:\n% x\n% x", token, other, b, c)
			}
		}
		n := ipHeaderLen(v6) + int(quoted)%(len(b)-ipHeaderLen(v6)+1)
		r := quoteOf(v6, b[:n])
		want, wantMask := wantToken(m, v6, r.Quote.Transport, token)
		if got, mask, ok := r.Token(); got != want || mask != wantMask || ok != (mask != 0) {
			t.Fatalf("%d of % x quoted: Token = %#x, %#x, %t, want %#x, %#x", n, b, got, mask, ok, want, wantMask)
		}
		back, err := ReadProbe(b, LinkRaw)
		if err != nil || back.Seq != p.Seq || back.ID != p.ID || back.Dst != p.Dst {
			t.Fatalf("ReadProbe = %+v, %v, want %+v", back, err, p)
		}
	})
}

// b2u gives the family bit of fuzzProbe's options.
func b2u(v6 bool) uint8 {
	if v6 {
		return 1
	}
	return 0
}
