package scheduler

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
)

// sweep sends total probes to many destinations with constant flows, and counts
// what comes back.
type sweep struct {
	probe   frame.Probe
	next    int
	total   int
	learned int
	wrong   int
	expired int
}

func newSweep(total int) *sweep {
	s := &sweep{total: total, probe: frame.Probe{
		Method: frame.UDP, Src: here, Dst: there, Size: 40, DstPort: 33434,
	}}
	if !s.probe.MakeKeyed() {
		panic("udp probes carry tokens")
	}
	return s
}

// fill makes the probe of a tag.
func (s *sweep) fill(tag int) {
	n := uint32(tag) * 0x9e3779b1
	s.probe.Dst = netip.AddrFrom4([4]byte{20, byte(n >> 24), byte(n >> 16), byte(n>>8) | 1})
	s.probe.SrcPort = 32768 + uint16(n>>17)
	s.probe.TTL = uint8(tag%16 + 1)
}

func (s *sweep) Plan(pass *Pass) {
	for pass.Room > 0 && s.next < s.total {
		s.fill(s.next)
		pass.Send(s.next, &s.probe)
		s.next++
	}
}

func (s *sweep) Sent(int, *frame.Probe, time.Duration) {}

func (s *sweep) Learn(m *rx.Match) {
	s.learned++
	if m.Verdict != rx.Exact || m.Origin.TTL != uint8(m.Tag%16+1) {
		s.wrong++
	}
}

func (s *sweep) Expired(int, *rx.Origin) { s.expired++ }
func (s *sweep) Done() bool              { return s.learned+s.expired >= s.total }

// echo is a clock, sender and receiver in one: every frame is answered at the
// next drain by a time exceeded that quotes 28 bytes of it.
type echo struct {
	now   time.Duration
	slots [256][]byte // around and around
	lent  int         // slots ever
	left  int         // of them, flushed
	read  int         // of them, answered
	reply []byte
	pkt   rx.Packet
	mute  bool // answers nothing
	waits int
}

const (
	icmpAt  = 14 + 20
	quoteAt = icmpAt + 8
	quoteOf = 28
)

func newEcho() *echo {
	m := frame.ErrorMessage{
		Link: frame.Link{Type: frame.LinkEthernet}, From: there, To: here, TTL: 60, Type: 11, Quote: make([]byte, quoteOf),
	}
	e := &echo{reply: m.Append(nil)}
	for i := range e.slots {
		e.slots[i] = make([]byte, 128)
	}
	return e
}

func (e *echo) Now() time.Duration { e.now += 50; return e.now }

func (e *echo) Slot(n int) []byte {
	if e.lent-e.read == len(e.slots) {
		return nil
	}
	e.lent++
	return e.slots[(e.lent-1)%len(e.slots)][:n]
}

func (e *echo) Flush() (int, error) {
	n := e.lent - e.left
	e.left = e.lent
	return n, nil
}

func (e *echo) Drop()                          { e.lent = e.left }
func (e *echo) Send([][]byte) (int, error)     { panic("it has slots") }
func (e *echo) Wait(until time.Duration) error { e.waits++; e.now = max(e.now, until); return nil }
func (e *echo) Lag() time.Duration             { return 0 }
func (e *echo) Drops() (uint64, error)         { return 0, nil }

func (e *echo) Drain(f func(*rx.Packet)) error {
	for ; e.read < e.left; e.read++ {
		if e.mute {
			continue
		}
		r := e.reply
		copy(r[quoteAt:], e.slots[e.read%len(e.slots)][14:14+quoteOf])
		r[quoteAt+8] = 1 // the TTL
		binary.BigEndian.PutUint16(r[icmpAt+2:], 0)
		binary.BigEndian.PutUint16(r[icmpAt+2:], ^frame.Fold(frame.Sum(r[icmpAt:quoteAt+quoteOf], 0)))
		e.pkt = rx.Packet{Data: r, At: e.now}
		f(&e.pkt)
	}
	return nil
}

