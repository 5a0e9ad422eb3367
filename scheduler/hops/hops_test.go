package hops_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/scheduler/hops"
	"github.com/hopquote/hopquote/scheduler/virtual"
)

func TestNewRefuses(t *testing.T) {
	ok := hops.Config{First: 1, Last: 30, Queries: 3}
	tests := []struct {
		change func(*hops.Config)
		want   string
	}{
		{func(c *hops.Config) { c.Last = 256 }, "last TTL 256: allowed are 1 to 255"},
		{func(c *hops.Config) { c.Last = 0 }, "last TTL 0: allowed are 1 to 255"},
		{func(c *hops.Config) { c.First = 31 }, "first TTL 31: allowed are 1 to 30"},
		{func(c *hops.Config) { c.First = 0 }, "first TTL 0: allowed are 1 to 30"},
		{func(c *hops.Config) { c.Queries = 11 }, "11 queries: allowed are 1 to 10"},
		{func(c *hops.Config) { c.Queries = 0 }, "0 queries: allowed are 1 to 10"},
	}
	for _, tt := range tests {
		cfg := ok
		tt.change(&cfg)
		if _, err := hops.New(cfg); err == nil || err.Error() != tt.want {
			t.Errorf("New(%+v) gave %v, want %s", cfg, err, tt.want)
		}
	}
}

// TestRandomPaths lets any path answer in any way: the trace always ends,
// prints every place once and in order, and ends behind the first final hop.
func TestRandomPaths(t *testing.T) {
	kinds := []frame.Kind{
		frame.KindNone, frame.KindTimeExceeded, frame.KindTimeExceeded, frame.KindUnreachable, frame.KindParamProblem,
	}
	rapid.Check(t, func(rt *rapid.T) {
		c := trace{
			window:  rapid.IntRange(1, 40).Draw(rt, "window"),
			queries: rapid.IntRange(1, 4).Draw(rt, "queries"),
			last:    rapid.IntRange(1, 12).Draw(rt, "last"),
			wait: &hops.Wait{
				Max:  time.Duration(rapid.IntRange(0, 300).Draw(rt, "max ms")) * ms,
				Here: float64(rapid.IntRange(0, 4).Draw(rt, "here")),
				Near: float64(rapid.IntRange(0, 10).Draw(rt, "near")),
			},
			script: virtual.Script{TTL: map[int][]virtual.Step{}},
		}
		for ttl := 1; ttl <= c.last; ttl++ {
			for range c.queries {
				c.script.TTL[ttl] = append(c.script.TTL[ttl], virtual.Step{
					Kind:  rapid.SampledFrom(kinds).Draw(rt, "kind"),
					Code:  uint8(rapid.IntRange(0, 3).Draw(rt, "code")),
					From:  r1,
					After: time.Duration(rapid.IntRange(0, 200).Draw(rt, "after ms")) * ms,
					TTL:   uint8(rapid.IntRange(55, 66).Draw(rt, "reply TTL")),
				})
			}
		}
		got := run(t, c)
		shown := 0
		for i, line := range got.lines {
			words := strings.Fields(line)
			if len(words) != 1+c.queries {
				rt.Fatalf("line %q of %d queries", line, c.queries)
			}
			if final := strings.Contains(line, "!"); final && i != len(got.lines)-1 {
				rt.Errorf("line %q is not the last of %q", line, got.lines)
			}
			for _, w := range words[1:] {
				if w != "*" {
					shown++
				}
			}
		}
		for _, r := range got.hops.Records() {
			if r.Sends != 1 {
				rt.Errorf("probe %d sent %d times", r.Tag, r.Sends)
			}
		}
		if answered := int(got.engine.Counts().Answered); shown > answered {
			rt.Errorf("%d answers printed, %d received", shown, answered)
		}
	})
}

func TestShownTTL(t *testing.T) {
	got := run(t, trace{queries: 1, last: 8, wait: &hops.Wait{Max: time.Second}, script: virtual.Script{
		TTL:  map[int][]virtual.Step{1: {te(r1, ms)}, 2: {}},
		Rest: []virtual.Step{unreachable(1, r1, ms)},
	}})
	var shown []int
	for _, r := range got.hops.Records() {
		shown = append(shown, r.ShownTTL)
	}
	if shown[2] != 2 || shown[0] != 0 || shown[3] != 0 {
		t.Errorf("shown TTLs %v; want 2 for the probe of TTL 3 only", shown)
	}
	if !got.hops.Stopped() || got.hops.Reached() {
		t.Errorf("stopped %v, reached %v; want true and false", got.hops.Stopped(), got.hops.Reached())
	}
}
