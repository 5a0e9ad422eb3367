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
