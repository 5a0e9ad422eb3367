package contest

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hopquote/hopquote/bench/ground"
	"github.com/hopquote/hopquote/bench/measure"
)

// Config is what a contest is about.
type Config struct {
	Name, Title string
	Contenders  []Contender
	Rates       []float64 // asked of those that are Paced, probes/s; 0 is as fast as they go
	Time        time.Duration
	Figures     []measure.Figure // of contenders' own, behind the usual ones
}

// Figures of every contest.
var figures = []measure.Figure{
	{Key: "rate_pps", Title: "probes/s"},
	{Key: "ratio", Title: "ratio", Digits: 2, Ratio: "rate_pps"},
	{Key: "top_rate_pps", Title: "best 100 ms", Detail: true},
	{Key: "complete_percent", Title: "written/answered %", Digits: 3},
	{Key: "cpu_s_per_million", Title: "CPU s/M probes", Digits: 2},
	{Key: "cpu_ratio", Title: "CPU ratio", Digits: 2, Ratio: "cpu_s_per_million"},
	{Key: "peak_mib", Title: "RSS MiB", Digits: 1},
	{Key: "probes", Title: "probes", Detail: true},
	{Key: "answered", Title: "answered"},
	{Key: "records", Title: "written"},
	{Key: "wall_s", Title: "wall s", Digits: 2, Detail: true},
}

// Suite is the contest as a table: every contender at every rate.
func Suite(g *ground.Ground, c Config) measure.Suite {
	s := measure.Suite{
		Name: c.Name, Title: c.Title, Labels: []string{"prober", "asked"},
		Figures: append(figures[:len(figures):len(figures)], c.Figures...),
	}
	// Those that take no rate run once, among those that go as fast as they can.
	free := len(c.Rates) - 1
	if i := slices.Index(c.Rates, 0); i >= 0 {
		free = i
	}
	for i, rate := range c.Rates {
		for _, k := range c.Contenders {
			switch {
			case k.Paced:
				s.Cases = append(s.Cases, newCase(g, k, rate, c.Time))
			case i == free:
				s.Cases = append(s.Cases, newCase(g, k, 0, c.Time))
			}
		}
	}
	return s
}

func newCase(g *ground.Ground, k Contender, rate float64, d time.Duration) measure.Case {
	asked := "max"
	if rate > 0 {
		asked = strconv.FormatFloat(rate, 'f', -1, 64)
	}
	c := Case(g, k, k.plan(rate, d.Seconds(), g.Config.Hops), d)
	c.Labels, c.Group = append(c.Labels, asked), asked
	return c
}

// Case is one contender with one job, that should take d.
func Case(g *ground.Ground, k Contender, j Job, d time.Duration) measure.Case {
	return measure.Case{
		Labels: []string{k.Name}, Skip: k.Missing, Command: k.Command,
		Run: func(ctx context.Context) (measure.Sample, error) { return once(ctx, g, k, j, d) },
	}
}

// limit is how long a run that should take d may take.
func limit(d time.Duration) time.Duration { return 4*d + 12*time.Second }

// once runs a contender once.
func once(ctx context.Context, g *ground.Ground, k Contender, j Job, d time.Duration) (s measure.Sample, err error) {
	targets := j.File
	if targets == "" {
		if targets, err = g.WriteTargets(j.Targets); err != nil {
			return s, err
		}
	}
	r := Run{Job: j, Output: g.File("output"), Stdout: g.File("stdout"), UsesOutput: strings.Contains(k.Command, "{output}")}
	defer os.Remove(r.Stdout)
	defer os.RemoveAll(r.Output)
	os.RemoveAll(r.Output) // some programs add to what they find
	run := func() (err error) {
		r.Result, err = g.Run(ctx, ground.Program{
			Command: k.expand(g, j, targets, r.Output), Stdout: r.Stdout, Limit: limit(d), Memory: true, Knock: k.Knock,
		})
		return err
	}
	var arrivals ground.Arrivals
	if j.Paced {
		once := run
		run = func() (err error) { arrivals, err = g.Watch(once); return err }
	}
	r.Truth, err = g.Observe(run)
	if err != nil || ctx.Err() != nil {
		return s, err
	}
	count := k.Count
	if count == nil {
		count = Lines
	}
	tally, err := count(r)
	if err != nil {
		err = fmt.Errorf("read what it wrote: %w", err)
		if r.Result.Code != 0 {
			err = nil // judge says why
		}
	}
	fill(&s, &r, &r.Truth, &tally)
	if j.Paced {
		fillPacing(&s, &arrivals, j.Rate)
	}
	judge(&s, &k, &r, &r.Truth, &tally)
	return s, err
}

// fill sets the figures.
func fill(s *measure.Sample, r *Run, truth *ground.Truth, tally *Tally) {
	millions := float64(truth.Asked) / 1e6
	s.Set("rate_pps", truth.Rate)
	s.Set("top_rate_pps", truth.TopRate)
	s.Set("probes", float64(truth.Asked))
	s.Set("answered", float64(truth.Answered))
	s.Set("records", float64(tally.Records))
	s.Set("complete_percent", 100*float64(tally.Records)/float64(truth.Replies()))
	s.Set("cpu_s_per_million", r.Result.CPU.Seconds()/millions)
	if r.Result.Peak > 0 {
		s.Set("peak_mib", float64(r.Result.Peak)/(1<<20))
	}
	s.Set("wall_s", r.Result.Wall.Seconds())
	for key, v := range tally.Values {
		s.Set(key, v)
	}
}

// judge holds the counts against each other.
func judge(s *measure.Sample, k *Contender, r *Run, truth *ground.Truth, tally *Tally) {
	say := s.Notef
	if k.Strict {
		say = s.Problemf
	}
	switch {
	case r.Result.TimedOut:
		say("ended at its time limit")
	case r.Result.Code != 0:
		say("exit status %d: %s", r.Result.Code, r.Result.Stderr)
	}
	if lost := truth.Lost(); lost > 0 {
		say("%d of %d frames never reached the simulated Internet: a queue on the way was full", lost, truth.Left)
	}
	if seen := truth.Asked + truth.Other; seen > truth.Left {
		say("the simulated Internet saw %d frames, the interface sent %d", seen, truth.Left)
	}
	if n := truth.Unanswered(); n > 0 {
		say("%d of %d probes were not answered, %d because the kernel did not take the reply", n, truth.Asked, truth.Failed)
	}
	if tally.Records > truth.Replies() {
		say("it wrote %d replies, and was sent %d", tally.Records, truth.Replies())
	}
	if tally.Sent != nil && *tally.Sent != truth.Asked {
		say("it tells of %d probes, the simulated Internet counted %d", *tally.Sent, truth.Asked)
	}
	for _, p := range tally.Problems {
		say("%s", p)
	}
	if truth.Asked == 0 {
		say("it sent nothing")
	}
}

// fillPacing sets the figures of how evenly probes came at an asked rate.
func fillPacing(s *measure.Sample, a *ground.Arrivals, rate float64) {
	if a.Lost > 0 {
		s.Notef("%d probes' arrival times were lost: nothing is said of the pacing", a.Lost)
		return
	}
	if p, ok := a.Pace(time.Second); ok {
		s.Set("pace_error_percent", 100*max(p.Most/rate-1, 1-p.Least/rate))
	}
	if p, ok := a.Pace(burst); ok {
		s.Set("burst_ratio", p.Most/rate)
	}
}

// burst is how long nobody may get more than a share of the asked rate.
const burst = 10 * time.Millisecond
