package scheduler

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
)

// stingy is a slot sender with few slots, which takes some of the frames at a
// time, and may fail for good. It keeps to the contract and fails a test where
// the engine does not.
type stingy struct {
	t       *rapid.T
	now     time.Duration
	slots   [][]byte // waiting, oldest first
	most    int
	failAt  int // of sent; -1: never
	sent    [][]byte
	dropped int
}

func (s *stingy) Now() time.Duration             { return s.now }
func (s *stingy) Wait(until time.Duration) error { s.now = max(s.now, until); return nil }
func (s *stingy) Drain(func(*rx.Packet)) error   { return nil }
func (s *stingy) Lag() time.Duration             { return 0 }
func (s *stingy) Drops() (uint64, error)         { return 0, nil }
func (s *stingy) Send([][]byte) (int, error)     { panic("it has slots") }

func (s *stingy) Slot(n int) []byte {
	if len(s.slots) >= s.most {
		return nil
	}
	f := make([]byte, n)
	for i := range f {
		f[i] = 0xff
	}
	s.slots = append(s.slots, f)
	return f
}

func (s *stingy) Flush() (int, error) {
	n := rapid.IntRange(0, len(s.slots)).Draw(s.t, "taken")
	var err error
	if left := s.failAt - len(s.sent); s.failAt >= 0 && left <= n && len(s.slots) > left {
		n, err = left, syscall.ENETDOWN
	}
	for _, f := range s.slots[:n] {
		s.sent = append(s.sent, slices.Clone(f))
	}
	s.slots = s.slots[n:]
	return n, err
}

func (s *stingy) Drop() { s.dropped += len(s.slots); s.slots = nil }

// few sends some probes, of which a part is too long for the link.
type few struct {
	sizes []int
	df    []bool
	next  int
	sent  []int
	told  []int // too big
	gone  int   // expired
}

func (s *few) Plan(pass *Pass) {
	for ; s.next < len(s.sizes); s.next++ {
		p := frame.Probe{Method: frame.UDP, Src: here, Dst: there, Size: s.sizes[s.next], DF: s.df[s.next], TTL: 9, DstPort: 33434}
		p.MakeKeyed()
		if !pass.Send(s.next, &p) {
			return
		}
	}
}

func (s *few) Sent(tag int, p *frame.Probe, _ time.Duration) {
	if p.TTL != 9 || p.Size != s.sizes[tag] {
		panic("another probe than was planned")
	}
	s.sent = append(s.sent, tag)
}

func (s *few) Learn(m *rx.Match) {
	if !m.Local || m.Origin.TTL != 9 || m.Origin.Dst != there {
		panic("nobody answers here")
	}
	s.told = append(s.told, m.Tag)
}

func (s *few) Expired(int, *rx.Origin) { s.gone++ }
func (s *few) Done() bool              { return s.gone+len(s.told) == len(s.sizes) }

func TestSlotSender(tt *testing.T) {
	const mtu = 100
	rapid.Check(tt, func(t *rapid.T) {
		n := rapid.IntRange(1, 60).Draw(t, "probes")
		s := &few{sizes: make([]int, n), df: make([]bool, n)}
		frames := 0
		for i := range s.sizes {
			s.sizes[i] = rapid.SampledFrom([]int{60, 60, 60, 100, 101, 300}).Draw(t, "size")
			s.df[i] = rapid.IntRange(0, 4).Draw(t, "df") == 0
			switch size := s.sizes[i]; {
			case size <= mtu:
				frames++
			case !s.df[i]:
				frames += (size - 20 + 79) / 80
			}
		}
		net := &stingy{t: t, most: rapid.IntRange(1, 10).Draw(t, "slots"), failAt: -1}
		failing := rapid.IntRange(0, 3).Draw(t, "fails") == 0 && frames > 0
		if failing {
			net.failAt = rapid.IntRange(0, frames-1).Draw(t, "fail at")
		}
		var book Book = newLedger(tt, 64)
		p := &circle{}
		held := &tally{circle: p}
		if rapid.Bool().Draw(t, "register") {
			book = nil
			s.gone = n // it expires nothing by itself
		}
		e := New(Config{
			Strategy: s, Clock: net, Sender: net, Receiver: net, Book: book,
			Identities: NewFresh(held, rand.New(rand.NewPCG(1, 2)), nil),
			Window:     100, Batch: rapid.IntRange(1, 20).Draw(t, "batch"), MTU: mtu,
		})
		if book == nil {
			// The strategy is done when all has left.
			e.cfg.Strategy = whole{s}
		}
		err := e.Run(context.Background())
		if failing != errors.Is(err, syscall.ENETDOWN) {
			t.Fatalf("Run gave %v, failing %t", err, failing)
		}
		f, c := e.Frames(), e.Counts()
		if f.Built != f.Sent+f.Failed+f.Unsent || int(f.Sent) != len(net.sent) || int(f.Failed+f.Unsent) != net.dropped || !c.Balanced() {
			t.Fatalf("frames %+v, counts %+v, %d left, %d dropped", f, c, len(net.sent), net.dropped)
		}
		if held.n != 0 {
			t.Fatalf("%d identities are still held", held.n)
		}
		if !failing && len(net.sent) != frames {
			t.Fatalf("%d frames, want %d", len(net.sent), frames)
		}
		if !slices.IsSortedFunc(s.sent, func(a, b int) int { return a - b }) && len(s.told) == 0 {
			t.Fatalf("sent in the order %v", s.sent)
		}
		for _, f := range net.sent {
			if frame.Fold(frame.Sum(f[:20], 0)) != 0xffff {
				t.Fatalf("a frame with a wrong header: %x", f)
			}
		}
	})
}

