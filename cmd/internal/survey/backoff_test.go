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
			args := []string{"--mode", mode, "-m", "3", "--rate", "6k", "-w", "250ms", "--seed", "1", "-o", "replies:/dev/null", "20.0.0.0/20"}
			overload := 0.35
			if mode == "adaptive" {
				args = append(args, "-m", "8", "--rate", "4k") // half of them to the last router, or more
				overload = 0.55
			}
			// A machine that is busy with other things sends too slowly to ask for
			// too much, which is no one's fault.
			var before float64
			for range attempts {
				if before = answered(t, world, append(args, "--adaptive-rate=false")); before < overload {
					break
				}
			}
			after := answered(t, world, append(args, "--adaptive-rate"))
			if 1-after > 0.6*(1-before) {
				t.Errorf("routers did not answer %.3f of the probes without and %.3f with backing off, want far fewer", 1-before, 1-after)
			}
		})
	}
}

// attempts is how often a survey is given the machine to be fast.
const attempts = 5

// answered is the part of the probes to routers that they answered in a survey.
func answered(t *testing.T, world internet.Config, args []string) float64 {
	t.Helper()
	n := open(t, world)
	begun := time.Now()
	if r := survey(t, n, "", args...); r.code != 0 {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
	count := total(t, n)
	answers := count.Answered
	if args[1] == "adaptive" {
		answers -= 1 << 12 // by the targets, which have no limits
	}
	share := float64(answers) / float64(answers+count.Limited)
	t.Logf("%s: routers answered %.1f %% of the probes in %.1f s", args[len(args)-1], 100*share, time.Since(begun).Seconds())
	return share
}
