package surveys

import (
	"context"

	"github.com/hopquote/hopquote/bench/measure"
)

// fewTargets is how many are too few to say what each of them takes: the
// process's buffers, which traffic fills, take far more.
const fewTargets = 1 << 16

type runFunc = func(context.Context) (measure.Sample, error)

// withMemory adds to a run what every interface that it found took in probes,
// and every target in memory: what the process has above one for a single
// target. That is run once.
func withMemory(run, single runFunc) runFunc {
	alone := 0.0 // MiB
	return func(ctx context.Context) (s measure.Sample, err error) {
		if s, err = run(ctx); err != nil || ctx.Err() != nil {
			return s, err
		}
		if n := s.Values["interfaces_found"]; n > 0 {
			s.Set("probes_per_interface", s.Values["probes"]/n)
		}
		targets := s.Values["targets"]
		if targets < fewTargets { // the bare loop has none
			return s, nil
		}
		if alone == 0 {
			base, err := single(ctx)
			if err != nil || ctx.Err() != nil {
				return s, err
			}
			s.Problems, s.Notes = append(s.Problems, base.Problems...), append(s.Notes, base.Notes...)
			alone = base.Values["peak_mib"]
		}
		s.Set("memory_per_target_bytes", (s.Values["peak_mib"]-alone)*(1<<20)/targets)
		return s, nil
	}
}
