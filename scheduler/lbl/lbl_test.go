package lbl_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/scheduler"
	"github.com/hopquote/hopquote/scheduler/lbl"
	"github.com/hopquote/hopquote/scheduler/virtual"
)

const ms = time.Millisecond

var (
	us     = netip.MustParseAddr("10.9.9.1")
	target = netip.MustParseAddr("10.2.2.2")
	router = netip.MustParseAddr("10.1.1.1")
)

func TestNewRefuses(t *testing.T) {
	ok := lbl.Config{First: 1, Last: 30, Queries: 3}
	for want, change := range map[string]func(*lbl.Config){
		"last TTL 256: allowed are 1 to 255": func(c *lbl.Config) { c.Last = 256 },
		"last TTL 0: allowed are 1 to 255":   func(c *lbl.Config) { c.Last = 0 },
		"first TTL 31: allowed are 1 to 30":  func(c *lbl.Config) { c.First = 31 },
		"first TTL 0: allowed are 1 to 30":   func(c *lbl.Config) { c.First = 0 },
		"0 queries: at least 1 is needed":    func(c *lbl.Config) { c.Queries = 0 },
	} {
		cfg := ok
		change(&cfg)
		if _, err := lbl.New(cfg); err == nil || err.Error() != want {
			t.Errorf("New(%+v) gave %v, want %s", cfg, err, want)
		}
	}
}

// TestRandomPaths lets any path answer in any way: probes go one at a time,
// each is settled once and in order, and the trace ends by the rule.
func TestRandomPaths(t *testing.T) {
	kinds := []frame.Kind{
		frame.KindNone, frame.KindTimeExceeded, frame.KindTimeExceeded, frame.KindUnreachable, frame.KindParamProblem,
	}
	rapid.Check(t, func(rt *rapid.T) {
		var settled []lbl.Settled
		begun := 0
		cfg := lbl.Config{
			Last:    rapid.IntRange(1, 8).Draw(rt, "last"),
			Queries: rapid.IntRange(1, 4).Draw(rt, "queries"),
			Wait:    time.Second,
			Pause:   time.Duration(rapid.IntRange(0, 2).Draw(rt, "pause ms")) * ms,
			Probe:   frame.Probe{Method: frame.UDP, Src: us, Dst: target, Size: 40, Payload: frame.PayloadZero},
			Number:  lbl.Numbering{Ident: 0xfffe, Base: 33434},
			Begin:   func(int) { begun++ },
			Settle:  func(s lbl.Settled) { settled = append(settled, s) },
		}
		cfg.First = rapid.IntRange(1, cfg.Last).Draw(rt, "first")
		script := virtual.Script{TTL: map[int][]virtual.Step{}}
		for ttl := 1; ttl <= cfg.Last; ttl++ {
			for range cfg.Queries {
				script.TTL[ttl] = append(script.TTL[ttl], virtual.Step{
					Kind: rapid.SampledFrom(kinds).Draw(rt, "kind"), From: router,
					Code:  uint8(rapid.IntRange(0, 3).Draw(rt, "code")),
					After: time.Duration(rapid.IntRange(0, 1500).Draw(rt, "after ms")) * ms,
					Again: rapid.IntRange(0, 1).Draw(rt, "duplicates"),
				})
			}
		}
		l, err := lbl.New(cfg)
		if err != nil {
			rt.Fatal(err)
		}
		net := &virtual.Net{Respond: script.Respond}
		engine := scheduler.New(scheduler.Config{
			Strategy: l, Clock: net, Sender: net, Receiver: net, Identities: scheduler.Chosen{}, Window: 4,
		})
		if err := engine.Run(context.Background()); err != nil {
			rt.Fatal(err)
		}
		counts := engine.Counts()
		if len(net.Sent) != len(settled) || !counts.Balanced() {
			rt.Fatalf("%d probes sent, %d settled, counts %+v", len(net.Sent), len(settled), counts)
		}
		checkRun(rt, &cfg, settled, begun)
		for i, s := range net.Sent {
			if n := uint16(i + 1); s.Probe.ID != 0xfffe+n || s.Probe.DstPort != 33434+n {
				rt.Errorf("probe %d: ID %d, port %d", n, s.Probe.ID, s.Probe.DstPort)
			}
		}
	})
}

func checkRun(t *rapid.T, cfg *lbl.Config, settled []lbl.Settled, begun int) {
	arrivals, refusals := 0, 0
	for i, s := range settled {
		if s.TTL != cfg.First+i/cfg.Queries || s.Query != i%cfg.Queries || s.Last != (s.Query == cfg.Queries-1) {
			t.Fatalf("settled %d is %+v", i, s)
		}
		switch s.Outcome {
		case lbl.Arrived:
			arrivals++
		case lbl.Refused:
			refusals++
		}
		if !s.Last {
			continue
		}
		over := arrivals > 0 || refusals > 0 && refusals >= cfg.Queries-1 || s.TTL == cfg.Last
		if over != (i == len(settled)-1) {
			t.Fatalf("TTL %d of %d with %d arrivals and %d refusals ends the trace: %t, want %t",
				s.TTL, cfg.Last, arrivals, refusals, !over, over)
		}
		arrivals, refusals = 0, 0
	}
	if begun*cfg.Queries != len(settled) {
		t.Errorf("%d hops begun, %d probes settled", begun, len(settled))
	}
}