// whole is done when every probe has left or was too big.
type whole struct{ *few }

func (s whole) Done() bool { return len(s.sent) == len(s.sizes) }

// tally counts the ports that are held.
type tally struct {
	*circle
	n int
}

func (c *tally) Hold() (uint16, error) { c.n++; return c.circle.Hold() }
func (c *tally) Release(uint16)        { c.n-- }

// part is a strategy some of whose destinations nothing leads to.
type part struct {
	few
	lost []bool
}

func (s *part) Plan(pass *Pass) {
	for ; s.next < len(s.lost); s.next++ {
		p := frame.Probe{Method: frame.UDP, Src: here, Dst: there, Size: 60, TTL: 9, DstPort: 33434}
		if s.lost[s.next] {
			p.Dst = there.Next()
		}
		p.MakeKeyed()
		if !pass.Send(s.next, &p) {
			return
		}
	}
}

func (s *part) Sent(tag int, p *frame.Probe, _ time.Duration) { s.sent = append(s.sent, tag) }

func (s *part) Expired(tag int, o *rx.Origin) {
	if (o == nil) != s.lost[tag] {
		panic("the origin of a probe that left is known, and no other's")
	}
	if o == nil && s.sent[len(s.sent)-1] != tag {
		panic("it expires as soon as it left")
	}
	s.gone++
}

func (s *part) Done() bool { return s.gone == len(s.lost) }

// Probes that lead nowhere take no room: those around them leave in their order,
// whatever the sender takes at a time.
func TestUnrouted(tt *testing.T) {
	rapid.Check(tt, func(t *rapid.T) {
		s := &part{lost: rapid.SliceOfN(rapid.Bool(), 1, 60).Draw(t, "lost")}
		frames := 0
		for _, lost := range s.lost {
			if !lost {
				frames++
			}
		}
		net := &stingy{t: t, most: rapid.IntRange(1, 10).Draw(t, "slots"), failAt: -1}
		if failing := rapid.IntRange(0, 3).Draw(t, "fails") == 0; failing && frames > 0 {
			net.failAt = rapid.IntRange(0, frames-1).Draw(t, "fail at")
		}
		e := New(Config{
			Strategy: s, Clock: net, Sender: net, Receiver: net, Book: newLedger(tt, 64),
			Window: rapid.IntRange(1, 100).Draw(t, "window"), Batch: rapid.IntRange(1, 20).Draw(t, "batch"),
			Rate:     rapid.SampledFrom([]float64{0, 1000}).Draw(t, "rate"),
			Unrouted: func(dst netip.Addr) bool { return dst != there },
		})
		err := e.Run(context.Background())
		if (net.failAt >= 0) != errors.Is(err, syscall.ENETDOWN) {
			t.Fatalf("Run gave %v, to fail at %d", err, net.failAt)
		}
		f, c := e.Frames(), e.Counts()
		if err == nil && (len(net.sent) != frames || len(s.sent) != len(s.lost)) || int(c.Sent) != len(net.sent) || !c.Balanced() {
			t.Fatalf("frames %+v, counts %+v, %d of %d probes, %d of %d frames", f, c, len(s.sent), len(s.lost), len(net.sent), frames)
		}
		for i, tag := range s.sent {
			if tag != i {
				t.Fatalf("sent in the order %v", s.sent)
			}
		}
	})
}
