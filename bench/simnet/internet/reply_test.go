package internet

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
)

// TestReplies sends probes of every method and family, with every TTL up to
// two behind the destination, and holds what comes back against the truth.
//
//	h1 veth1-h1 10.99.0.1, fd99::1 --- 10.99.0.254, fd99::fe sim
func TestReplies(t *testing.T) {
	for name, c := range testConfigs() {
		c.Open = nil // the prober's kernel would reset connections, which are TCP probes too
		t.Run(name, func(t *testing.T) { forms(t, c, testReplies) })
	}
}

func testReplies(t *testing.T, c Config, n *Net) {
	w := newWire(t, n, c, rx.RingConfig{})
	r := rand.New(rand.NewPCG(c.Seed, 2))
	// The twin counts, and knows what the limits are and the fates.
	twin := responder{config: w.config, mac: testMAC, limits: newLimits(&w.config)}
	var probes []frame.Probe
	waiting := map[int]*expected{}
	for _, v6 := range []bool{false, true} {
		for _, m := range methods {
			for range 3 {
				dst := randomAddr(r, v6)
				for ttl := 1; ttl <= w.config.Path(dst)+2; ttl++ {
					p := frame.Probe{Method: m, Dst: dst, TTL: uint8(ttl), ID: uint16(r.Uint32()), Label: r.Uint32() & 0xfffff}
					p.TCP.Flags = frame.FlagSYN
					p.SrcPort, p.DstPort, p.Seq = uint16(2000+len(probes)), uint16(33434+ttl), uint32(ttl)
					p.Size = p.HeaderLen() + r.IntN(200)
					f, _ := w.frame(t, p)
					flow, ok := FlowOf(f[ethernetLen:])
					if !ok {
						t.Fatalf("no probe: %x", f)
					}
					e := &expected{truth: w.config.AnswerFlow(dst, ttl, m, flow), copies: 1}
					answer := twin.respond(f, nil)
					if e.truth.Silent && answer != nil {
						t.Errorf("%s: answered, in truth silent", describe(&p))
					}
					if twin.fate == twice {
						e.copies = 2
					}
					if answer != nil {
						waiting[len(probes)] = e
					}
					probes = append(probes, w.ask(t, len(probes), p))
				}
			}
		}
	}
	w.until(t, func() bool { return len(waiting) == 0 }, func(data []byte, m *rx.Match) {
		e, ok := waiting[m.Tag]
		if !ok {
			t.Errorf("verdict %v (%v) for what nobody should have sent: %x", m.Verdict, m.Reason, data)
			return
		}
		if e.copies--; e.copies == 0 {
			delete(waiting, m.Tag)
		}
		want := wantReply(&probes[m.Tag], &e.truth)
		if e.isHere {
			want.Verdict = rx.Duplicate
		}
		e.isHere = true
		if diff := cmp.Diff(want, gotReply(&probes[m.Tag], data, m)); diff != "" {
			t.Errorf("%s (-truth +reply):\n%s\n%x", describe(&probes[m.Tag]), diff, data)
		}
	})
	want := twin.counts
	got := w.counters(t, want.Total().Asked)
	got.Neighbours, got.Foreign = 0, 0 // the prober's kernel takes part in those
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counters (-asked +counted):\n%s", diff)
	}
	checkBalance(t, &got)
}

// expected is the reply to a probe.
type expected struct {
	truth  Truth
	copies int // to come
	isHere bool
}

// checkBalance adds up what became of probes.
func checkBalance(t *testing.T, c *Counters) {
	t.Helper()
	for _, v6 := range []bool{false, true} {
		for _, m := range append([]frame.Method{0}, methods...) {
			n := c.Of(m, v6)
			if n.Asked != n.Answered+n.Silent+n.Limited || n.Duplicated+n.Delayed > n.Answered {
				t.Errorf("%v, IPv6 %v: counts do not add up: %+v", m, v6, *n)
			}
		}
	}
}

// report is what a truth says about a reply, in a form to compare.
type report struct {
	Verdict  rx.Verdict
	From     string
	Kind     frame.Kind
	Code     uint8
	TTL      uint8
	Quoted   int // bytes
	QuoteTTL uint8
	Label    string
	Checksum frame.Checksum
	HeaderOK bool
	TCPFlags uint8
	TCPAck   uint32
}

func wantReply(p *frame.Probe, t *Truth) report {
	w := report{
		Verdict: rx.Exact, From: t.From.String(), Kind: t.Kind, Code: t.Code, TTL: t.TTL,
		Checksum: frame.ChecksumGood, HeaderOK: true,
	}
	size := p.Size
	if p.Method == frame.TCP {
		size = p.HeaderLen()
	}
	switch {
	case t.Kind == frame.KindTCP:
		w.TCPFlags, w.TCPAck = frame.FlagRST|frame.FlagACK, p.Seq+1
	case t.Kind.IsError():
		w.QuoteTTL = p.TTL - uint8(t.Hop-1)
		w.Quoted = size
		if t.Quoting == Minimal {
			w.Quoted = min(size, choose(p.IsIPv6(), 28, 48))
		}
		if t.Quoting == Labeled {
			w.Quoted = min(size, 128)
			w.Label = fmt.Sprintf("%d ttl 1 bottom true", t.Label)
		}
	}
	return w
}

func gotReply(p *frame.Probe, data []byte, m *rx.Match) report {
	r := m.Reply
	g := report{
		Verdict: m.Verdict, From: r.From.String(), Kind: r.Kind, Code: r.Code, TTL: r.TTL,
		Checksum: r.Checksum, HeaderOK: p.IsIPv6() || frame.Fold(frame.Sum(data[14:34], 0)) == 0xffff,
		TCPFlags: r.Flags, TCPAck: r.Ack,
	}
	if r.Kind.IsError() {
		g.Quoted, g.QuoteTTL = r.Quote.Bytes, r.Quote.TTL
	}
	if r.Ext == nil {
		return g
	}
	if err := frame.Valid(r.Ext); err != nil || !r.ExtCompliant {
		g.Label = fmt.Sprintf("extension %x, compliant %v: %v", r.Ext, r.ExtCompliant, err)
		return g
	}
	for objects := frame.Objects(r.Ext); ; {
		o, ok := objects.Next()
		if !ok {
			return g
		}
		labels := frame.Labels(o.Data)
		for l, ok := labels.Next(); ok; l, ok = labels.Next() {
			g.Label += fmt.Sprintf("%d ttl %d bottom %v", l.Label, l.TTL, l.Bottom)
		}
	}
}
