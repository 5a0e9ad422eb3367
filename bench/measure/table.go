package measure

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// Figure is a column of a table: one thing that is measured of every case.
type Figure struct {
	Key    string // in Sample.Values and in JSON, its unit included: rate_pps
	Title  string // over the column
	Digits int    // behind the point, as tables show it
	Detail bool   // for JSON alone: tables would be too wide
	// Ratio, when set, makes this the figure of that key divided by the one that
	// the first case of the same Group had in the same round, if that was not left
	// out. Cases do not give it themselves.
	Ratio string
	// Against, when set, makes the ratio one to the case whose first label it is,
	// which must come before the others.
	Against string
}

// Sample is what one round of a case came to. A key without a value was not
// measured.
type Sample struct {
	Values map[string]float64
	// Problems are contradictions: counts that do not agree, programs that failed.
	// One of them makes the whole run a failed one.
	Problems []string
	// Notes are findings that the reader must know of and that are no failure, such
	// as a receiver that loses packets.
	Notes []string
}

// Set sets a value. What is no number, such as a rate over no time, is left out.
func (s *Sample) Set(key string, v float64) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return
	}
	if s.Values == nil {
		s.Values = make(map[string]float64)
	}
	s.Values[key] = v
}

// Problemf adds a problem.
func (s *Sample) Problemf(format string, args ...any) {
	s.Problems = append(s.Problems, fmt.Sprintf(format, args...))
}

// Notef adds a note.
func (s *Sample) Notef(format string, args ...any) {
	s.Notes = append(s.Notes, fmt.Sprintf(format, args...))
}

// Row is a case with all its rounds.
type Row struct {
	Labels  []string             // one for each of Table.Labels
	Command string               // that was run, if it was a program
	Skipped string               // why the case was not run; empty if it was
	Values  map[string][]float64 // by Figure.Key, in the order of the rounds
	// Problems and Notes are those of all rounds, each said once.
	Problems, Notes []string
}

// Table is the outcome of a suite.
type Table struct {
	Name, Title string
	Labels      []string // what tells the rows apart
	Figures     []Figure
	Rows        []Row
}

// Failed tells whether a row has a problem.
func (t *Table) Failed() bool {
	return slices.ContainsFunc(t.Rows, func(r Row) bool { return len(r.Problems) > 0 })
}

// Spread is how the rounds of one figure lie.
type Spread struct{ Median, Min, Max float64 }

// Spread gives that of a figure, and whether any round measured it.
func (r *Row) Spread(key string) (Spread, bool) {
	values := slices.Sorted(slices.Values(r.Values[key]))
	if len(values) == 0 {
		return Spread{}, false
	}
	return Spread{Median: quantile(0.5, values), Min: values[0], Max: values[len(values)-1]}, true
}

// Quantile gives the value below which the share p of the values lie, 0 when
// there are none. It sorts the values.
func Quantile(p float64, values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return quantile(p, values)
}

// quantile is for sorted values. The median of an even number of them is the
// mean of the two in the middle.
func quantile(p float64, values []float64) float64 {
	if n := len(values); p == 0.5 && n%2 == 0 {
		return stat.Mean(values[n/2-1:n/2+1], nil)
	}
	return stat.Quantile(p, stat.Empirical, values, nil)
}

// merge takes a round's sample into the row.
func (r *Row) merge(s *Sample) {
	for k, v := range s.Values {
		r.Values[k] = append(r.Values[k], v)
	}
	r.Problems = addNew(r.Problems, s.Problems)
	r.Notes = addNew(r.Notes, s.Notes)
}

func addNew(list, more []string) []string {
	for _, m := range more {
		if !slices.Contains(list, m) {
			list = append(list, m)
		}
	}
	return list
}
