package early

import (
	"net/netip"
	"testing"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
)

// BenchmarkFilter is what a packet costs the kernel filter of a survey: our own
// replies, and what a busy host gets besides. The kernel runs it as it runs
// filters of tcx, with the checks that its own translation of classic programs
// has too. passes is 1 for packets that the survey gets to see.
func BenchmarkFilter(b *testing.B) {
	needEBPF(b)
	local, remote := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.9")
	link := frame.Link{Type: frame.LinkEthernet}
	quote := func(src netip.Addr, port, dstPort uint16) []byte {
		p := frame.Probe{Method: frame.UDP, Src: src, Dst: remote, TTL: 1, SrcPort: port, DstPort: dstPort, Size: 34}
		t, err := frame.NewTemplate(frame.Link{}, &p)
		if err != nil {
			b.Fatal(err)
		}
		q := make([]byte, t.Len())
		t.Put(q, &p)
		return q
	}
	about := func(quote []byte) []byte {
		e := frame.ErrorMessage{Link: link, From: remote, To: local, TTL: 60, Type: 11, Quote: quote}
		return e.Append(nil)
	}
	tunnel := func(inner []byte) []byte {
		return append([]byte{0x45, 0, 0, byte(20 + len(inner)), 0, 1, 0, 0, 1, 4, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2}, inner...)
	}
	answer := frame.Answer{Link: link, From: remote, To: local, TTL: 60, Method: frame.TCP, SrcPort: 443, DstPort: 50000}
	f := rx.SurveyFilter{
		Link: frame.LinkEthernet, Local4: local, Local6: netip.MustParseAddr("2001:db8::1"), Method: frame.UDP, SrcPorts: ports,
	}
	code, err := f.Program()
	if err != nil {
		b.Fatal(err)
	}
	p := program(b, code)
	for _, c := range []struct {
		name  string
		frame []byte
	}{
		{"ours", about(quote(local, ports[0], 33434))},
		{"a TCP segment", answer.Append(nil)},
		{"an error about another program's UDP", about(quote(local, 50000, 53))},
		{"an error about a tunnel", about(tunnel(quote(netip.MustParseAddr("10.0.0.1"), 50000, 53)))},
		{"ours in a tunnel", about(tunnel(quote(local, ports[0], 33434)))},
	} {
		b.Run(c.name, func(b *testing.B) {
			ret, each, err := p.Benchmark(c.frame, b.N, b.ResetTimer)
			if err != nil {
				b.Fatal(err)
			}
			passes := 0.0
			if ret == tcxDrop { // the filter keeps what the early drop takes away
				passes = 1
			}
			b.ReportMetric(float64(each.Nanoseconds()), "kernel-ns/op")
			b.ReportMetric(passes, "passes")
		})
	}
}
