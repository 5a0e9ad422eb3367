package survey

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"

	"github.com/hopquote/hopquote/cmd/internal/target"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/scheduler"
	strategy "github.com/hopquote/hopquote/scheduler/survey"
	"github.com/hopquote/hopquote/scheduler/survey/space"
)

// readTargets makes the space of targets. Host names that can't be looked up are
// left out, unless they are arguments: those may as well be files.
func readTargets(ctx context.Context, o *options, stdin io.Reader, n *hostNames) (*space.Space, error) {
	b := &space.Builder{}
	given, fit := false, false
	in := &target.Reader{Stdin: stdin, Lookup: n.lookup, LeaveOut: n.leaveOut, Add: func(first, last netip.Addr) error {
		given = true
		if o.ipv4 && first.Is6() || o.ipv6 && first.Is4() {
			return nil
		}
		fit = true
		return b.Add(first, last)
	}}
	for _, arg := range o.targets {
		if err := in.Argument(ctx, arg); err != nil {
			return nil, err
		}
	}
	out := &target.Reader{Add: b.Exclude}
	for _, arg := range o.exclude {
		if err := out.Argument(ctx, arg); err != nil {
			return nil, fmt.Errorf("--exclude: %w", err)
		}
	}
	if !o.reserved {
		b.ExcludeSpecial()
	}
	how := space.Sampling{Random: o.random, Key: o.seed}
	if o.prefix != nil {
		how.PerPrefix, how.Bits4, how.Bits6 = true, o.prefix[0], o.prefix[1]
	}
	s, err := b.Build(how)
	if err != nil {
		return nil, err
	}
	switch {
	case s.Len() > 0:
		return s, nil
	case !given && len(n.leftOut()) > 0:
		return nil, noneOf("no targets are left", n.leftOut())
	case !given:
		return nil, errors.New("no targets: there are none in what was given")
	case !fit:
		return nil, errors.New("no targets are left: -4 and -6 leave out the other family")
	case o.reserved:
		return nil, errors.New("no targets are left by --exclude")
	case len(o.exclude) > 0:
		return nil, errors.New("no targets are left by --exclude and without the special-purpose ranges, which --allow-reserved lets in")
	}
	return nil, errors.New("no targets are left: special-purpose ranges are not probed without --allow-reserved")
}

// surveyor is a strategy of any mode.
type surveyor interface {
	scheduler.Expirer
	Of(tag int) (strategy.Trace, int)
	Save(b []byte, aloft []int) []byte
	Restore(data []byte) error
	Probe(tag int) *frame.Probe
	Replay(*strategy.Event) error
	Replayed()
	// progress is how much there is to do, in probes or traces, and how much of
	// it is done.
	progress() (all, done uint64)
}

type (
	random   struct{ *strategy.Random }
	full     struct{ *strategy.Full }
	adaptive struct{ *strategy.Adaptive }
)

func (s random) progress() (all, done uint64)   { return s.Probes() }
func (s full) progress() (all, done uint64)     { return s.Probes() }
func (s adaptive) progress() (all, done uint64) { return s.Traces() }

// newSurveyor makes the strategy that the mode asks for.
func newSurveyor(mode string, cfg strategy.Config) (surveyor, error) {
	switch mode {
	case "random":
		s, err := strategy.NewRandom(cfg)
		return random{s}, err
	case "full":
		s, err := strategy.NewFull(cfg)
		return full{s}, err
	}
	s, err := strategy.NewAdaptive(cfg)
	return adaptive{s}, err
}

// gapLimit is how many silent TTLs in a row end a trace, 0 where none do.
func (o *options) gapLimit() int {
	if o.mode != "adaptive" {
		return 0
	}
	return o.gap
}

// config is what the options say to a strategy. Probes and callbacks are the
// caller's.
func (o *options) config(targets *space.Space) strategy.Config {
	return strategy.Config{
		Targets: targets, First: o.first, Max: o.max, Flows: o.flows, Attempts: o.attempts, GapLimit: o.gapLimit(), Start: o.start,
		Key: o.seed, Shard: o.shard, Shards: o.shards, Backoff: o.backoff,
	}
}
