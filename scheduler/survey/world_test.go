package survey

import (
	"context"
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/scheduler"
	"github.com/hopquote/hopquote/scheduler/virtual"
)

// world is a simulated Internet in memory, under the virtual clock.
type world struct {
	truth internet.Config
	delay func(s virtual.Sent) time.Duration // nil: 1 ms for each hop
	again bool                               // every answer comes twice
	drop  func(s virtual.Sent) bool          // nil: nothing is dropped
	net   virtual.Net
}

// respond answers a probe as the truth has it.
func (w *world) respond(s virtual.Sent) []virtual.Reply {
	p := &s.Probe
	t := w.truth.Answer(p.Dst, int(p.TTL), p.Method)
	if t.Silent || w.drop != nil && w.drop(s) {
		return nil
	}
	after := time.Duration(t.Hop) * time.Millisecond
	if w.delay != nil {
		after = w.delay(s)
	}
	r := virtual.Reply{After: after, Frame: reply(s, &t)}
	if w.again {
		return []virtual.Reply{r, r}
	}
	return []virtual.Reply{r}
}

func reply(s virtual.Sent, t *internet.Truth) []byte {
	p := &s.Probe
	v6 := p.IsIPv6()
	a := frame.Answer{From: t.From, To: p.Src, TTL: t.TTL, Method: p.Method, SrcPort: p.DstPort, DstPort: p.SrcPort}
	switch t.Kind {
	case frame.KindEchoReply:
		a.SrcPort, a.Seq = p.SrcPort, p.Seq
		if v6 {
			a.Payload = s.Frame[48:]
		} else {
			a.Payload = s.Frame[28:]
		}
		return a.Append(nil)
	case frame.KindTCP:
		a.Flags, a.Ack = frame.FlagRST|frame.FlagACK, p.Seq+1
		return a.Append(nil)
	}
	m := frame.ErrorMessage{From: t.From, To: p.Src, TTL: t.TTL, Quote: append([]byte(nil), s.Frame...)}
	switch {
	case t.Kind == frame.KindUnreachable && v6:
		m.Type, m.Code = 1, 4
	case t.Kind == frame.KindUnreachable:
		m.Type, m.Code = 3, 3
	case v6:
		m.Type = 3
	default:
		m.Type = 11
	}
	if v6 {
		m.Quote[7] -= uint8(t.Hop - 1)
	} else {
		m.Quote[8] -= uint8(t.Hop - 1)
	}
	return m.Append(nil)
}

// book is the simplest scheduler.Book with a timeout.
type book struct {
	timeout time.Duration
	last    uint32
	probes  map[uint32]*noted
	queue   []uint32 // in the order of leaving
	counts  rx.Counts
}

type noted struct {
	rx.Origin
	tag   int
	state rx.Verdict // Exact: in flight
}

func newBook(timeout time.Duration) *book {
	return &book{timeout: timeout, probes: map[uint32]*noted{}}
}

func (b *book) Take(_ int, p *frame.Probe, _ bool) (rx.Ticket, error) {
	for b.last++; !p.SetToken(b.last * 0x9e3779b1); b.last++ {
	}
	return rx.Ticket(b.last * 0x9e3779b1), nil
}

func (b *book) Enter(t rx.Ticket, tag int, p *frame.Probe, at time.Duration) {
	b.probes[uint32(t)] = &noted{rx.Origin{Dst: p.Dst, TTL: p.TTL, Sent: at}, tag, rx.Exact}
	b.queue = append(b.queue, uint32(t))
	b.counts.Sent++
	b.counts.InFlight++
}

func (b *book) Return(rx.Ticket, *frame.Probe) {}
func (b *book) Expire(int)                     {}
func (b *book) Close()                         {}
func (b *book) InFlight() int                  { return int(b.counts.InFlight) }
func (b *book) Counts() rx.Counts              { return b.counts }

// flying gives the tags of the probes in flight.
func (b *book) flying() (tags []int) {
	for _, id := range b.queue {
		if n := b.probes[id]; n.state == rx.Exact {
			tags = append(tags, n.tag)
		}
	}
	return tags
}

