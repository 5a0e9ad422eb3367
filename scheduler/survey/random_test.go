package survey

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/scheduler/virtual"
)

// point is one probe of a survey.
type point struct {
	Dst  netip.Addr
	TTL  uint8
	Flow int
}

// answers collects the replies, and holds each against the truth.
type answers struct {
	t     testing.TB
	truth internet.Config
	by    frame.Method
	list  Targets
	first map[point]netip.Addr // responders of first answers
	more  map[rx.Verdict]int
}

func newAnswers(t testing.TB, truth internet.Config, cfg *Config) *answers {
	a := &answers{t: t, truth: truth, by: cfg.Probe4.Method, list: cfg.Targets, first: map[point]netip.Addr{}, more: map[rx.Verdict]int{}}
	cfg.Reply = a.take
	return a
}

func (a *answers) take(r *Reply) {
	want := a.truth.Answer(r.Addr, int(r.TTL), a.by)
	if r.Addr != a.list.At(r.Target) || want.Silent || want.From != r.Match.Reply.From || want.Kind != r.Match.Reply.Kind {
		a.t.Fatalf("wrong: %s is said to answer %s, TTL %d, with %d; the truth is %+v", r.Match.Reply.From, r.Addr, r.TTL, r.Match.Reply.Kind, want)
	}
	if r.Match.RTT != time.Duration(want.Hop)*time.Millisecond {
		a.t.Fatalf("RTT %s from hop %d", r.Match.RTT, want.Hop)
	}
	if r.Match.Verdict != rx.Exact {
		a.more[r.Match.Verdict]++
		return
	}
	p := point{r.Addr, r.TTL, r.Flow}
	if _, ok := a.first[p]; ok {
		a.t.Fatalf("%v answered a second time for the first time", p)
	}
	a.first[p] = r.Match.Reply.From
}

// flowOf gives the flow that a probe is of: of ICMP, by the checksum on the wire.
func flowOf(s *virtual.Sent) int {
	if s.Probe.Method == frame.ICMP {
		return int(checksum(s)) - 0x4d00
	}
	return int(s.Probe.SrcPort) - 40000
}

// checksum is that of an ICMP probe.
func checksum(s *virtual.Sent) uint16 {
	at := 20
	if s.Probe.IsIPv6() {
		at = 40
	}
	return binary.BigEndian.Uint16(s.Frame[at+2:])
}

// sentPoints counts what was sent.
func sentPoints(sent []virtual.Sent) map[point]int {
	n := map[point]int{}
	for i := range sent {
		p := &sent[i].Probe
		n[point{p.Dst, p.TTL, flowOf(&sent[i])}]++
	}
	return n
}

var methods = []frame.Method{frame.UDP, frame.ICMP, frame.TCP}

// Every target, TTL and flow is probed once, and what answers is found: no less,
// and nothing wrong.
func TestRandom(t *testing.T) {
	for _, m := range methods {
		t.Run(m.String(), func(t *testing.T) {
			w := &world{truth: internet.Config{Seed: 3, MinHops: 6, Silent: 10, SilentHosts: 20}, again: true}
			cfg := config(t, m, addrs(60))
			cfg.Flows = 3
			got := newAnswers(t, w.truth, &cfg)
			s, err := NewRandom(cfg)
			if err != nil {
				t.Fatal(err)
			}
			counts := w.run(t, s, 0)
			n := sentPoints(w.net.Sent)
			if len(n) != 60*3*32 || len(w.net.Sent) != len(n) {
				t.Fatalf("%d probes to %d points, want %d to as many", len(w.net.Sent), len(n), 60*3*32)
			}
			answered := 0
			for p := range n {
				if !w.truth.Answer(p.Dst, int(p.TTL), m).Silent {
					answered++
				}
			}
			if len(got.first) != answered || counts.Matched != uint64(answered) || got.more[rx.Duplicate] != answered {
				t.Errorf("%d answers and %d duplicates of %d", len(got.first), got.more[rx.Duplicate], answered)
			}
		})
	}
}

