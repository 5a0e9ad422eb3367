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
)

// answered has every probe answered by one router as soon as it left, without a
// network. It does not tell of expiry: the engine's book knows no answers.
type answered struct {
	scheduler.Strategy
	reply frame.Reply
	match rx.Match
}

func (a *answered) Sent(tag int, p *frame.Probe, at time.Duration) {
	a.Strategy.Sent(tag, p, at)
	a.match = rx.Match{Verdict: rx.Exact, Tag: tag, RTT: 1, Reply: &a.reply, Origin: rx.Origin{Dst: p.Dst, TTL: p.TTL}}
	a.Strategy.Learn(&a.match)
}

// void is a network that takes everything and gives nothing.
type void struct{ now time.Duration }

func (v *void) Now() time.Duration           { return v.now }
func (v *void) Send(f [][]byte) (int, error) { v.now += time.Microsecond; return len(f), nil }
func (v *void) Wait(time.Duration) error     { v.now += time.Millisecond; return nil }
func (v *void) Drain(func(*rx.Packet)) error { return nil }
func (v *void) Lag() time.Duration           { return 0 }
func (v *void) Drops() (uint64, error)       { return 0, nil }

// Planning, sending and learning allocate nothing but what grows with what is
// under way.
func TestAllocs(t *testing.T) {
	var l list
	for i := range 1 << 15 {
		l = append(l, netip.AddrFrom4([4]byte{20, byte(i >> 16), byte(i >> 8), byte(i)}))
	}
	for _, mode := range []string{"random", "full", "adaptive"} {
		s, _, err := newMode(mode, config(t, frame.UDP, l))
		if err != nil {
			t.Fatal(err)
		}
		book, err := rx.NewLedger(rx.LedgerConfig{Timeout: time.Millisecond, Slots: 1 << 12})
		if err != nil {
			t.Fatal(err)
		}
		v := &void{}
		e := scheduler.New(scheduler.Config{
			Strategy: &answered{Strategy: s, reply: frame.Reply{Kind: frame.KindTimeExceeded, From: netip.MustParseAddr("100.64.0.1")}},
			Clock:    v, Sender: v, Receiver: v, Book: book, Window: 1 << 10, Batch: 16,
		})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := e.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		sent := e.Counts().Sent
		if n := float64(after.Mallocs-before.Mallocs) / float64(sent); sent < 1<<16 || n > 0.01 {
			t.Errorf("%s: %.3f allocations for each of %d probes", mode, n, sent)
		}
	}
}
