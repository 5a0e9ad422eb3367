package survey

import (
	"fmt"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/cmd/internal/output/jsonl"
)

// reported is what a survey, or several together, report: answers by probe, how
// each trace stopped, and the interfaces.
type reported struct {
	Answers    map[string]string
	Stops      map[string]string
	Interfaces map[string]bool
}

// add takes in one survey, which shares no probe with those before, and no trace
// if it has any.
func (r *reported) add(t *testing.T, replies, traces string) {
	t.Helper()
	for _, row := range columns(t, replies) {
		p := row["target"] + " " + row["ttl"] + " " + row["flow"]
		if _, ok := r.Answers[p]; ok {
			t.Fatalf("%s was answered twice", p)
		}
		r.Answers[p] = row["responder"] + " " + row["kind"]
		r.Interfaces[row["responder"]] = true
	}
	if traces == "" {
		return
	}
	for _, trace := range objects[jsonl.Trace](t, traces) {
		k := fmt.Sprint(trace.Target, " ", trace.Flow)
		if _, ok := r.Stops[k]; ok {
			t.Fatalf("trace %s comes twice", k)
		}
		r.Stops[k] = trace.StopReason
	}
}

// TestShardsAreTheWhole has one survey and its shards look at the same world, of
// both families and two flows: together they report the same. The shards of an
// adaptive survey each learn the hops by themselves, and more of them.
func TestShardsAreTheWhole(t *testing.T) {
	world := internet.Config{Seed: 9, MinHops: 6, MaxHops: 14, Silent: 5, SilentHosts: 10, Unreachable: 5}
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			c, timeout := world, "1s"
			if mode == "adaptive" {
				timeout = "500ms" // it waits for many silent hops, one after the other
			} else {
				c.Diamonds, c.Loops = 30, 5 // which make it chance what an adaptive survey sees
			}
			n := open(t, c)
			dir := t.TempDir()
			run := func(into *reported, shard string) {
				args := []string{
					"--mode", mode, "--seed", "4", "--sport", "25000", "--flows", "2", "--rate", "20k", "-m", "20", "-w", timeout, "--overwrite",
					"-o", "replies:" + dir + "/replies", "-o", "jsonl:" + dir + "/traces", "20.1.0.0/26", "20.9.0.0/27", "2600:1::/122",
				}
				if shard != "" {
					args = append(args, "--shard", shard)
				}
				if r := survey(t, n, "", args...); r.code != 0 {
					t.Fatalf("shard %q: exit code %d: %s", shard, r.code, r.stderr)
				}
				if mode == "random" { // whose shards have parts of each trace
					into.add(t, dir+"/replies", "")
					return
				}
				into.add(t, dir+"/replies", dir+"/traces")
			}
			all := func() *reported { return &reported{map[string]string{}, map[string]string{}, map[string]bool{}} }
			whole, shards := all(), all()
			run(whole, "")
			for i := range 3 {
				run(shards, fmt.Sprintf("%d/3", i))
			}
			if len(whole.Answers) < 1000 || len(whole.Stops) != 2*160 && mode != "random" {
				t.Errorf("%d answers and %d traces", len(whole.Answers), len(whole.Stops))
			}
			if mode == "adaptive" {
				for p, from := range whole.Answers {
					if got, ok := shards.Answers[p]; ok && got != from {
						t.Errorf("%s: %s and %s", p, from, got)
					}
				}
				maps.DeleteFunc(shards.Answers, func(string, string) bool { return true })
				whole.Answers = shards.Answers
			}
			if diff := cmp.Diff(whole, shards); diff != "" {
				t.Errorf("(-whole +shards):\n%.2000s", diff)
			}
		})
	}
}
