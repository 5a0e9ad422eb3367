// Package traces measures how long traces take, from the start of the process
// to its end.
package traces

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/hopquote/hopquote/bench/contest"
	"github.com/hopquote/hopquote/bench/ground"
	"github.com/hopquote/hopquote/bench/measure"
)

// Repeats is how often a single trace is taken in every round: it is short.
const Repeats = 10

// probing is a way to ask for a trace, the same for both programs.
type probing struct {
	name    string
	options []string
	probes  int // for each hop
}

// By default an answer 3 ms behind its neighbour's would be late.
var probings = []probing{
	{"1 x 16", []string{"-n", "-w", "5", "-q", "1", "-N", "16"}, 1},
	{"3 x 16", []string{"-n", "-w", "5", "-N", "48"}, 3},
}

// One is the suite of a single trace: hopquote, a program's path, beside
// traceroute.
func One(g *ground.Ground, hopquote string) measure.Suite {
	s := measure.Suite{
		Name: "trace", Title: fmt.Sprintf("one trace over %d hops, process start included, each %d times a round", g.Config.Hops, Repeats),
		Labels: []string{"program", "probes"},
		Figures: []measure.Figure{
			{Key: "wall_ms", Title: "to the end ms", Digits: 2},
			{Key: "ratio", Title: "ratio", Digits: 2, Ratio: "wall_ms"},
			{Key: "output_ms", Title: "to the last output ms", Digits: 2},
			{Key: "cpu_ms", Title: "CPU ms", Digits: 2},
			{Key: "answered", Title: "answered"},
			{Key: "records", Title: "printed"},
		},
	}
	missing := ""
	if _, err := exec.LookPath("traceroute"); err != nil {
		missing = "not installed: apt-get install traceroute"
	}
	for _, p := range probings {
		for _, program := range []struct {
			name, skip string
			args       []string
		}{{"traceroute", missing, []string{"traceroute"}}, {"hopquote trace", "", []string{hopquote, "trace"}}} {
			args := append(append(program.args, p.options...), ground.Target(0).String())
			s.Cases = append(s.Cases, measure.Case{
				Labels: []string{program.name, p.name}, Group: p.name, Skip: program.skip, Command: strings.Join(args, " "),
				Run: func(ctx context.Context) (measure.Sample, error) { return one(ctx, g, args, p) },
			})
		}
	}
	return s
}

// oneLimit bounds a trace, which takes milliseconds.
const oneLimit = 20 * time.Second

func one(ctx context.Context, g *ground.Ground, args []string, p probing) (s measure.Sample, err error) {
	before, err := g.Counters()
	if err != nil {
		return s, err
	}
	out := g.File("stdout")
	r, err := g.Run(ctx, ground.Program{Args: args, Stdout: out, Limit: oneLimit})
	if err != nil {
		return s, err
	}
	after, err := g.Counters()
	if err != nil {
		return s, err
	}
	text, err := os.ReadFile(out)
	if err != nil {
		return s, err
	}
	printed := strings.Count(string(text), " ms")
	a, b := after.Total(), before.Total()
	s.Set("wall_ms", milliseconds(r.Wall))
	s.Set("output_ms", milliseconds(r.Output))
	s.Set("cpu_ms", milliseconds(r.CPU))
	s.Set("answered", float64(a.Answered-b.Answered))
	s.Set("records", float64(printed))
	if r.Code != 0 {
		s.Problemf("exit status %d: %s", r.Code, r.Stderr)
	}
	if want := p.probes * g.Config.Hops; printed != want {
		s.Problemf("it printed %d replies, want %d", printed, want)
	}
	return s, nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }

// perTrace is what a trace of many may take, as far as time limits go.
const perTrace = 25 * time.Millisecond

// Many is the suite of n traces to n destinations, one after another or however
// a program does it. The first contender is what the others are compared with.
func Many(g *ground.Ground, n int, contenders []contest.Contender) measure.Suite {
	s := measure.Suite{
		Name: "traces", Title: fmt.Sprintf("%d traces of %d hops to as many destinations, process start included", n, g.Config.Hops),
		Labels: []string{"prober"},
		Figures: []measure.Figure{
			{Key: "wall_s", Title: "to the end s", Digits: 2},
			{Key: "ratio", Title: "ratio", Digits: 2, Ratio: "wall_s"},
			{Key: "complete_percent", Title: "written/answered %", Digits: 3},
			{Key: "cpu_s_per_million", Title: "CPU s/M probes", Digits: 2},
			{Key: "peak_mib", Title: "RSS MiB", Digits: 1},
			{Key: "probes", Title: "probes"},
			{Key: "answered", Title: "answered"},
			{Key: "records", Title: "written"},
		},
	}
	for _, k := range contenders {
		s.Cases = append(s.Cases, contest.Case(g, k, contest.Job{Targets: n}, time.Duration(n)*perTrace))
	}
	return s
}
