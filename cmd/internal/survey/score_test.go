package survey

import (
	"encoding/json"
	"iter"
	"maps"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/bench/simnet/internet/score"
	"github.com/hopquote/hopquote/cmd/internal/output/jsonl"
)

// TestScore has every mode look at an Internet with everything that makes
// surveys go wrong: nothing that it reports is. A mode that asks every TTL
// misses nothing that the flow of its target passes.
func TestScore(t *testing.T) {
	world := internet.Config{
		Seed: 6, MinHops: 6, MaxHops: 24, Silent: 10, SilentHosts: 10, Diamonds: 30, Loops: 10, Unreachable: 10,
		Duplicates: 10, Late: 5, LateBy: 20 * time.Millisecond,
	}
	for _, mode := range modes {
		for name := range names {
			if mode == "adaptive" && name != "udp" {
				continue // the others find their way in the same manner, and it takes long
			}
			t.Run(mode+"/"+name, func(t *testing.T) {
				timeout := "2s"
				if mode == "adaptive" {
					timeout = "150ms" // it waits for many silent hops, one after the other
				}
				n := open(t, world)
				file := t.TempDir() + "/traces"
				r := survey(t, n, "", "--mode", mode, "-M", name, "--rate", "max", "-w", timeout, "-o", "jsonl:"+file,
					"--per-prefix", "24,48", "20.1.0.0/17", "2600:1::/41")
				if r.code != 0 {
					t.Fatalf("exit code %d: %s", r.code, r.stderr)
				}
				traces := readTraces(t, file)
				if len(traces) != 256 {
					t.Errorf("%d targets, want 256", len(traces))
				}
				got := score.Score(score.Truth(world, maps.Keys(traces), score.View{}), results(traces))
				t.Log(&got)
				if got.Wrong() != 0 || got.Strangers != 0 || got.Interfaces.Found < 1000 || got.Targets.Found < 100 {
					t.Errorf("wrong, or little: %v", &got)
				}
				maps.DeleteFunc(traces, func(target netip.Addr, trace jsonl.Trace) bool {
					return target.Is6() || trace.SourcePort == nil // all of whose flow no trace tells
				})
				got = score.Score(score.Truth(world, maps.Keys(traces), viewOf(traces)), results(traces))
				if got.Wrong() != 0 || mode != "adaptive" && got.Interfaces.Missed+got.Hops.Missed+got.Targets.Missed != 0 {
					t.Errorf("in its flow: %v", &got)
				}
			})
		}
	}
}

func readTraces(t *testing.T, file string) map[netip.Addr]jsonl.Trace {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	traces := map[netip.Addr]jsonl.Trace{}
	for line := range strings.Lines(string(b)) {
		var trace jsonl.Trace
		if err := json.Unmarshal([]byte(line), &trace); err != nil {
			t.Fatal(err)
		}
		traces[trace.Target] = trace
	}
	return traces
}

// viewOf is what the flows of traces can see, by UDP and TCP over IPv4.
func viewOf(traces map[netip.Addr]jsonl.Trace) score.View {
	return score.View{Flow: func(target netip.Addr) internet.Flow {
		trace := traces[target]
		f := internet.Flow{Src: trace.Source, Protocol: 17, Head: uint32(*trace.SourcePort)<<16 | uint32(*trace.TargetPort)}
		if trace.Method == "tcp" {
			f.Protocol = 6
		}
		return f
	}}
}

func results(traces map[netip.Addr]jsonl.Trace) iter.Seq[score.Result] {
	return func(yield func(score.Result) bool) {
		for target, trace := range traces {
			for _, r := range trace.Replies {
				if !yield(score.Result{Target: target, TTL: int(r.TTL), From: r.Responder}) {
					return
				}
			}
		}
	}
}
