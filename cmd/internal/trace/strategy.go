package trace

import (
	"github.com/hopquote/hopquote/cmd/internal/option"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/scheduler"
	"github.com/hopquote/hopquote/scheduler/hops"
	"github.com/hopquote/hopquote/scheduler/pmtu"
)

// strategy is what a run asks of the strategy that it runs.
type strategy interface {
	scheduler.Strategy
	Reached() bool // the destination answered
	Stopped() bool // an error ended the trace
	Records() []hops.Record
	Finish() // print what is known of a trace that ends early
}

// newStrategy makes the strategy that the options mean.
func newStrategy(o *option.Options, cfg hops.Config) (strategy, error) {
	var s strategy
	var err error
	switch {
	case o.PathMTU == option.MTUProbe:
		s, err = pmtu.NewSearch(cfg)
	case o.PathMTU == option.MTUTold && cfg.Probe.Method != frame.TCP && cfg.Probe.Method != frame.DCCP:
		// TCP and DCCP probes are as long as their header.
		s, err = pmtu.NewTold(cfg)
	default:
		s, err = hops.New(cfg)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}
