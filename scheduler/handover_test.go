package scheduler

import (
	"context"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
)

// astray is a sender and receiver whose probes are answered at another's, at
// once and under another source port.
type astray struct {
	Monotonic
	answerAt *astray
	woken    chan struct{}

	mu      sync.Mutex
	waiting [][]byte
}

// answer quotes a probe's frame from its IP header on, changed.
func answer(f []byte, change func(quote []byte)) []byte {
	quote := append([]byte(nil), f[14:14+quoteOf]...)
	quote[8] = 1 // the TTL
	change(quote)
	m := frame.ErrorMessage{Link: frame.Link{Type: frame.LinkEthernet}, From: there, To: here, TTL: 60, Type: 11, Quote: quote}
	return m.Append(nil)
}

func translate(quote []byte) {
	copy(quote[12:], []byte{192, 0, 2, 7})
	quote[20], quote[21] = 0xee, 0x48
}

func (a *astray) Send(frames [][]byte) (int, error) {
	to := a.answerAt
	to.mu.Lock()
	for _, f := range frames {
		to.waiting = append(to.waiting, answer(f, translate))
	}
	to.mu.Unlock()
	to.Wake()
	return len(frames), nil
}

func (a *astray) Wake() {
	select {
	case a.woken <- struct{}{}:
	default:
	}
}

func (a *astray) Wait(until time.Duration) error {
	select {
	case <-a.woken:
	case <-time.After(min(until-a.Now(), time.Hour)):
	}
	return nil
}

func (a *astray) Drain(f func(*rx.Packet)) error {
	a.mu.Lock()
	taken := a.waiting
	a.waiting = nil
	a.mu.Unlock()
	for _, data := range taken {
		f(&rx.Packet{Data: data, At: a.Now()})
	}
	return nil
}

func (a *astray) Lag() time.Duration     { return 0 }
func (a *astray) Drops() (uint64, error) { return 0, nil }

// own is a sweep over targets that are no other's.
type own struct {
	*sweep
	number byte
	seen   map[int]int // replies by tag
	wrong  int
}

func (o *own) Plan(pass *Pass) {
	for pass.Room > 0 && o.next < o.total {
		o.probe.SrcPort, o.probe.TTL = 20000, uint8(o.next%16+1)
		o.probe.Dst = netip.AddrFrom4([4]byte{20, o.number, byte(o.next >> 8), byte(o.next)})
		pass.Send(o.next, &o.probe)
		o.next++
	}
}

func (o *own) Learn(m *rx.Match) {
	o.learned++
	o.seen[m.Tag]++
	if m.Verdict != rx.Rewritten || m.Origin.Dst.As4()[1] != o.number {
		o.wrong++
	}
}

// astrayShards are engines that send so many probes each, whose replies come to
// the engine so many places on.
func astrayShards(t testing.TB, by int, totals ...int) (Shards, []*own) {
	t.Helper()
	var shards Shards
	var strategies []*own
	nets := make([]*astray, len(totals))
	epoch := time.Now()
	for i := range nets {
		nets[i] = &astray{Monotonic: Monotonic{epoch}, woken: make(chan struct{}, 1)}
	}
	for i, total := range totals {
		nets[i].answerAt = nets[(i+by)%len(nets)]
		book, err := rx.NewLedger(rx.LedgerConfig{Key: [8]byte{byte(i), 7}, Timeout: 5 * time.Minute, Slots: 1 << 12})
		if err != nil {
			t.Fatal(err)
		}
		s := &own{sweep: newSweep(total), number: byte(i), seen: map[int]int{}}
		strategies = append(strategies, s)
		shards = append(shards, New(Config{
			Strategy: s, Clock: nets[i], Sender: nets[i], Receiver: nets[i], Book: book,
			Window: 64, Batch: 16, Link: frame.Link{Type: frame.LinkEthernet}, MTU: 1500,
		}))
	}
	return shards, strategies
}

