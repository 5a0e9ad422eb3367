package frame

import "testing"

func BenchmarkPut(b *testing.B) {
	for _, bb := range []struct {
		method Method
		v6     bool
		size   int
	}{
		{UDP, false, 60}, {UDP, true, 80}, {ICMP, false, 60}, {ICMP, true, 80},
		{TCP, false, 60}, {TCP, true, 80}, {UDPLite, false, 60}, {UDPLite, true, 80},
		{DCCP, false, 40}, {DCCP, true, 60}, {Raw, false, 60}, {Raw, true, 80}, {UDP, false, 1500}, {UDP, true, 65000},
	} {
		b.Run(bb.method.String()+"/"+familyName(bb.v6)+"/"+sizeName(bb.size), func(b *testing.B) {
			p := fullProbe(bb.method, bb.v6, bb.size)
			tmpl, err := NewTemplate(ethernet, &p)
			must(b, err)
			buf := make([]byte, tmpl.Len())
			b.ReportAllocs()
			for b.Loop() {
				p.TTL++
				p.SrcPort++
				tmpl.Put(buf, &p)
			}
		})
	}
}

// BenchmarkPutKeyed is a survey's: each probe has another destination and token.
func BenchmarkPutKeyed(b *testing.B) {
	for _, m := range []Method{UDP, ICMP, TCP, UDPLite} {
		for _, v6 := range []bool{false, true} {
			b.Run(m.String()+"/"+familyName(v6), func(b *testing.B) {
				p := keyedProbe(m, v6)
				tmpl, err := NewTemplate(ethernet, &p)
				must(b, err)
				buf := make([]byte, 2048) // a slot of a sender
				var probes [64]Probe
				for i := range probes {
					probes[i] = p
					probes[i].SetToken(0x12345678 + uint32(i))
					p.Dst = p.Dst.Next()
				}
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					tmpl.Put(buf, &probes[i%len(probes)])
				}
			})
		}
	}
}

func BenchmarkReadProbe(b *testing.B) {
	for _, m := range methods {
		b.Run(m.String(), func(b *testing.B) {
			p := fullProbe(m, false, 60)
			f := putFresh(b, ethernet, &p)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ReadProbe(f, LinkEthernet); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
