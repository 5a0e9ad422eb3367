// Package codec measures building and reading frames, beside gopacket and a Go
// map.
package codec

import (
	"context"
	"runtime"
	"time"

	"github.com/hopquote/hopquote/bench/measure"
)

// chunk is how many times a body runs between two looks at the clock.
const chunk = 4096

// Figures of every case here.
var figures = []measure.Figure{
	{Key: "time_ns", Title: "ns", Digits: 1},
	{Key: "allocations", Title: "allocs", Digits: 2},
	{Key: "allocated_bytes", Title: "bytes", Digits: 0},
}

// body does the thing to be measured n times.
type body func(n int)

// run measures a body for about d, as one round of a case.
func run(d time.Duration, b body) measure.Sample {
	b(chunk) // caches, branch predictors, lazy set-up
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	n := 0
	var took time.Duration
	for took < d || n == 0 {
		b(chunk)
		n += chunk
		took = time.Since(start)
	}
	runtime.ReadMemStats(&after)
	var s measure.Sample
	s.Set("time_ns", float64(took.Nanoseconds())/float64(n))
	s.Set("allocations", float64(after.Mallocs-before.Mallocs)/float64(n))
	s.Set("allocated_bytes", float64(after.TotalAlloc-before.TotalAlloc)/float64(n))
	return s
}

// newCase is a case whose check tells that the body does what it should; an
// error of it is the round's.
func newCase(labels []string, group string, d time.Duration, b body, check func() error) measure.Case {
	return measure.Case{Labels: labels, Group: group, Run: func(context.Context) (measure.Sample, error) {
		s := run(d, b)
		return s, check()
	}}
}