func newLedger(t testing.TB, slots int) *rx.Ledger {
	t.Helper()
	l, err := rx.NewLedger(rx.LedgerConfig{Key: [8]byte{1, 2, 3}, Timeout: time.Second, Slots: slots})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func loopConfig(t testing.TB, s Strategy, net *echo) Config {
	return Config{
		Strategy: s, Clock: net, Sender: net, Receiver: net, Book: newLedger(t, 1<<16),
		Window: 1 << 15, Batch: 64, Link: frame.Link{Type: frame.LinkEthernet}, MTU: 1500,
	}
}

func TestLoop(t *testing.T) {
	const total = 100_000
	s, net := newSweep(total), newEcho()
	e := New(loopConfig(t, s, net))
	if err := e.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	c, f := e.Counts(), e.Frames()
	if !c.Balanced() || c.Matched != total || c.Sent != total || s.wrong != 0 || s.expired != 0 {
		t.Errorf("%d learned, %d wrong, %d expired, counts %+v", s.learned, s.wrong, s.expired, c)
	}
	if f.Built != total || f.Sent != total || f.Failed != 0 || f.Unsent != 0 {
		t.Errorf("frames %+v", f)
	}
}

// Nothing answers: the book's timeout is what ends it, once for each probe.
func TestLoopExpires(t *testing.T) {
	const total = 100_000
	s, net := newSweep(total), newEcho()
	net.mute = true
	cfg := loopConfig(t, s, net)
	cfg.Batch = 1 // a send time of its own for each
	e := New(cfg)
	if err := e.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if c := e.Counts(); !c.Balanced() || c.Expired != total || s.expired != total {
		t.Errorf("%d expired, counts %+v", s.expired, c)
	}
	if limit := int(net.now/rest) + 10; net.waits > limit {
		t.Errorf("%d wake-ups in %v", net.waits, net.now)
	}
}

// turn is one turn of Run's loop.
func (e *Engine) turn(t testing.TB) {
	known := e.cfg.Clock.Now()
	if err := e.cfg.Receiver.Drain(e.take); err != nil {
		t.Fatal(err)
	}
	e.book.Overdue(known, e.expired)
	if _, err := e.step(known); err != nil {
		t.Fatal(err)
	}
}

func TestLoopAllocatesNothing(t *testing.T) {
	s, net := newSweep(1<<40), newEcho()
	e := New(loopConfig(t, s, net))
	for range 100 {
		e.turn(t)
	}
	before := s.learned
	if n := testing.AllocsPerRun(500, func() { e.turn(t) }); n != 0 {
		t.Errorf("%v allocations for each turn", n)
	}
	if s.learned == before {
		t.Error("nothing was learned")
	}
}

// BenchmarkLoop is what a probe costs from Plan to Learn: plan, identity, build,
// enter, decode, match, learn. Beside the engine's work it has a null sender
// that makes the reply, which BenchmarkLoopEcho measures alone.
func BenchmarkLoop(b *testing.B) {
	for _, bits := range []int{12, 16, 20} {
		b.Run(fmt.Sprintf("slots=%d", 1<<bits), func(b *testing.B) {
			s, net := newSweep(1<<40), newEcho()
			cfg := loopConfig(b, s, net)
			cfg.Book = newLedger(b, 1<<bits)
			cfg.Window = 1 << bits
			e := New(cfg)
			b.ReportAllocs()
			for b.Loop() {
				e.turn(b)
			}
			if s.wrong > 0 {
				b.Fatalf("%d wrong", s.wrong)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(max(s.learned, 1)), "ns/probe")
		})
	}
}

// BenchmarkLoopEcho is BenchmarkLoop's surroundings without the engine.
func BenchmarkLoopEcho(b *testing.B) {
	net := newEcho()
	learned := 0
	f := func(*rx.Packet) { learned++ }
	b.ReportAllocs()
	for b.Loop() {
		for range maxBurst {
			net.Slot(60)
		}
		net.Flush()
		net.Drain(f)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(max(learned, 1)), "ns/probe")
}
