// Package surveys measures whole surveys as processes: how fast each mode goes,
// what that costs, and what it finds of what there is, beside scamper and the
// bare loop.
package surveys

import (
	"context"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/hopquote/hopquote/bench/contest"
	"github.com/hopquote/hopquote/bench/ground"
	"github.com/hopquote/hopquote/bench/measure"
)

// Modes of hopquote survey, in the order of the rows.
var Modes = []string{"random", "full", "adaptive"}

// Kinds are the outputs that can be counted.
var Kinds = []string{"replies", "jsonl"}

// Config says what is measured.
type Config struct {
	Hopquote    string // command
	Missing     string // why it cannot be run; empty if it can
	Bare        contest.Contender
	Scamper     contest.Contender
	Targets     Set
	Rates       []float64 // probes/s; 0 is as fast as it goes
	Kind        string    // of the output
	Checkpoints bool      // every mode with --checkpoint too
	// PeerTime is about how long runs of scamper take: it gets as many of the
	// targets as fit.
	PeerTime time.Duration
}

// command is a survey. The wait for stragglers is short, but longer than the
// latest reply takes.
func (c *Config) command(mode string, more string) string {
	return c.Hopquote + " survey -i {interface} --rate {rate} --seed {seed} --mode " + mode +
		" --max-ttl {hops} --sport " + strconv.Itoa(sourcePort) + " --timeout 300ms --status none --metadata {output}" + MetadataSuffix +
		" -o " + c.Kind + ":{output}" + more + " {words}"
}

const checkpointSuffix = ".checkpoint"

// contenders are the rows of a rate.
func (c *Config) contenders(counter *counter) []contest.Contender {
	list := []contest.Contender{c.Bare, c.scamper(counter)}
	for _, mode := range Modes {
		k := contest.Contender{
			Name: "survey " + mode, Command: c.command(mode, ""), Missing: c.Missing, Paced: true, Top: "max", Strict: true,
			Count: counter.survey(c.Kind, mode != "adaptive"),
		}
		list = append(list, k)
		if c.Checkpoints {
			k.Name += ", checkpoints"
			k.Command = c.command(mode, " --checkpoint {output}"+checkpointSuffix)
			list = append(list, k)
		}
	}
	return list
}

func (c *Config) scamper(counter *counter) contest.Contender {
	k := c.Scamper
	k.Count = counter.scamper
	return k
}

var figures = []measure.Figure{
	{Key: "rate_pps", Title: "probes/s"},
	{Key: "ratio", Title: "to bare", Digits: 2, Ratio: "rate_pps"},
	{Key: "scamper_ratio", Title: "to scamper", Digits: 1, Ratio: "rate_pps", Against: scamperName},
	{Key: "complete_percent", Title: "written/sent to it %", Digits: 3},
	{Key: "cpu_s_per_million", Title: "CPU us/probe", Digits: 2},
	{Key: "cpu_ratio", Title: "CPU ratio", Digits: 2, Ratio: "cpu_s_per_million", Detail: true},
	{Key: "peak_mib", Title: "RSS MiB", Digits: 1},
	{Key: "memory_per_target_bytes", Title: "B/target", Digits: 0},
	{Key: "known_hops_per_target_bytes", Title: "of it stop set", Digits: 0},
	{Key: "wall_s", Title: "whole s", Digits: 2},
	{Key: "targets", Title: "targets"},
	{Key: "probes", Title: "probes"},
	{Key: "answered", Title: "answered", Detail: true},
	{Key: "records", Title: "written", Detail: true},
	{Key: "top_rate_pps", Title: "best 100 ms", Detail: true},
	{Key: "ring_drops", Title: "ring drops", Detail: true},
	{Key: "pace_error_percent", Title: "worst 1 s %", Digits: 2},
	{Key: "burst_ratio", Title: "worst 10 ms", Digits: 2},
}

// found are the figures of what came out.
var found = []measure.Figure{
	{Key: "probes_per_interface", Title: "probes/interface", Digits: 2},
	{Key: "interfaces_found", Title: "interfaces"},
	{Key: "interfaces_missed", Title: "missed"},
	{Key: "wrong", Title: "wrong"},
	{Key: "targets_reached", Title: "reached"},
	{Key: "targets_missed", Title: "missed"},
	{Key: "hops_found", Title: "hops", Detail: true},
	{Key: "hops_missed", Title: "hops missed", Detail: true},
}

