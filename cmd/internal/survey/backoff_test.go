package survey

import (
	"testing"
	"time"

	"github.com/hopquote/hopquote/bench/simnet/internet"
)

// TestAdaptiveRate has every mode ask routers for four times as many errors as
// they send, with and without backing off. The Internet counts what it answers.
func TestAdaptiveRate(t *testing.T) {
	world := internet.Config{
		Seed: 5, MinHops: 8, MaxHops: 8, Shared: 7, Limited: 100, LimitEvery: 2 * time.Millisecond, LimitBurst: 10,
	}
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel() // it takes its time, and little of the machine's
			var share, took [2]float64
			for i, extra := range []string{"--adaptive-rate=false", "--adaptive-rate"} {
				n := open(t, world)
				args := []string{"--mode", mode, "-m", "3", "--rate", "6k", "-w", "250ms", "--seed", "1", "-o", "replies:/dev/null", extra, "20.0.0.0/20"}
				if mode == "adaptive" {
					args = append(args, "-m", "8", "--rate", "4k") // half of them to the last router, or more
				}
				begun := time.Now()
				if r := survey(t, n, "", args...); r.code != 0 {
					t.Fatalf("exit code %d: %s", r.code, r.stderr)
				}
				took[i] = time.Since(begun).Seconds()
				c, err := n.Counters()
				if err != nil {
					t.Fatal(err)
				}
				total := c.Total()
				answered := total.Answered
				if mode == "adaptive" {
					answered -= 1 << 12 // by the targets, which have no limits
				}
				share[i] = float64(answered) / float64(answered+total.Limited)
			}
			t.Logf("routers answered %.1f %% of the probes in %.1f s without, %.1f %% in %.1f s with backing off",
				100*share[0], took[0], 100*share[1], took[1])
			if 1-share[1] > 0.6*(1-share[0]) {
				t.Errorf("routers did not answer %.3f of the probes without and %.3f with backing off, want far fewer", 1-share[0], 1-share[1])
			}
		})
	}
}
