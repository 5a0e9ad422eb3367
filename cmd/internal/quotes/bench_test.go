package quotes

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/hopquote/hopquote/frame"
)

// survey is the capture of a survey: probes of one flow each, one reply each.
func survey(tb testing.TB, probes int) string {
	c := newCapture(tb)
	p := udp4()
	tmpl, err := frame.NewTemplate(frame.Link{}, &p)
	if err != nil {
		tb.Fatal(err)
	}
	b := make([]byte, tmpl.Len())
	for i := range probes {
		p.TTL, p.ID, p.DstPort, p.SrcPort = uint8(1+i%30), uint16(i*7919), uint16(33434+i%100), uint16(1024+i%60000)
		ip := b[:tmpl.Put(b, &p)]
		from := netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)})
		c.add(ip, timeExceeded(from, us4, expired(bytes.Clone(ip)), nil, 0))
	}
	path := filepath.Join(tb.TempDir(), "survey.pcap")
	if err := os.WriteFile(path, c.buf.Bytes(), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// The whole program, from the file to the text: packets and bytes of the file
// per second.
func BenchmarkQuotes(b *testing.B) {
	const probes = 50_000
	path := survey(b, probes)
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	for _, keys := range []string{"none", "all"} {
		b.Run("keys="+keys, func(b *testing.B) {
			b.SetBytes(info.Size())
			b.ReportAllocs()
			for b.Loop() {
				if o := command(b, "--keys="+keys, path); o.status != 0 {
					b.Fatal(o.stderr)
				}
			}
			b.ReportMetric(float64(2*probes*b.N)/b.Elapsed().Seconds(), "packets/s")
		})
	}
}
