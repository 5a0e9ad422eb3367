package survey

import (
	"net/netip"
	"testing"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/scheduler"
)

// Whoever asks is told of every reply that came before, though replies wait for
// others; and replies are passed on at once.
func TestLearnedInTime(t *testing.T) {
	for name, tells := range map[string]func(a *Adaptive) bool{
		"Known":      func(a *Adaptive) bool { return a.Known() == 1 },
		"KnownBytes": func(a *Adaptive) bool { return a.KnownBytes() > 0 },
		"Traces":     func(a *Adaptive) bool { _, finished := a.Traces(); return finished == 1 },
		"Done":       (*Adaptive).Done,
		"Save": func(a *Adaptive) bool {
			state := a.Save(nil, nil)
			again, err := NewAdaptive(a.Config)
			return err == nil && again.Restore(state) == nil && again.Done()
		},
	} {
		cfg := config(t, frame.UDP, list{netip.MustParseAddr("20.0.0.1")})
		cfg.Max = 1
		replies := 0
		cfg.Reply = func(*Reply) { replies++ }
		a, err := NewAdaptive(cfg)
		if err != nil {
			t.Fatal(err)
		}
		a.Plan(&scheduler.Pass{Room: 1})
		tag := makeTag(0, 0, 1)
		probe := a.Probe(tag)
		a.Sent(tag, probe, 1)
		a.Learn(&rx.Match{
			Verdict: rx.Exact, Tag: tag, RTT: 1, Origin: rx.Origin{Dst: probe.Dst, TTL: 1},
			Reply: &frame.Reply{Kind: frame.KindTimeExceeded, From: netip.MustParseAddr("100.64.0.1")},
		})
		if replies != 1 {
			t.Errorf("%d replies were passed on, want 1", replies)
		}
		if !tells(a) {
			t.Errorf("%s does not tell of the reply", name)
		}
	}
}
