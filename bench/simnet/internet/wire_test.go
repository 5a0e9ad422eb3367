package internet

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/frame/link"
	"github.com/hopquote/hopquote/rx"
)

// long is far more than any of these tests should wait.
const long = 20 * time.Second

// wire is the prober's end of the link: a sender for each family, a ring that
// takes everything, and a match table.
type wire struct {
	net     *Net
	config  Config // with its defaults
	link    frame.Link
	senders map[bool]*link.Sender // by IPv6 or not
	ring    *rx.Ring
	kept    []rx.Packet // taken off the ring, oldest first, and not looked at yet
	table   *rx.Table
}

func newWire(t testing.TB, n *Net, c Config, ring rx.RingConfig) *wire {
	t.Helper()
	w := &wire{net: n, config: c.withDefaults(), senders: map[bool]*link.Sender{}, table: rx.NewTable(1024)}
	err := n.Host(Prober).Do(func() (err error) {
		if ring.Interface, err = net.InterfaceByName(ProberLink); err != nil {
			return err
		}
		ring.Link = frame.LinkEthernet
		if w.ring, err = rx.OpenRing(ring); err != nil {
			return err
		}
		for v6, dst := range map[bool]string{false: "20.0.0.1", true: "2001:db8::1"} {
			e, err := link.Lookup(link.Want{Dst: netip.MustParseAddr(dst)})
			if err != nil {
				return err
			}
			w.link = e.Header
			if w.senders[v6], err = link.OpenSender(e, link.SenderConfig{}); err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(context.Background(), long)
			defer cancel()
			if !w.senders[v6].Resolve(ctx) {
				t.Errorf("the gateway towards %s is not found", dst)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		w.ring.Close()
		w.senders[false].Close()
		w.senders[true].Close()
	})
	return w
}

// frame gives the frame of a probe and the probe with its source.
func (w *wire) frame(t testing.TB, p frame.Probe) ([]byte, frame.Probe) {
	t.Helper()
	f, p := buildProbe(t, &w.config, p)
	copy(f[6:], w.link.Src[:])
	return f, p
}

// send sends a frame, whatever it is, to the gateway. It keeps what has come: a
// ring has room for as long as it is read now and then, however slow that is.
func (w *wire) send(t testing.TB, frames ...[]byte) {
	t.Helper()
	for end := time.Now().Add(long); len(frames) > 0; {
		n, err := w.senders[false].Send(frames)
		if err != nil || time.Now().After(end) {
			t.Fatalf("%d frames left, %v", len(frames), err)
		}
		frames = frames[n:]
	}
	w.keep(t)
}

// keep takes what waits off the ring.
func (w *wire) keep(t testing.TB) {
	t.Helper()
	err := w.ring.Drain(func(p *rx.Packet) {
		kept := *p
		kept.Data = slices.Clone(p.Data)
		w.kept = append(w.kept, kept)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// ask sends a probe that the table then knows by the tag.
func (w *wire) ask(t testing.TB, tag int, p frame.Probe) frame.Probe {
	t.Helper()
	f, p := w.frame(t, p)
	w.table.Add(tag, &p, time.Since(w.ring.Epoch()))
	w.send(t, f)
	return p
}

// drain hands all that has come and is no neighbour discovery to f,
// with what the table makes of it.
func (w *wire) drain(t testing.TB, f func(data []byte, m *rx.Match)) {
	t.Helper()
	w.keep(t)
	kept := w.kept
	w.kept = nil
	for i := range kept {
		p := &kept[i]
		var r frame.Reply
		var m rx.Match
		frame.Decode(p.Data, frame.LinkEthernet, p.Offloaded, &r)
		if r.Kind == frame.KindNone || r.Kind == frame.KindICMPOther {
			continue
		}
		w.table.Match(&r, p.At, &m)
		f(p.Data, &m)
	}
}

// until drains until done says so, or it takes too long.
func (w *wire) until(t testing.TB, done func() bool, f func(data []byte, m *rx.Match)) {
	t.Helper()
	for end := time.Now().Add(long); !done(); {
		if time.Now().After(end) {
			t.Fatalf("not done after %v: %+v", long, w.table.Counts())
		}
		if err := w.ring.Wait(time.Since(w.ring.Epoch()) + 10*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		w.drain(t, f)
	}
}

// counters gives the Internet's counts once it has seen n probes. Only the
// user-space form may be late.
func (w *wire) counters(t testing.TB, n uint64) Counters {
	t.Helper()
	for end := time.Now().Add(long); ; time.Sleep(time.Millisecond) {
		c, err := w.net.Counters()
		if err != nil {
			t.Fatal(err)
		}
		if c.Total().Asked >= n || w.net.Form() == InKernel || time.Now().After(end) {
			return c
		}
	}
}

// forms runs a test in both forms.
func forms(t *testing.T, c Config, f func(t *testing.T, c Config, n *Net)) {
	t.Run("kernel", func(t *testing.T) { f(t, c, inKernel(t, c)) })
	c.UserSpace = true
	t.Run("user space", func(t *testing.T) { f(t, c, open(t, c)) })
}
