package survey

import (
	"context"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/scheduler"
	"github.com/hopquote/hopquote/scheduler/survey/space"
)

// slash24s are one address of every /24 there is.
func slash24s(t testing.TB) *space.Space {
	t.Helper()
	var b space.Builder
	if err := b.Add(space.Ends(netip.MustParsePrefix("0.0.0.0/0"))); err != nil {
		t.Fatal(err)
	}
	s, err := b.Build(space.Sampling{PerPrefix: true, Bits4: 24, Bits6: 48, Key: 1})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// drive has a strategy go through a network that answers every probe at once:
// with TTLs above 14 from its target, and from one router for each TTL below.
func drive(t testing.TB, s scheduler.Strategy, rest func(probes uint64) bool) {
	t.Helper()
	book, err := rx.NewLedger(rx.LedgerConfig{Timeout: time.Millisecond, Slots: 1 << 12})
	if err != nil {
		t.Fatal(err)
	}
	v := &void{}
	a := &answering{Strategy: s, rest: rest}
	e := scheduler.New(scheduler.Config{Strategy: a, Clock: v, Sender: v, Receiver: v, Book: book, Window: 1 << 10, Batch: 64})
	if err := e.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
}

type answering struct {
	scheduler.Strategy
	rest   func(probes uint64) bool // called between steps: true ends it
	probes uint64
	over   bool
	reply  frame.Reply
	match  rx.Match
}

func (a *answering) Plan(pass *scheduler.Pass) {
	if a.over = a.over || a.rest(a.probes); !a.over {
		a.Strategy.Plan(pass)
	}
}

func (a *answering) Done() bool { return a.over || a.Strategy.Done() }

func (a *answering) Sent(tag int, p *frame.Probe, at time.Duration) {
	a.probes++
	a.Strategy.Sent(tag, p, at)
	a.reply = frame.Reply{Kind: frame.KindTimeExceeded, From: netip.AddrFrom4([4]byte{100, 64, 0, p.TTL})}
	if p.TTL > 14 {
		a.reply.Kind, a.reply.From = frame.KindUnreachable, p.Dst
		a.reply.Quote.Bytes, a.reply.Quote.TTL = 28, p.TTL-14
	}
	a.match = rx.Match{Verdict: rx.Exact, Tag: tag, RTT: 1, Reply: &a.reply, Origin: rx.Origin{Dst: p.Dst, TTL: p.TTL}}
	a.Strategy.Learn(&a.match)
}

// BenchmarkAll24s plans, orders and keeps a survey of every /24 of the Internet
// in each mode, up to a tenth of its probes (adaptive: all), without a network.
func BenchmarkAll24s(b *testing.B) {
	for _, mode := range []string{"random", "full", "adaptive"} {
		b.Run(mode, func(b *testing.B) {
			var saved, probes uint64
			for b.Loop() {
				cfg := config(b, frame.UDP, slash24s(b))
				s := newKept(b, mode, cfg)
				end := cfg.Targets.Len() * 32 / 10
				if mode == "adaptive" {
					end = 1 << 40
				}
				drive(b, s, func(n uint64) bool { probes = n; return n >= end })
				state := s.Save(nil, nil)
				saved = uint64(len(state))
				again := newKept(b, mode, cfg)
				if err := again.Restore(state); err != nil {
					b.Fatal(err)
				}
			}
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			b.ReportMetric(float64(m.Sys)/(1<<20), "MiB")
			b.ReportMetric(float64(saved)/(1<<20), "MiB-kept")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(probes), "ns/probe")
			if m.Sys > 1<<30 {
				b.Errorf("%d MiB of memory, want 1024 at most", m.Sys>>20)
			}
		})
	}
}

// What a strategy takes for each target, in bytes: nothing in the modes random
// and full, and in adaptive no more than 8 for one under way and 1 for its
// distance, beside the hops that are known.
func TestBytesPerTarget(t *testing.T) {
	for mode, most := range map[string]float64{"random": 0.01, "full": 0.1, "adaptive": 8} {
		cfg := config(t, frame.UDP, slash24s(t))
		before := heapInUse()
		s := newKept(t, mode, cfg)
		drive(t, s, func(n uint64) bool { return n >= 1<<20 })
		each := float64(heapInUse()-before) / float64(cfg.Targets.Len())
		t.Logf("%s: %.3f bytes for each of %d targets", mode, each, cfg.Targets.Len())
		if each > most {
			t.Errorf("%s: %.3f bytes for each target, want %.2f at most", mode, each, most)
		}
		runtime.KeepAlive(s)
	}
}

func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
