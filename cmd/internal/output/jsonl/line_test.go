package jsonl

import (
	"bytes"
	"encoding/json"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/cmd/internal/output/sample"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/rx/anomaly"
)

// A line is what encoding/json makes of a Trace, byte for byte.
func TestLine(t *testing.T) {
	check := func(t rapid.TB, run *record.Run, trace *record.Trace) {
		var got, want bytes.Buffer
		w, err := start(&got, run)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.(record.TraceWriter).Trace(trace); err != nil {
			t.Fatal(err)
		}
		if err := json.NewEncoder(&want).Encode(traceOf(run, trace)); err != nil {
			t.Fatal(err)
		}
		if got.String() != want.String() {
			t.Fatalf("wrote\n%swant\n%s", got.String(), want.String())
		}
	}
	for _, method := range []frame.Method{frame.UDP, frame.ICMP, frame.TCP} {
		for _, trace := range sample.Traces(method) {
			check(t, sample.Run(method), &trace)
		}
	}
	labels := sample.Traces(frame.UDP)[0].Replies
	rapid.Check(t, func(t *rapid.T) {
		run := sample.Run(rapid.SampledFrom([]frame.Method{frame.UDP, frame.ICMP, frame.TCP}).Draw(t, "method"))
		trace := &record.Trace{
			Target: drawAddr(t), Index: rapid.Uint64().Draw(t, "index"), Flow: rapid.Uint16().Draw(t, "flow"),
			SrcPort: rapid.Uint16().Draw(t, "port"), Stop: record.Stop(rapid.IntRange(0, 5).Draw(t, "stop")),
		}
		for range rapid.IntRange(0, 4).Draw(t, "probes") {
			trace.Probes = append(trace.Probes, record.Probe{TTL: drawOctet(t), Attempt: drawOctet(t), SentAt: drawTime(t)})
		}
		for range rapid.IntRange(0, 4).Draw(t, "replies") {
			r := drawReply(t)
			if with := rapid.IntRange(0, len(labels)).Draw(t, "extension"); with < len(labels) {
				r.Ext = labels[with].Ext
			}
			trace.Replies = append(trace.Replies, r)
		}
		check(t, run, trace)
	})
}

func drawOctet(t *rapid.T) uint8        { return uint8(rapid.IntRange(0, 255).Draw(t, "octet")) }
func drawTime(t *rapid.T) time.Duration { return time.Duration(rapid.Int64().Draw(t, "time")) }
func drawSize(t *rapid.T) int           { return rapid.IntRange(0, math.MaxUint16).Draw(t, "size") }
func drawAddr(t *rapid.T) (a netip.Addr) {
	b := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "address")
	switch rapid.IntRange(0, 2).Draw(t, "family") {
	case 0:
		a, _ = netip.AddrFromSlice(b[:4])
	case 1:
		a, _ = netip.AddrFromSlice(b)
	}
	return a
}

func drawReply(t *rapid.T) record.Reply {
	return record.Reply{
		TTL: drawOctet(t), Attempt: drawOctet(t), Verdict: rx.Verdict(rapid.IntRange(0, rx.Verdicts-1).Draw(t, "verdict")),
		From: drawAddr(t), At: drawTime(t), RTT: drawTime(t), Kind: frame.Kind(rapid.IntRange(0, 12).Draw(t, "kind")),
		Type: drawOctet(t), Code: drawOctet(t), Flags: drawOctet(t), TTLBack: drawOctet(t), TOSBack: drawOctet(t),
		ID: rapid.Uint16().Draw(t, "id"), Size: drawSize(t), MTU: rapid.Uint32().Draw(t, "mtu"),
		Quoted: drawSize(t), QuoteTTL: drawOctet(t), QuoteTOS: drawOctet(t), QuoteLength: drawSize(t),
		Anomalies: anomaly.Flag(rapid.Uint64().Draw(t, "anomalies")) & anomaly.Rewrites,
	}
}

// A trace costs no allocation.
func TestAllocs(t *testing.T) {
	var b bytes.Buffer
	w, err := start(&b, sample.Run(frame.UDP))
	if err != nil {
		t.Fatal(err)
	}
	trace := sample.Traces(frame.UDP)[1]
	if n := testing.AllocsPerRun(100, func() {
		b.Reset()
		if err := w.(record.TraceWriter).Trace(&trace); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkTrace(b *testing.B) {
	w, err := start(&bytes.Buffer{}, sample.Run(frame.UDP))
	if err != nil {
		b.Fatal(err)
	}
	trace := sample.Traces(frame.UDP)[0]
	b.ReportAllocs()
	for b.Loop() {
		w.(*writer).appendTrace(w.(*writer).line[:0], &trace)
	}
}

// traceOf is the object of a line.
func traceOf(run *record.Run, t *record.Trace) *Trace {
	out := &Trace{
		Schema: Schema, RunStart: run.Start.UTC().Format(time.RFC3339Nano), Index: t.Index, Target: t.Target, Flow: t.Flow, Source: run.Src(t.Target),
		Method: run.Method.String(), StopReason: t.Stop.String(), Hops: t.Hops(),
		Probes: []Probe{}, Replies: make([]Reply, len(t.Replies)),
	}
	if run.Method == frame.ICMP {
		out.EchoID = &t.SrcPort
	} else {
		out.SourcePort, out.TargetPort = &t.SrcPort, &run.DstPort
	}
	for _, p := range t.Probes {
		if !answered(t, p) {
			out.Probes = append(out.Probes, Probe{p.TTL, p.Attempt, p.SentAt.Nanoseconds()})
		}
	}
	for i := range t.Replies {
		fill(&out.Replies[i], &t.Replies[i])
	}
	return out
}

func fill(out *Reply, r *record.Reply) {
	*out = Reply{
		TTL: r.TTL, Attempt: r.Attempt, Verdict: r.Verdict.String(), Responder: r.From, RTTNS: r.RTT.Nanoseconds(),
		ReceivedOffsetNS: r.At.Nanoseconds(), Kind: record.KindName(r.Kind), ReplyTTL: r.TTLBack, ReplyTOS: r.TOSBack,
		SizeBytes: r.Size, Rewritten: []string{}, MPLS: labels(r),
	}
	if r.From.Is4() {
		out.IPID = &r.ID
	}
	switch {
	case r.Kind.IsError(), r.Kind == frame.KindEchoReply:
		out.ICMPType, out.ICMPCode = &r.Type, &r.Code
	case r.Kind == frame.KindTCP:
		out.TCPFlags = &r.Flags
	}
	if r.Kind == frame.KindTooBig {
		out.NextHopMTUBytes = &r.MTU
	}
	if r.Quoted > 0 {
		out.Quote = &Quote{r.Quoted, r.QuoteLength, r.QuoteTTL, r.QuoteTOS}
	}
	for _, name := range r.Rewritten() {
		out.Rewritten = append(out.Rewritten, strings.ReplaceAll(name, "-", "_"))
	}
}

func labels(r *record.Reply) []MPLSLabel {
	list := []MPLSLabel{}
	for e := range r.Labels {
		list = append(list, MPLSLabel(e))
	}
	return list
}
