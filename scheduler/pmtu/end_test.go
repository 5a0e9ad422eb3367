package pmtu_test

import (
	"errors"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/scheduler/hops"
	"github.com/hopquote/hopquote/scheduler/pmtu"
	"github.com/hopquote/hopquote/scheduler/virtual"
)

// A run that ends in the middle prints what is settled, with open probes as
// lost, and nothing twice.
func TestSearchFinish(t *testing.T) {
	tests := []struct {
		name string
		path path
		stop int // packets that leave
		want []string
	}{
		{"before anything", path{}, 0, nil},
		{"in a hop", path{}, 2, []string{" 1  10.1.1.1  X ms F=1500  X ms"}},
		{"between hops", path{}, 3, []string{" 1  10.1.1.1  X ms F=1500  X ms  X ms"}},
		{"in a search", path{links: []int{1500, 1400, 0}, silent: []int{1}}, 9,
			[]string{" 1  10.1.1.1  X ms F=1500  X ms  X ms", " 2  * * *"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.path.links == nil {
				tt.path.links = []int{1500, 0, 0}
			}
			left := tt.stop
			tt.path.fail = func(time.Duration) error {
				if left == 0 {
					return syscall.ENETDOWN
				}
				left--
				return nil
			}
			var lines []string
			got, err := run(tt.path, func(cfg hops.Config) (*pmtu.Search, error) {
				cfg.Settle = func(s hops.Settled) { lines = appendSettled(lines, s) }
				return pmtu.NewSearch(cfg)
			})
			if !errors.Is(err, syscall.ENETDOWN) {
				t.Fatalf("the run gave %v", err)
			}
			got.strategy.Finish()
			if diff := cmp.Diff(tt.want, lines); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
			got.strategy.Finish()
			if diff := cmp.Diff(tt.want, lines); diff != "" {
				t.Errorf("after a second Finish (-want +got):\n%s", diff)
			}
			if got.strategy.Reached() || got.strategy.Stopped() {
				t.Error("the trace claims to have come to an end")
			}
		})
	}
}

// An error other than too big ends the trace at its hop.
func TestSearchStopped(t *testing.T) {
	refusal := virtual.Script{Rest: []virtual.Step{
		{Kind: frame.KindUnreachable, Code: 13, From: netip.MustParseAddr("10.1.1.1"), After: ms},
	}}
	got, err := run(path{links: []int{1500}, answer: refusal.Respond}, pmtu.NewSearch)
	if err != nil {
		t.Fatal(err)
	}
	if !got.strategy.Stopped() || got.strategy.Reached() || len(got.lines) != 1 {
		t.Errorf("stopped %v, reached %v, lines %q", got.strategy.Stopped(), got.strategy.Reached(), got.lines)
	}
}

func TestNewSearchRefuses(t *testing.T) {
	if _, err := pmtu.NewSearch(hops.Config{First: 1, Last: 256, Queries: 3}); err == nil {
		t.Error("a last TTL of 256 is taken")
	}
}
