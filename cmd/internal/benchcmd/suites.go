package benchcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/hopquote/hopquote/bench/codec"
	"github.com/hopquote/hopquote/bench/ground"
	"github.com/hopquote/hopquote/bench/loop"
	"github.com/hopquote/hopquote/bench/measure"
	"github.com/hopquote/hopquote/bench/receive"
	"github.com/hopquote/hopquote/bench/report"
	"github.com/hopquote/hopquote/bench/surveys"
	"github.com/hopquote/hopquote/bench/traces"
	"github.com/hopquote/hopquote/bench/transmit"
	"github.com/hopquote/hopquote/bench/wire"
)

// bench is one run: all suites that were asked for.
type bench struct {
	ctx      context.Context
	options  *options
	report   *report.Report
	show     measure.Progress
	programs programs
	rows     []string // the first columns of all that there are
	planning bool     // nothing is built or measured: rows are to be known
}

// plan finds the programs, and what options name that is not there.
func plan(o *options) (*bench, error) {
	b := &bench{options: o}
	var err error
	if b.programs, err = findPrograms(o); err != nil {
		return nil, err
	}
	if o.hopquote != "" && b.programs.hasIt != nil {
		return nil, fmt.Errorf("--hopquote %q: %w", o.hopquote, b.programs.hasIt)
	}
	if o.plot != "" {
		if _, err := os.Stat(filepath.Dir(o.plot)); err != nil {
			return nil, fmt.Errorf("--plot %q: %w", o.plot, err)
		}
	}
	if len(o.only) == 0 {
		return b, nil
	}
	b.planning = true
	defer func() { b.planning = false }()
	for _, name := range o.suites {
		if err := b.suite(name); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	for _, name := range o.only {
		if !slices.Contains(b.rows, name) {
			return nil, fmt.Errorf("--only %q: there is no such row, only %q", name, b.rows)
		}
	}
	return b, nil
}

// measureAll measures all suites into the report.
func (b *bench) measureAll(ctx context.Context, r *report.Report, stderr io.Writer) (err error) {
	show, done := progress(stderr)
	defer done()
	b.ctx, b.report, b.show = ctx, r, show
	o := b.options
	p := profiles{cpu: o.cpuProfile, trace: o.trace}
	if slices.Contains(o.suites, "loop") {
		p = profiles{} // the bare loop writes them
	}
	if err := p.start(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	for _, name := range o.suites {
		if err := b.suite(name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (b *bench) suite(name string) error {
	switch name {
	case "frames":
		s, err := codec.Frames(b.options.sampleTime(name))
		if err != nil {
			return err
		}
		return b.run(s, b.options.rounds)
	case "decode":
		s, err := codec.Decode(b.options.sampleTime(name))
		if err != nil {
			return err
		}
		if err := b.run(s, b.options.rounds); err != nil {
			return err
		}
		return b.run(codec.Lookup(b.options.sampleTime(name)), b.options.rounds)
	case "tx":
		return b.onWire(func(p *wire.Pair) error {
			if !b.planning {
				if err := p.DropFar(); err != nil {
					return err
				}
			}
			return b.run(transmit.Suite(p, transmit.Kinds(), b.options.sampleTime(name)), b.options.rounds)
		})
	case "rx":
		return b.onWire(func(p *wire.Pair) error {
			receivers := receive.Receivers()
			if b.options.lossy {
				receivers = append(receivers, receive.Lossy())
			}
			rates := b.options.asked(50_000, 100_000, 200_000, 0)
			return b.run(receive.Suite(p, receivers, rates, b.options.sampleTime(name)), b.options.rounds)
		})
	case "loop":
		return b.onGround(ground.Config{}, func(g *ground.Ground) error {
			further := append(b.programs.engine(), b.programs.peers...)
			rates := b.options.asked(10_000, 200_000, 0)
			return b.run(loop.Suite(g, b.programs.bare(), further, rates, b.options.sampleTime(name)), b.options.rounds)
		})
	case "trace":
		return b.onGround(ground.Config{Inline: true}, func(g *ground.Ground) error {
			if err := b.run(traces.One(g, b.programs.hopquote), b.options.rounds*traces.Repeats); err != nil {
				return err
			}
			return b.run(traces.Many(g, b.options.traces, b.programs.tracers()), b.options.rounds)
		})
	case "survey":
		return b.surveys()
	}
	return b.onGround(ground.Config{}, func(g *ground.Ground) error {
		rates := b.options.asked(10_000, 50_000, 100_000, 200_000, 0)
		return b.run(b.programs.peersSuite(g, rates, b.options.sampleTime("peers")), b.options.rounds)
	})
}

// surveys measures those of an Internet where all answer, and of one where not
// even paths are certain.
func (b *bench) surveys() error {
	c := b.programs.surveys(b.options)
	smooth := ground.Config{Shared: b.options.shared, Wide: true}
	err := b.onGround(smooth, func(g *ground.Ground) error {
		return b.run(surveys.Suite(g, c), b.options.rounds, surveys.Split)
	})
	if err != nil {
		return err
	}
	rough := ground.Config{Shared: roughShared, Wide: true, Rough: true, Hops: roughHops}
	c.Targets.N = min(c.Targets.N, roughTargets)
	return b.onGround(rough, func(g *ground.Ground) error { return b.run(surveys.Rough(g, c), 1) })
}

// The rough Internet. What is found there does not depend on the round.
const (
	roughHops    = 24
	roughShared  = 2
	roughTargets = 4096
)

// run measures a suite and takes its table into the report, as far as it came,
// or what split makes of it.
func (b *bench) run(s measure.Suite, rounds int, split ...func(measure.Table) []measure.Table) error {
	if b.planning {
		for _, c := range s.Cases {
			if !slices.Contains(b.rows, c.Labels[0]) {
				b.rows = append(b.rows, c.Labels[0])
			}
		}
		return nil
	}
	if len(b.options.only) > 0 {
		s.Only(b.options.only)
	}
	if len(s.Cases) == 0 {
		return nil
	}
	t, err := s.Run(b.ctx, rounds, b.show)
	tables := []measure.Table{t}
	for _, f := range split {
		tables = f(t)
	}
	b.report.Tables = append(b.report.Tables, tables...)
	return err
}

func (b *bench) onWire(f func(*wire.Pair) error) (err error) {
	if b.planning {
		return f(&wire.Pair{})
	}
	p, err := wire.Open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	return f(p)
}

// onGround runs f on a simulated Internet, inline if so asked by the suite or
// the user.
func (b *bench) onGround(c ground.Config, f func(*ground.Ground) error) (err error) {
	c.Seed, c.Inline, c.UserSpace = b.options.seed, c.Inline || b.options.inline, b.options.userSpace
	if b.planning {
		return f(ground.Plan(c))
	}
	g, err := ground.Open(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.Close()) }()
	in := &report.Internet{Form: g.Form().String(), CPUs: g.CPUs, Backlog: g.Backlog}
	if reason := g.Reason(); reason != nil {
		in.Reason = reason.Error()
	}
	if g.WhyInline != nil {
		in.Inline = g.WhyInline.Error()
	}
	if b.report.Internet == nil || in.CPUs != 0 {
		b.report.Internet = in // that of trace is inline in any case
	}
	return f(g)
}
