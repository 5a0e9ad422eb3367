package bare

import (
	"time"

	"github.com/hopquote/hopquote/bench/measure"
)

// kept bounds how many times are kept; of more, every second is, then every
// fourth, and so on.
const kept = 1 << 16

// spread keeps an even sample of times.
type spread struct {
	times [kept]time.Duration
	n     int
	skip  uint64 // one of so many is kept, a power of 2; 0 is 1
	seen  uint64
}

func (s *spread) add(d time.Duration) {
	s.skip = max(s.skip, 1)
	if s.seen++; s.seen&(s.skip-1) != 0 {
		return
	}
	if s.n == kept {
		for i := range kept / 2 {
			s.times[i] = s.times[2*i+1]
		}
		s.n, s.skip = kept/2, 2*s.skip
		if s.seen&(s.skip-1) != 0 {
			return
		}
	}
	s.times[s.n] = d
	s.n++
}

// middle gives the median and what 99 of 100 do not exceed, in nanoseconds.
func (s *spread) middle() (p50, p99 int64) {
	values := make([]float64, s.n)
	for i, d := range s.times[:s.n] {
		values[i] = float64(d)
	}
	return int64(measure.Quantile(0.5, values)), int64(measure.Quantile(0.99, values))
}
