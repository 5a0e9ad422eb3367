package surveys

import (
	"context"

	"github.com/hopquote/hopquote/bench/measure"
)

// fewTargets is how many are too few to say what each of them takes: the
// process's buffers, which traffic fills, take far more. Even the part of them
// that is compared with fills those.
const fewTargets = 1 << 18

// part is which part of the targets a run is compared with.
const part = 4

type runFunc = func(context.Context) (measure.Sample, error)

// withMemory adds to a run what every interface that it found took in probes,
// and every target in memory: what the process has above one for a quarter of
// the targets. That is run once.
func withMemory(run, quarter runFunc) runFunc {
	least := 0.0 // MiB
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
		if least == 0 {
			base, err := quarter(ctx)
			if err != nil || ctx.Err() != nil {
				return s, err
			}
			s.Problems, s.Notes = append(s.Problems, base.Problems...), append(s.Notes, base.Notes...)
			least = base.Values["peak_mib"]
		}
		s.Set("memory_per_target_bytes", (s.Values["peak_mib"]-least)*(1<<20)/(targets-targets/part))
		return s, nil
	}
}
