// Package sample is a small survey for the tests of output formats: three
// traces with every kind of record that formats tell apart.
package sample

import (
	"io"
	"net/netip"
	"time"

	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/rx/anomaly"
)

// The addresses of the survey.
var (
	Src4    = netip.MustParseAddr("192.0.2.1")
	Src6    = netip.MustParseAddr("2001:db8::1")
	Target4 = netip.MustParseAddr("198.51.100.7")
	Target6 = netip.MustParseAddr("2001:db8:7::7")
	Silent  = netip.MustParseAddr("198.51.100.9")
	router4 = [2]netip.Addr{netip.MustParseAddr("203.0.113.1"), netip.MustParseAddr("203.0.113.2")}
	router6 = netip.MustParseAddr("2001:db8:2::2")
)

// Start is the time zero of the run.
var Start = time.Date(2026, 11, 22, 3, 18, 59, 206414000, time.UTC)

// Run is the survey of a method.
func Run(m frame.Method) *record.Run {
	r := &record.Run{
		Program: "hopquote", Version: "test", Host: "vm", Start: Start, Mode: "full", Method: m,
		Src4: Src4, Src6: Src6, DstPort: 33434, First: 1, Max: 4, Flows: 1, Attempts: 1, GapLimit: 5,
		Timeout: 1500 * time.Millisecond, Size4: 44, Size6: 64, Link: frame.LinkEthernet, Interface: "veth1",
	}
	if m == frame.TCP {
		r.TCPFlags = frame.FlagSYN
	}
	return r
}

// End is how the run ends.
func End() *record.End { return &record.End{At: 3 * time.Second, Complete: true, Traces: 3} }

// mpls is an extension structure with the label stack 100/1, 200/0 at the
// bottom, and behind it an object of class 9 that nobody knows. Its checksum is
// of no concern to formats.
var mpls = []byte{
	0x20, 0, 0, 0,
	0, 12, frame.ClassMPLS, frame.TypeMPLSIncoming,
	0x00, 0x06, 0x42, 9,
	0x00, 0x0c, 0x81, 8,
	0, 8, 9, 1, 0xde, 0xad, 0xbe, 0xef,
}

// Traces is what the run found: a path over IPv4 with labels, a rewritten, a
// duplicate and a late reply and a silent hop, one over IPv6 that is refused,
// and one that nobody answered.
func Traces(m frame.Method) []record.Trace {
	ms := time.Millisecond
	exceeded := func(target, from netip.Addr, ttl uint8, at, rtt time.Duration) record.Reply {
		r := record.Reply{
			Target: target, TTL: ttl, SrcPort: 40000, Verdict: rx.Exact, From: from, At: at, RTT: rtt,
			Kind: frame.KindTimeExceeded, Type: 11, TTLBack: 65 - ttl, TOSBack: 192, ID: 5000 + uint16(ttl),
			Size: 72, Quoted: 44, QuoteTTL: 1, QuoteLength: 44,
		}
		if target.Is6() {
			r.Type, r.ID, r.Size, r.Quoted, r.QuoteLength = 3, 0, 112, 64, 64
		}
		return r
	}
	first := exceeded(Target4, router4[0], 1, 10*ms+539*time.Microsecond, 539*time.Microsecond)
	again := first
	again.Verdict, again.At, again.RTT = rx.Duplicate, first.At+ms, first.RTT+ms
	second := exceeded(Target4, router4[1], 2, 22*ms, 2*ms)
	second.Verdict, second.Anomalies, second.QuoteTTL, second.QuoteTOS = rx.Rewritten, anomaly.DSCP, 3, 8
	second.Ext, second.ExtCompliant, second.Size = mpls, true, 180
	late := exceeded(Target4, router4[0], 1, 2*time.Second, 1990*ms)
	late.Verdict = rx.Late
	refused := exceeded(Target6, router6, 2, 60*ms, 5*ms)
	refused.Kind, refused.Type, refused.Code = frame.KindUnreachable, 1, 1
	probes := func(n int, from time.Duration) []record.Probe {
		var list []record.Probe
		for ttl := range n {
			list = append(list, record.Probe{TTL: uint8(ttl + 1), SentAt: from + time.Duration(ttl)*10*ms})
		}
		return list
	}
	return []record.Trace{
		{
			Target: Target4, SrcPort: 40000, Stop: record.Reached, Probes: probes(4, 10*ms),
			Replies: []record.Reply{first, again, late, second, arrived(m)},
		},
		{
			Target: Target6, Index: 1, SrcPort: 40001, Stop: record.Unreachable, Probes: probes(2, 45*ms),
			Replies: []record.Reply{refused},
		},
		{Target: Silent, Index: 2, SrcPort: 40002, Stop: record.MaxTTL, Probes: probes(4, 70*ms)},
	}
}

// arrived is the target's own answer to the fourth probe.
func arrived(m frame.Method) record.Reply {
	r := record.Reply{
		Target: Target4, TTL: 4, SrcPort: 40000, Verdict: rx.Exact, From: Target4,
		At: 47 * time.Millisecond, RTT: 7 * time.Millisecond, TTLBack: 61, ID: 77, Size: 44,
	}
	switch m {
	case frame.TCP:
		r.Kind, r.Flags = frame.KindTCP, frame.FlagSYN|frame.FlagACK
	case frame.ICMP:
		r.Kind = frame.KindEchoReply
	default:
		r.Kind, r.Type, r.Code = frame.KindUnreachable, 3, 3
		r.Size, r.Quoted, r.QuoteTTL, r.QuoteLength = 72, 44, 1, 44
	}
	return r
}

// Write lets a kind write all of the run into w, replies and traces, and ends
// the file.
func Write(kind record.Kind, w io.Writer, m frame.Method) error {
	out, err := kind.New(w, Run(m))
	if err != nil {
		return err
	}
	traces := Traces(m)
	for i := range traces {
		if rw, ok := out.(record.ReplyWriter); ok {
			for j := range traces[i].Replies {
				if err := rw.Reply(&traces[i].Replies[j]); err != nil {
					return err
				}
			}
		}
		if tw, ok := out.(record.TraceWriter); ok {
			if err := tw.Trace(&traces[i]); err != nil {
				return err
			}
		}
	}
	return out.Close(End())
}