func (b *book) Overdue(now time.Duration, f func(int, *rx.Origin)) time.Duration {
	for len(b.queue) > 0 {
		n := b.probes[b.queue[0]]
		if n.state == rx.Exact {
			if n.Sent+b.timeout > now {
				return n.Sent + b.timeout
			}
			n.state = rx.Late
			b.counts.InFlight--
			b.counts.Expired++
			f(n.tag, &n.Origin)
		}
		b.queue = b.queue[1:]
	}
	return scheduler.Never
}

func (b *book) Match(r *frame.Reply, at time.Duration, m *rx.Match) {
	*m = rx.Match{Tag: -1, At: at, Reply: r}
	b.counts.Received++
	token, mask, ok := r.Token()
	n := b.probes[token]
	if !ok || mask != 0xffffffff || n == nil {
		b.counts.Stray[rx.ReasonUnknown]++
		b.counts.Verdicts[rx.Stray]++
		return
	}
	m.Tag, m.Origin, m.RTT, m.Verdict = n.tag, n.Origin, at-n.Sent, n.state
	b.counts.Verdicts[n.state]++
	switch n.state {
	case rx.Exact:
		n.state = rx.Duplicate
		b.counts.InFlight--
		b.counts.Answered++
		b.counts.Matched++
	case rx.Duplicate:
		b.counts.Duplicate++
	default:
		b.counts.Late++
	}
}

// run lets a strategy go through the world.
func (w *world) run(t testing.TB, s scheduler.Strategy, rate float64) rx.Counts {
	t.Helper()
	w.net.Respond = w.respond
	b := newBook(time.Second)
	switch s := s.(type) {
	case *cut:
		s.book = b
	case *witness:
		s.book = b
	}
	e := scheduler.New(scheduler.Config{
		Strategy: s, Clock: &w.net, Sender: &w.net, Receiver: &w.net, Book: b, Window: 1 << 20, Rate: rate, Batch: 16,
	})
	if err := e.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	c := e.Counts()
	if cut, ok := s.(*cut); ok && cut.state != nil {
		return c
	}
	if w, ok := s.(*witness); ok && w.aloft != nil {
		return c
	}
	if !c.Balanced() || c.InFlight != 0 {
		t.Fatalf("counts do not balance: %+v", c)
	}
	return c
}

// list are targets one by one.
type list []netip.Addr

func (l list) Len() uint64            { return uint64(len(l)) }
func (l list) At(i uint64) netip.Addr { return l[i] }

// addrs gives n targets of both families, several in each prefix.
func addrs(n int) list {
	var l list
	for i := range n {
		x := mix(uint64(i) / 4)
		if i%3 == 2 {
			b := netip.MustParseAddr("2600::").As16()
			binary.BigEndian.PutUint32(b[2:], uint32(x))
			b[15] = uint8(i%4 + 1)
			l = append(l, netip.AddrFrom16(b))
			continue
		}
		l = append(l, netip.AddrFrom4([4]byte{20 + byte(x>>16)%64, byte(x >> 8), byte(x), byte(i%4 + 1)}))
	}
	return l
}

// probe is the shape of the probes of a method.
func probe(t testing.TB, m frame.Method, v6 bool) frame.Probe {
	t.Helper()
	p := frame.Probe{Method: m, Src: netip.MustParseAddr("10.99.0.1"), Dst: netip.MustParseAddr("20.0.0.1"), SrcPort: 40000, DstPort: 33434}
	if v6 {
		p.Src, p.Dst = netip.MustParseAddr("fd99::1"), netip.MustParseAddr("2600::1")
	}
	switch m {
	case frame.ICMP:
		p.DstPort, p.Sum = 0, 0x4d00
	case frame.TCP:
		p.DstPort, p.TCP.Flags = 80, frame.FlagSYN
	}
	if !p.MakeKeyed() {
		t.Fatalf("no token in %s", m)
	}
	p.Size = max(p.Size, p.LeastSize())
	return p
}

// config is a survey of targets by a method.
func config(t testing.TB, m frame.Method, targets Targets) Config {
	return Config{
		Targets: targets, Probe4: probe(t, m, false), Probe6: probe(t, m, true), First: 1, Max: 32, Key: 7,
		Reply: func(*Reply) {},
	}
}