// The probes of a target's flow have the same addresses, ports, flow label and
// ICMP checksum.
func TestFlowsAreConstant(t *testing.T) {
	for _, m := range methods {
		w := &world{truth: internet.Config{Seed: 3}}
		cfg := config(t, m, addrs(30))
		cfg.Flows = 2
		s, err := NewRandom(cfg)
		if err != nil {
			t.Fatal(err)
		}
		w.run(t, s, 0)
		type flow struct {
			Dst          netip.Addr
			Src, Port, N uint16
			Label        uint32
		}
		flows := map[[2]any]flow{}
		for i := range w.net.Sent {
			p := &w.net.Sent[i].Probe
			f := flow{p.Dst, p.SrcPort, p.DstPort, 0, p.Label}
			if m == frame.ICMP {
				f.N = checksum(&w.net.Sent[i])
			}
			key := [2]any{p.Dst, flowOf(&w.net.Sent[i])}
			if old, ok := flows[key]; ok && old != f {
				t.Fatalf("%s: %+v and %+v in one flow", m, old, f)
			}
			flows[key] = f
		}
		if len(flows) != 60 {
			t.Errorf("%s: %d flows, want 60", m, len(flows))
		}
	}
}

// The shards together send what the whole does, and no probe twice.
func TestShards(t *testing.T) {
	for _, mode := range []string{"random", "full"} {
		t.Run(mode, func(t *testing.T) {
			sum := map[point]int{}
			const shards = 7
			for i := range uint64(shards) {
				w := &world{truth: internet.Config{Seed: 3}}
				cfg := config(t, frame.UDP, addrs(50))
				cfg.Shard, cfg.Shards = i, shards
				s, all, err := newMode(mode, cfg)
				if err != nil {
					t.Fatal(err)
				}
				w.run(t, s, 0)
				if n := all(); n != uint64(len(w.net.Sent)) {
					t.Errorf("shard %d: %d probes announced, %d sent", i, n, len(w.net.Sent))
				}
				for p, n := range sentPoints(w.net.Sent) {
					sum[p] += n
				}
			}
			if len(sum) != 50*32 {
				t.Errorf("%d points, want %d", len(sum), 50*32)
			}
			for p, n := range sum {
				if n != 1 {
					t.Fatalf("%v was probed %d times", p, n)
				}
			}
		})
	}
}

// The same key gives the same probes, another one another order.
func TestRepeats(t *testing.T) {
	for _, mode := range []string{"random", "full", "adaptive"} {
		order := func(key uint64) []point {
			w := &world{truth: internet.Config{Seed: 3, Silent: 5}}
			cfg := config(t, frame.UDP, addrs(40))
			cfg.Key, cfg.GapLimit = key, 5
			s, _, err := newMode(mode, cfg)
			if err != nil {
				t.Fatal(err)
			}
			w.run(t, s, 1000)
			var l []point
			for i := range w.net.Sent {
				p := &w.net.Sent[i].Probe
				l = append(l, point{p.Dst, p.TTL, 0})
			}
			return l
		}
		same := func(a, b []point) bool { return fmt.Sprint(a) == fmt.Sprint(b) }
		if first := order(1); !same(first, order(1)) || same(first, order(2)) {
			t.Errorf("%s: the key does not decide the order", mode)
		}
	}
}

func TestRefused(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"TTL 0":                 func(c *Config) { c.First = 0 },
		"TTLs the wrong way":    func(c *Config) { c.First, c.Max = 9, 8 },
		"too many flows":        func(c *Config) { c.Flows = MaxFlows + 1 },
		"negative flows":        func(c *Config) { c.Flows = -1 },
		"too many attempts":     func(c *Config) { c.Attempts = MaxAttempts + 1 },
		"no such shard":         func(c *Config) { c.Shard, c.Shards = 3, 3 },
		"more than 2^48 probes": func(c *Config) { c.Targets, c.Flows = many(1<<40), MaxFlows },
	} {
		cfg := config(t, frame.UDP, addrs(3))
		change(&cfg)
		for _, mode := range []string{"random", "full", "adaptive"} {
			if _, _, err := newMode(mode, cfg); err == nil {
				t.Errorf("%s, %s: no error", mode, name)
			}
		}
	}
}

// many is that many targets, none of which is looked at.
type many uint64

func (m many) Len() uint64        { return uint64(m) }
func (many) At(uint64) netip.Addr { return netip.Addr{} }

// A survey without targets is done at once.
func TestNoTargets(t *testing.T) {
	for _, mode := range []string{"random", "full", "adaptive"} {
		w := &world{}
		s, _, err := newMode(mode, config(t, frame.UDP, list{}))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(rx.Counts{}, w.run(t, s, 0)); diff != "" {
			t.Errorf("%s: %s", mode, diff)
		}
	}
}
