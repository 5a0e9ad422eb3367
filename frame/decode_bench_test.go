package frame

import "testing"

func BenchmarkDecode(b *testing.B) {
	for _, c := range []struct {
		name  string
		frame []byte
	}{
		{"ipv4/quote=28", benchError(b, false, 28, nil)},
		{"ipv4/quote=128", benchError(b, false, 128, nil)},
		{"ipv4/quote=128+mpls", benchError(b, false, 128, mplsExtension)},
		{"ipv4/echo", benchAnswer(false, ICMP)},
		{"ipv4/udp", benchAnswer(false, UDP)},
		{"ipv4/tcp", benchAnswer(false, TCP)},
		{"ipv6/quote=48", benchError(b, true, 48, nil)},
		{"ipv6/quote=128", benchError(b, true, 128, nil)},
		{"ipv6/echo", benchAnswer(true, ICMP)},
	} {
		for _, offloaded := range []bool{false, true} {
			name := c.name + "/verify"
			if offloaded {
				name = c.name + "/offloaded"
			}
			b.Run(name, func(b *testing.B) {
				b.ReportAllocs()
				var r Reply
				for b.Loop() {
					Decode(c.frame, LinkEthernet, offloaded, &r)
				}
			})
		}
	}
}

// BenchmarkDecodeToken takes the shortest quote of a keyed probe from the frame
// to the probe's index.
func BenchmarkDecodeToken(b *testing.B) {
	c := NewCipher([8]byte{1, 2, 3})
	for _, m := range keyedMethods {
		for _, v6 := range []bool{false, true} {
			b.Run(m.String()+"/"+familyName(v6), func(b *testing.B) {
				p := keyedProbe(m, v6)
				p.SetToken(c.Encrypt(4711))
				e := errorOfKind(timeExceeded, v6)
				e.Link.Type = LinkEthernet
				e.Quote = probePacket(b, p)
				if !v6 {
					e.Quote = e.Quote[:28]
				}
				f := e.Append(nil)
				b.ReportAllocs()
				var r Reply
				for b.Loop() {
					Decode(f, LinkEthernet, false, &r)
					token, _, _ := r.Token()
					if n := c.Decrypt(token); n != 4711 {
						b.Fatalf("index %d, want 4711", n)
					}
				}
			})
		}
	}
}

// benchError is a time exceeded that quotes n bytes of a UDP probe of 300.
func benchError(tb testing.TB, v6 bool, n int, ext []byte) []byte {
	p := quotedProbe(UDP, v6)
	p.Size = 300
	m := errorOfKind(timeExceeded, v6)
	m.Link.Type = LinkEthernet
	m.Quote = probePacket(tb, p)[:n]
	m.Ext = ext
	if ext != nil {
		m.Rest = lengthField(n, v6)
	}
	return m.Append(nil)
}

func benchAnswer(v6 bool, method Method) []byte {
	a := answerToProbe(method, v6)
	a.Link.Type = LinkEthernet
	return a.Append(nil)
}
