package link_test

import (
	"net"
	"testing"
	"time"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/frame/link"
	"github.com/hopquote/hopquote/rx"
)

// TestSlotsAskTheInternet sends 100,000 probes by each sender to a simulated
// Internet that answers all: every one has to reach it, and every reply the
// match table.
//
//	h1 veth1-h1 --- veth1-sim the Internet
func TestSlotsAskTheInternet(t *testing.T) {
	if testing.Short() {
		t.Skip("100,000 probes by each sender: not in short mode")
	}
	for _, tt := range senders {
		t.Run(tt.name, func(t *testing.T) { askInternet(t, tt.SenderConfig, 100_000) })
	}
}

func askInternet(t *testing.T, c link.SenderConfig, probes int) {
	lab.Skip(t)
	n, err := internet.Open(internet.Config{Seed: 5})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	if n.Form() != internet.InKernel {
		t.Skip("needs the kernel form: ", n.Reason())
	}
	h := n.Host(internet.Prober)
	e := lookup(t, h, link.Want{Dst: addr("20.0.0.1")})
	s := openSender(t, h, e, c)
	if err := s.Fallback(); err != nil || !s.Resolve(t.Context()) {
		t.Fatalf("fallback %v, or the gateway is not found", err)
	}
	var ring *rx.Ring
	in(t, h, func() error {
		ifi, err := net.InterfaceByName(internet.ProberLink)
		if err == nil {
			ring, err = rx.OpenRing(rx.RingConfig{Interface: ifi, Link: frame.LinkEthernet, Blocks: 256, Retire: 10 * time.Millisecond})
		}
		return err
	})
	t.Cleanup(func() { ring.Close() })

	p := frame.Probe{Method: frame.UDP, Src: e.Src, Dst: e.Dst, TTL: 1}
	p.Size = p.HeaderLen()
	template, err := frame.NewTemplate(e.Header, &p)
	if err != nil {
		t.Fatal(err)
	}
	table, matched := rx.NewTable(1024), 0
	drain := func() {
		err := ring.Drain(func(pk *rx.Packet) {
			var r frame.Reply
			var m rx.Match
			frame.Decode(pk.Data, frame.LinkEthernet, pk.Offloaded, &r)
			if r.Kind == frame.KindNone || r.Kind == frame.KindICMPOther {
				return // neighbour discovery
			}
			if table.Match(&r, pk.At, &m); m.Verdict != rx.Exact {
				t.Fatalf("verdict %v (%v): %x", m.Verdict, m.Reason, pk.Data)
			}
			matched++
			table.Forget(m.Tag)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for i, sent := 0, 0; sent < probes; {
		for range 64 {
			if i == probes {
				break
			}
			f := s.Slot(template.Len())
			if f == nil {
				break
			}
			p.TTL, p.ID = uint8(1+i%24), uint16(i)
			p.SrcPort, p.DstPort = uint16(1024+i%60000), uint16(33434+i/60000)
			template.Put(f, &p)
			table.Add(i, &p, time.Since(ring.Epoch()))
			i++
		}
		n, err := s.Flush()
		if err != nil {
			t.Fatal(err)
		}
		sent += n
		drain()
	}
	for end := time.Now().Add(20 * time.Second); matched < probes && time.Now().Before(end); drain() {
		if err := ring.Wait(time.Since(ring.Epoch()) + 10*time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	got, err := n.Counters()
	if err != nil {
		t.Fatal(err)
	}
	drops, err := ring.Drops()
	if total := got.Total(); matched != probes || total.Answered != uint64(probes) || drops != 0 || err != nil {
		t.Errorf("%d probes: %+v, %d matched, ring dropped %d (%v)", probes, got, matched, drops, err)
	}
	if c := s.Counts(); c.Sent != uint64(probes) || c.Undelivered != 0 || c.Refused != 0 {
		t.Errorf("%d probes: %+v", probes, c)
	}
}
