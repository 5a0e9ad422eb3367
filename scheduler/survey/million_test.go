package survey

import (
	"context"
	"encoding/binary"
	"math"
	"net/netip"
	"testing"
	"time"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/scheduler"
	"github.com/hopquote/hopquote/scheduler/survey/space"
)

// edge is a network that answers every probe after some others: with TTLs above
// 15 from its target, from a router of its own before that, and from one that a
// few share before those.
type edge struct {
	scheduler.Strategy
	underway fifo[answer]
	probes   uint64
	reply    frame.Reply
	match    rx.Match
}

type answer struct {
	tag int
	ttl uint8
	dst netip.Addr
}

// longest is how many probes leave until the first is answered, and some how
// many answers come at a time.
const (
	longest = 4096
	some    = 256
)

func (e *edge) Sent(tag int, p *frame.Probe, at time.Duration) {
	e.probes++
	e.Strategy.Sent(tag, p, at)
	e.underway.put(answer{tag, p.TTL, p.Dst})
	for n := e.underway.n; n >= longest && e.underway.n > n-some; {
		e.answer()
	}
}

// Plan is told in the end that what is missing has come.
func (e *edge) Plan(pass *scheduler.Pass) {
	room := pass.Room
	e.Strategy.Plan(pass)
	for room > 0 && pass.Room == room && e.underway.n > 0 {
		e.answer()
		e.Strategy.Plan(pass)
	}
}

func (e *edge) answer() {
	a := e.underway.at(0)
	e.underway.pop()
	b := a.dst.As4()
	n := binary.BigEndian.Uint32(b[:])
	e.reply = frame.Reply{Kind: frame.KindTimeExceeded}
	switch {
	case a.ttl > 15:
		e.reply.Kind, e.reply.From = frame.KindUnreachable, a.dst
		e.reply.Quote.Bytes, e.reply.Quote.TTL = 28, a.ttl-15
	case a.ttl > 13:
		n = 100<<24 | uint32(mix(uint64(n>>8>>(5*(15-a.ttl))))>>40)
		binary.BigEndian.PutUint32(b[:], n)
		e.reply.From = netip.AddrFrom4(b)
	default:
		e.reply.From = netip.AddrFrom4([4]byte{10, 0, 0, a.ttl})
	}
	e.match = rx.Match{Verdict: rx.Exact, Tag: a.tag, RTT: 1, Reply: &e.reply, Origin: rx.Origin{Dst: a.dst, TTL: a.ttl}}
	e.Strategy.Learn(&e.match)
}

// BenchmarkMillion is what strategy and ledger take for a probe where nearly all
// hops are new, of a million targets: far more than caches hold.
func BenchmarkMillion(b *testing.B) {
	var in space.Builder
	if err := in.Add(netip.MustParseAddr("20.0.0.0"), netip.MustParseAddr("35.66.63.255")); err != nil {
		b.Fatal(err)
	}
	targets, err := in.Build(space.Sampling{PerPrefix: true, Bits4: 24, Bits6: 48, Key: 1})
	if err != nil {
		b.Fatal(err)
	}
	for _, mode := range []string{"full", "adaptive"} {
		b.Run(mode, func(b *testing.B) {
			b.ReportAllocs()
			var probes uint64
			for b.Loop() {
				cfg := config(b, frame.UDP, targets)
				if cfg.Max = 16; mode == "full" {
					cfg.First = 14
				}
				s, _, err := newMode(mode, cfg)
				if err != nil {
					b.Fatal(err)
				}
				book, err := rx.NewLedger(rx.LedgerConfig{Timeout: time.Millisecond, Slots: 1 << 20})
				if err != nil {
					b.Fatal(err)
				}
				v, net := &void{}, &edge{Strategy: s}
				e := scheduler.New(scheduler.Config{Strategy: net, Clock: v, Sender: v, Receiver: v, Book: book, Window: math.MaxInt32, Batch: 64})
				if err := e.Run(context.Background()); err != nil {
					b.Fatal(err)
				}
				probes += net.probes
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(probes), "ns/probe")
			b.ReportMetric(float64(probes)/float64(b.N)/float64(targets.Len()), "probes/target")
		})
	}
}
