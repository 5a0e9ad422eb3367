package scheduler

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
)

// wheel sends for ever: each pass gives up what the one before sent.
type wheel struct {
	probe frame.Probe
	tag   int
	open  []int
}

func (w *wheel) Plan(pass *Pass) {
	if pass.Room == 0 || len(w.open) > 0 {
		for _, tag := range w.open {
			pass.Expire(tag)
		}
		w.open = w.open[:0]
		return
	}
	for pass.Room > 0 {
		w.tag = (w.tag + 1) % 256
		w.probe.TTL = uint8(w.tag%30 + 1)
		pass.Send(w.tag, &w.probe)
	}
}

func (w *wheel) Sent(tag int, _ *frame.Probe, _ time.Duration) { w.open = append(w.open, tag) }
func (w *wheel) Learn(*rx.Match)                               {}
func (w *wheel) Done() bool                                    { return false }

// still is a clock, sender and receiver where nothing happens.
type still struct{ sent int }

func (s *still) Now() time.Duration                { return time.Second }
func (s *still) Send(frames [][]byte) (int, error) { s.sent += len(frames); return len(frames), nil }
func (s *still) Wait(time.Duration) error          { return nil }
func (s *still) Drain(func(*rx.Packet)) error      { return nil }
func (s *still) Lag() time.Duration                { return 0 }
func (s *still) Drops() (uint64, error)            { return 0, nil }

// circle holds the same few ports over and over.
type circle struct{ next uint16 }

func (c *circle) Hold() (uint16, error) { c.next = c.next%512 + 1; return c.next, nil }
func (c *circle) Release(uint16)        {}

func newWheel() (*Engine, *still) {
	s := &still{}
	e := New(Config{
		Strategy: &wheel{probe: frame.Probe{
			Method: frame.UDP, Size: 60, DstPort: 33434,
			Src: netip.MustParseAddr("10.9.9.1"), Dst: netip.MustParseAddr("10.2.2.2"),
		}},
		Clock: s, Sender: s, Receiver: s, Window: 64, Batch: 64,
		Identities: NewFresh(&circle{}, rand.New(rand.NewPCG(1, 2)), nil),
		Link:       frame.Link{Type: frame.LinkEthernet}, MTU: 1500,
	})
	return e, s
}

// round plans, builds, sends and gives up one window of probes.
func (e *Engine) round(t testing.TB) {
	// A window or two is enough to remember.
	for _, tag := range e.cfg.Strategy.(*wheel).open {
		e.book.(*register).Forget((tag + 64) % 256)
	}
	if _, err := e.plan(0, e.cfg.Window); err != nil {
		t.Fatal(err)
	}
}

func TestSendAllocatesNothing(t *testing.T) {
	e, s := newWheel()
	for range 100 {
		e.round(t)
	}
	before := s.sent
	if n := testing.AllocsPerRun(200, func() { e.round(t) }); n != 0 {
		t.Errorf("%v allocations for each window of probes", n)
	}
	if s.sent == before {
		t.Error("nothing was sent")
	}
}

func BenchmarkSend(b *testing.B) {
	e, s := newWheel()
	b.ReportAllocs()
	for b.Loop() {
		e.round(b)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(max(s.sent, 1)), "ns/probe")
}