// scamperName is the row that others are compared with.
const scamperName = "scamper"

// Suite is every mode at every rate, beside the bare loop and scamper, on ground
// where everybody answers.
func Suite(g *ground.Ground, c Config) measure.Suite {
	s := measure.Suite{
		Name: "survey", Title: "whole surveys of targets " + strconv.Itoa(g.Config.Hops) + " hops away, all of whom answer",
		Labels: []string{"prober", "asked"}, Figures: append(figures[:len(figures):len(figures)], found...),
	}
	counter := &counter{g, c.Targets}
	for _, rate := range c.Rates {
		for _, k := range c.contenders(counter) {
			s.Cases = append(s.Cases, newCase(g, &c, k, rate))
		}
	}
	return s
}

// Split makes two tables of that of Suite, which is too wide for one: what it
// took, and what was found.
func Split(t measure.Table) []measure.Table {
	what := measure.Table{
		Name: t.Name + "-found", Title: "what those surveys found of what there is, and what is not there (wrong)", Labels: t.Labels,
		Figures: t.Figures[len(figures):],
	}
	for _, r := range t.Rows {
		what.Rows = append(what.Rows, measure.Row{Labels: r.Labels, Skipped: r.Skipped, Values: r.Values})
	}
	t.Figures = t.Figures[:len(figures)]
	return []measure.Table{t, what}
}

// Rough is every mode beside scamper, as fast as it goes, on an Internet with
// all that makes paths hard to find.
func Rough(g *ground.Ground, c Config) measure.Suite {
	c.Checkpoints = false
	s := measure.Suite{
		Name:   "survey-rough",
		Title:  "surveys of an Internet with silent routers and targets, diamonds, loops, refusals, and replies that come twice or late",
		Labels: []string{"prober", "asked"}, Figures: append([]measure.Figure{
			{Key: "rate_pps", Title: "probes/s"},
			{Key: "complete_percent", Title: "written/sent to it %", Digits: 3},
			{Key: "wall_s", Title: "whole s", Digits: 2},
			{Key: "targets", Title: "targets"},
			{Key: "probes", Title: "probes"},
			{Key: "records", Title: "written"},
		}, found...),
	}
	for _, k := range c.contenders(&counter{g, c.Targets})[1:] {
		s.Cases = append(s.Cases, newCase(g, &c, k, 0))
	}
	return s
}

// slowest is the rate that time limits go by, in probes/s, where no rate is
// asked for.
const slowest = 20_000

// newCase is one contender at one rate.
func newCase(g *ground.Ground, c *Config, k contest.Contender, rate float64) measure.Case {
	asked := "max"
	if rate > 0 {
		asked = strconv.FormatFloat(rate, 'f', -1, 64)
	}
	job := contest.Job{Targets: c.Targets.N, Rate: rate, Paced: rate > 0 && k.Paced}
	if k.Cap > 0 {
		job.Targets = min(job.Targets, max(int(k.Cap*c.PeerTime.Seconds())/g.Config.Hops, 1))
	}
	plan := func(job contest.Job) measure.Case {
		per := slowest
		if rate > 0 {
			per = min(per, int(rate))
		}
		if k.Cap > 0 {
			per = min(per, int(k.Cap))
		}
		d := time.Duration(job.Targets*g.Config.Hops) * time.Second / time.Duration(per)
		job.Words = c.Targets.words(job.Targets)
		job.File = g.File("survey-targets")
		one := contest.Case(g, k, job, d)
		run := one.Run
		one.Run = func(ctx context.Context) (s measure.Sample, err error) {
			if strings.Contains(k.Command, "{targets}") {
				if err := c.Targets.write(job.File, job.Targets); err != nil {
					return s, err
				}
			}
			defer os.Remove(g.File("output") + checkpointSuffix)
			return run(ctx)
		}
		return one
	}
	whole := plan(job)
	half := job
	half.Targets, half.Paced = max(job.Targets/part, 1), false
	whole.Run = withMemory(whole.Run, plan(half).Run)
	whole.Labels, whole.Group = append(whole.Labels, asked), asked
	return whole
}
