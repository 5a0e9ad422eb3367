package sink

import (
	"io"
	"net/netip"
	"runtime"
	"testing"

	"github.com/hopquote/hopquote/cmd/internal/output/jsonl"
	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/cmd/internal/output/replies"
	"github.com/hopquote/hopquote/frame"
)

// BenchmarkSink takes surveys of 2^17 targets to an output, as adaptive ones
// are: two probes and replies a target, both of somebody new.
func BenchmarkSink(b *testing.B) {
	const targets = 1 << 17
	for _, kind := range []record.Kind{replies.Kind, jsonl.Kind} {
		b.Run(kind.Name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s, err := Open(Config{Targets: []Target{{Kind: kind, Path: stdout}}, Run: &record.Run{Method: frame.UDP}, Stdout: io.Discard, Known: true})
				if err != nil {
					b.Fatal(err)
				}
				probe := frame.Probe{SrcPort: 9}
				for i := range targets {
					r := replyOf(i)
					r.Target, r.Ext, r.SrcPort = addrOf(20, i), nil, 9
					probe.Dst = r.Target
					for ttl, from := range []netip.Addr{addrOf(100, i), r.Target} {
						probe.TTL = uint8(ttl) + 1
						s.Sent(r.Index, 0, 0, &probe, 1)
						r.TTL, r.From = probe.TTL, from
						s.Reply(r)
					}
					s.Finish(r.Index, 0, record.Reached)
					for s.Full() {

						runtime.Gosched() // it is the writers' turn

					}
				}
				if err := s.Close(&record.End{Complete: true}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(2*targets), "ns/probe")
		})
	}
}

func addrOf(first byte, i int) netip.Addr {
	return netip.AddrFrom4([4]byte{first, byte(i >> 16), byte(i >> 8), byte(i)})
}
