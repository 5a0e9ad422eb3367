// Package contest runs probers against the same simulated Internet, in turns,
// and holds what they wrote against what they were answered.
package contest

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/hopquote/hopquote/bench/ground"
	"github.com/hopquote/hopquote/bench/simnet/internet"
)

// Contender is a prober.
type Contender struct {
	Name    string
	Command string // for a shell, with the placeholders of Placeholders
	Missing string // why it cannot be run; empty if it can
	// PerTarget is how many probes a target gets: 0 means the hops of its path.
	PerTarget int
	// Paced tells that it can be asked for a rate. Others run once, as fast as
	// they go.
	Paced bool
	// Top is what {rate} becomes for as fast as it goes; empty means 0.
	Top string
	// Cap is the rate that its runs are planned for at most, in probes/s, because
	// it is known not to be faster; 0 means MaxRate.
	Cap float64
	// Knock is for a prober that does not end on a quiet link.
	Knock bool
	// Power2 rounds the number of targets so that they fill a prefix.
	Power2 bool
	// Strict makes counts that disagree a failure. Of a foreign program they are
	// a finding.
	Strict bool
	// Count counts the replies that the run wrote down. Nil counts lines.
	Count func(Run) (Tally, error)
}

// MaxRate is what runs without a rate are planned for, in probes/s.
const MaxRate = 300_000

// Job is one run of a contender.
type Job struct {
	Targets int     // the first of the ground's, or those of File
	Rate    float64 // probes/s; 0: as fast as it goes
	File    string  // with the targets, one address a line; empty: the ground's
	Words   string  // what {words} stands for: how the targets are written otherwise
	// Paced has the probes' arrival times taken down, at some cost for whoever
	// answers them, and adds how evenly they came to the figures. It is for jobs
	// with a rate.
	Paced bool
}

// Run is a run that has ended.
type Run struct {
	Job    Job
	Result ground.Result
	Truth  ground.Truth
	Output string // file that {output} named
	Stdout string // file with the standard output
	// UsesOutput tells that the command has {output} in it.
	UsesOutput bool
}

// Tally is what a contender says about its own run.
type Tally struct {
	Records uint64 // replies written down
	Sent    *uint64
	Values  map[string]float64 // further figures
	// Problems are contradictions that were found in what it wrote.
	Problems []string
}

// Placeholders tells what may stand in a Command.
const Placeholders = "{targets} (a file, one address a line), {count}, {probes} (as many as that takes), {prefix} (holds all targets), {hops}, {interface}, " +
	"{source}, {gateway} (link address), {rate} (probes/s, 0 for no limit), {output} (a file for the results), {seed}"

// plan sizes a job for a rate and a time in seconds.
func (c *Contender) plan(rate, seconds float64, hops int) Job {
	expected := rate
	if top := c.Cap; rate == 0 || top > 0 && rate > top {
		if expected = top; top == 0 {
			expected = MaxRate
		}
	}
	per := c.PerTarget
	if per == 0 {
		per = hops
	}
	n := min(max(int(expected*seconds)/per, 1), ground.MaxTargets)
	if c.Power2 {
		power := 1
		for power*2 <= n {
			power *= 2
		}
		n = power
	}
	return Job{Targets: n, Rate: rate}
}

// expand fills in the placeholders of a job.
func (c *Contender) expand(g *ground.Ground, j Job, targets, output string) string {
	rate := strconv.FormatFloat(j.Rate, 'f', -1, 64)
	if j.Rate == 0 && c.Top != "" {
		rate = c.Top
	}
	return strings.NewReplacer(
		"{probes}", strconv.Itoa(j.Targets*g.Config.Hops),
		"{words}", j.Words, "{targets}", targets, "{count}", strconv.Itoa(j.Targets), "{prefix}", ground.Prefix(j.Targets).String(),
		"{hops}", strconv.Itoa(g.Config.Hops), "{interface}", internet.ProberLink, "{source}", ground.Source.String(),
		"{gateway}", g.Gateway.String(), "{gateway-dashes}", strings.ReplaceAll(g.Gateway.String(), ":", "-"),
		"{rate}", rate, "{output}", output, "{seed}", strconv.FormatUint(g.Config.Seed, 10),
	).Replace(c.Command)
}

// ParsePeer reads NAME=COMMAND, as users name a contender of their own.
func ParsePeer(text string) (Contender, error) {
	name, command, ok := strings.Cut(text, "=")
	name, command = strings.TrimSpace(name), strings.TrimSpace(command)
	if !ok || name == "" || command == "" {
		return Contender{}, fmt.Errorf("peer %q, want NAME=COMMAND", text)
	}
	return Contender{Name: name, Command: command, Paced: strings.Contains(command, "{rate}")}, nil
}
