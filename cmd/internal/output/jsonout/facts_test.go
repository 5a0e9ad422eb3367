package jsonout

import (
	"net/netip"
	"time"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/rx/anomaly"
	"github.com/hopquote/hopquote/scheduler/hops"
)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// hosts names one router.
type hosts struct{}

func (hosts) Name(a netip.Addr) string {
	if a == addr("10.1.1.1") {
		return "gw.example.net"
	}
	return a.String()
}

func facts() Facts {
	start := time.Date(2024, 2, 29, 12, 0, 0, 5, time.FixedZone("", 3600))
	port := 33434
	return Facts{
		Program: "hopquote", Version: "1.2.3", CommandLine: []string{"hopquote", "trace", "--json", "dst"},
		Name: "dst", Target: addr("10.2.2.2"), Source: addr("10.9.9.1"), Interface: "veth7", Method: "udp",
		Options: Options{
			FirstTTL: 1, MaxTTL: 30, Queries: 2, Window: 16, WaitNS: 5e9, WaitHere: 3, WaitNear: 10,
			SizeBytes: 60, DestinationPort: &port,
		},
		Start: start, End: start.Add(1500 * time.Millisecond), Stop: Reached,
	}
}

// sent is a probe that left at 1 ms for each TTL and query before it.
func sent(ttl, query int) hops.Record {
	n := (ttl-1)*2 + query
	return hops.Record{
		Tag: n, TTL: ttl, Query: query, Sends: 1, SentAt: time.Duration(n+1) * time.Millisecond,
		Probe: frame.Probe{
			Method: frame.UDP, Src: addr("10.9.9.1"), Dst: addr("10.2.2.2"), Size: 60,
			TTL: uint8(ttl), ID: uint16(1000 + n), SrcPort: uint16(40000 + n), DstPort: uint16(33434 + n),
		},
	}
}

// icmp answers a probe by an ICMP error.
func icmp(r hops.Record, o hops.Outcome, from string, kind frame.Kind, typ, code uint8) hops.Record {
	r.Outcome = o
	r.Answer = hops.Answer{
		From: addr(from), At: r.SentAt + 1234567, RTT: 1234567, Verdict: rx.Exact, Kind: kind, Type: typ, Code: code,
		TTL: 64, TOS: 0xc0, ID: 7, Size: 56,
		Quote: hops.QuoteSummary{Bytes: 28, Length: 60, TTL: 1, ID: r.Probe.ID, Src: r.Probe.Src, Dst: r.Probe.Dst},
	}
	return r
}

// lost is a probe that was given up.
func lost(r hops.Record) hops.Record {
	r.Outcome = hops.Lost
	return r
}

// labelled is an extension structure with labels 100 and 200, and an object
// of class 2 without a checksum.
var labelled = []byte{
	0x20, 0, 0, 0,
	0, 12, 1, 1, 0x00, 0x06, 0x44, 0x03, 0x00, 0x0c, 0x81, 0xff,
	0, 8, 2, 6, 1, 2, 3, 4,
}

// full is a trace with one of everything, in no order.
func full() (Facts, []hops.Record) {
	f := facts()
	f.Names = hosts{}
	f.Counts = rx.Counts{Sent: 8, Answered: 6, Expired: 1, InFlight: 1, Received: 14, Matched: 6, Duplicate: 2, Late: 1}
	f.Counts.Stray[rx.ReasonNoKey], f.Counts.Stray[rx.ReasonUnknown] = 2, 3
	f.Counts.Verdicts[rx.Exact], f.Counts.Verdicts[rx.Rewritten] = 5, 1
	f.Counts.Verdicts[rx.Duplicate], f.Counts.Verdicts[rx.Late] = 2, 1
	f.Counts.Verdicts[rx.Stray], f.Counts.Verdicts[rx.Foreign] = 2, 3
	f.KernelDrops = 1 << 40

	swapped := icmp(sent(1, 1), hops.Hop, "10.1.1.1", frame.KindTimeExceeded, 11, 0)
	swapped.Answer.Verdict = rx.Rewritten
	swapped.Answer.Anomalies = anomaly.DSCP | anomaly.IDSwapped | anomaly.TTL
	swapped.Answer.Quote.TOS, swapped.Answer.Quote.TTL = 8, 3
	stack := icmp(sent(2, 0), hops.Hop, "10.1.2.1", frame.KindTimeExceeded, 11, 0)
	stack.Answer.Ext = labelled
	stack.Duplicates = 2
	late := lost(sent(2, 1))
	late.LateReplies = 1
	moved := icmp(sent(3, 0), hops.Refused, "10.1.2.1", frame.KindUnreachable, 3, 1)
	moved.ShownTTL = 2
	broken := icmp(sent(3, 1), hops.Refused, "10.1.3.1", frame.KindTooBig, 3, 4)
	broken.Answer.MTU, broken.Answer.Ext = 1400, []byte{0x10, 0, 0, 0}
	udp := sent(4, 0)
	udp.Outcome = hops.Arrived
	udp.Answer = hops.Answer{From: addr("10.2.2.2"), At: udp.SentAt + 9, RTT: 9, Verdict: rx.Exact, Kind: frame.KindUDP, TTL: 61, Size: 40}
	return f, []hops.Record{
		sent(4, 1), udp, late, stack, broken, moved, swapped,
		icmp(sent(1, 0), hops.Hop, "10.1.1.1", frame.KindTimeExceeded, 11, 0),
	}
}
