package surveys

import (
	"context"

	"github.com/hopquote/hopquote/bench/measure"
)

// fewTargets is how many are too few to say what each of them takes: peaks of
// the same run differ by some MiB, which is several bytes for each of a million.
// The part of them that is compared with must fill the buffers of the process
// too, of which the largest has room for 2^20 probes. Mode adaptive sends the
// fewest, three for each target.
const fewTargets = 3_000_000

// part is which part of the targets a run is compared with.
const part = 2

type runFunc = func(context.Context) (measure.Sample, error)

// withMemory adds to a run what every interface that it found took in probes,
// and every target in memory: what the process has above one for half of the
// targets, and how much of that are the hops that mode adaptive knows. That is
// run once.
func withMemory(run, half runFunc) runFunc {
	var base measure.Sample
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
		if base.Values == nil {
			if base, err = half(ctx); err != nil || ctx.Err() != nil {
				return s, err
			}
			s.Problems, s.Notes = append(s.Problems, base.Problems...), append(s.Notes, base.Notes...)
		}
		each := func(key string) float64 { return (s.Values[key] - base.Values[key]) / (targets - targets/part) }
		s.Set("memory_per_target_bytes", each("peak_mib")*(1<<20))
		if s.Values["known_hops_bytes"] > 0 {
			s.Set("known_hops_per_target_bytes", each("known_hops_bytes"))
		}
		return s, nil
	}
}