// Replies that come to any other loop find their probe, once, and one that ended
// early takes its part.
func TestRepliesAreHandedOver(t *testing.T) {
	for name, c := range map[string]struct {
		totals []int
		by     int
	}{
		"two": {[]int{1000, 1000}, 1}, "three, next": {[]int{700, 800, 900}, 1}, "three, before": {[]int{700, 800, 900}, 2},
		"one ends at once": {[]int{1000, 0}, 1}, "two end at once": {[]int{0, 1000, 0}, 2}, "five": {[]int{300, 300, 300, 300, 300}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			shards, strategies := astrayShards(t, c.by, c.totals...)
			if err := shards.Run(context.Background()); err != nil {
				t.Fatal(err)
			}
			var want uint64
			for i, s := range strategies {
				if len(s.seen) != c.totals[i] || s.learned != c.totals[i] || s.wrong > 0 {
					t.Errorf("loop %d: %d replies to %d probes, %d wrong, want one for each of %d", i, s.learned, len(s.seen), s.wrong, c.totals[i])
				}
				want += uint64(c.totals[i])
			}
			sum := shards.Counts()
			if !sum.Balanced() || sum.Sent != want || sum.Matched != want || sum.Received != want {
				t.Errorf("%d probes, counts %+v", want, sum)
			}
			if diff := cmp.Diff(Handovers{Offered: want, Matched: want}, shards.Handovers()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// sentFrame has the engine send its probe, and gives the frame as it was quoted.
func sentFrame(t testing.TB, e *Engine) []byte {
	t.Helper()
	if _, err := e.step(0); err != nil {
		t.Fatal(err)
	}
	net := e.cfg.Sender.(*astray).answerAt
	return net.waiting[0][quoteAt-14:] // as if behind a link header
}

// What nobody knows is counted once, for the best reason that a loop had.
func TestNobodysReply(t *testing.T) {
	for name, c := range map[string]struct {
		change func([]byte)
		want   rx.Verdict
		reason rx.Reason
		handed uint64
	}{
		"unknown":       {func(q []byte) { translate(q); q[5]++ }, rx.Foreign, rx.ReasonUnknown, 1},
		"spoofed":       {func(q []byte) { q[5]++; q[26]++ }, rx.Spoofed, rx.ReasonCheck, 1},
		"other address": {func(q []byte) { q[5]++; q[26]++; q[19]++; q[12]++ }, rx.Foreign, rx.ReasonUnknown, 1},
		"malformed":     {func(q []byte) { q[0] = 0x41 }, rx.Malformed, rx.ReasonMalformed, 0},
	} {
		t.Run(name, func(t *testing.T) {
			shards, _ := astrayShards(t, 1, 1, 0, 0)
			shards.join()
			sent := sentFrame(t, shards[0])
			restored := func(q []byte) {
				copy(q[12:], here.AsSlice())
				q[20], q[21] = 20000>>8, 20000&0xff
				c.change(q)
			}
			shards[0].receive(&rx.Packet{Data: answer(sent, restored), At: time.Second})
			shards.settle()
			sum := shards.Counts()
			if !sum.Balanced() || sum.Received != 1 || sum.Verdicts[c.want] != 1 || sum.Stray[c.reason] != 1 {
				t.Errorf("want one %v, %v; verdicts %v, reasons %v", c.want, c.reason, sum.Verdicts, sum.Stray)
			}
			if diff := cmp.Diff(Handovers{Offered: c.handed}, shards.Handovers()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A loop that is handed more than it looks at loses it, which is counted, and
// neither waits nor grows.
func TestHandoverIsBounded(t *testing.T) {
	const more = 10
	shards, strategies := astrayShards(t, 1, 0, 1)
	shards.join()
	reply := answer(sentFrame(t, shards[1]), translate)
	for range maxHanded + more {
		shards[0].receive(&rx.Packet{Data: reply, At: time.Second})
	}
	if c := shards[0].Counts(); c.Received != more || c.Stray[rx.ReasonUnknown] != more {
		t.Errorf("of %d more than there is room for, %d are counted", more, c.Received)
	}
	shards.settle()
	sum := shards.Counts()
	if !sum.Balanced() || sum.Received != maxHanded+more || sum.Matched != 1 || sum.Duplicate != maxHanded-1 || strategies[1].seen[0] != maxHanded {
		t.Errorf("counts %+v", sum)
	}
	want := Handovers{Offered: maxHanded + more, Matched: maxHanded, Lost: more}
	if diff := cmp.Diff(want, shards.Handovers()); diff != "" {
		t.Error(diff)
	}
	pkt := &rx.Packet{Data: reply, At: time.Second}
	if n := testing.AllocsPerRun(100, func() { shards[0].receive(pkt); shards[1].takeOver() }); n > 0 {
		t.Errorf("%v allocations for each", n)
	}
}

func BenchmarkHandover(b *testing.B) {
	shards, _ := astrayShards(b, 1, 0, 1)
	shards.join()
	pkt := &rx.Packet{Data: answer(sentFrame(b, shards[1]), translate), At: time.Second}
	b.ReportAllocs()
	for b.Loop() {
		shards[0].receive(pkt)
		shards[1].takeOver()
	}
}
