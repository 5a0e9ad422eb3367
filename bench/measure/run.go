package measure

import (
	"context"
	"fmt"
	"slices"
)

// Case is one of the things that are compared.
type Case struct {
	Labels  []string
	Command string
	Skip    string // why it cannot be run; Run is then not needed
	// Group names the cases that a ratio is taken among.
	Group string
	// Run measures once. An error is a problem of the round, and the other cases
	// go on.
	Run func(context.Context) (Sample, error)
}

// Suite is a table to be.
type Suite struct {
	Name, Title string
	Labels      []string
	Figures     []Figure
	Cases       []Case
	// without are the groups whose first case was left out: there are no ratios to
	// it.
	without map[string]bool
}

// Only leaves out the cases whose first label is none of the names.
func (s *Suite) Only(names []string) {
	kept, begun, without := []Case{}, map[string]bool{}, map[string]bool{}
	for _, c := range s.Cases {
		first := c.Skip == "" && !begun[c.Group]
		begun[c.Group] = begun[c.Group] || first
		if slices.Contains(names, c.Labels[0]) {
			kept = append(kept, c)
		} else if first {
			without[c.Group] = true
		}
	}
	s.Cases, s.without = kept, without
}

// Progress is told what is about to be measured; nil where nobody looks.
type Progress func(text string)

// Run runs all cases rounds times, one after another in every round. When ctx
// ends it gives what was measured until then and ctx's error.
func (s *Suite) Run(ctx context.Context, rounds int, progress Progress) (Table, error) {
	t := Table{Name: s.Name, Title: s.Title, Labels: s.Labels, Figures: s.Figures}
	for _, c := range s.Cases {
		t.Rows = append(t.Rows, Row{Labels: c.Labels, Command: c.Command, Skipped: c.Skip, Values: make(map[string][]float64)})
	}
	for round := range rounds {
		bases := make(map[base]Sample)
		for i, c := range s.Cases {
			if c.Skip != "" {
				continue
			}
			if ctx.Err() != nil {
				return t, context.Cause(ctx)
			}
			if progress != nil {
				progress(fmt.Sprintf("%s %v, round %d of %d", s.Name, c.Labels, round+1, rounds))
			}
			sample, err := c.Run(ctx)
			if ctx.Err() != nil {
				return t, context.Cause(ctx) // a sample that was cut short would mislead
			}
			if err != nil {
				sample.Problems = append(sample.Problems, err.Error())
			}
			if _, ok := bases[base{group: c.Group}]; !ok && !s.without[c.Group] {
				bases[base{group: c.Group}] = sample
			}
			if len(c.Labels) > 0 {
				bases[base{c.Group, c.Labels[0]}] = sample
			}
			s.addRatios(&sample, c.Group, bases)
			t.Rows[i].merge(&sample)
		}
	}
	return t, nil
}

// base is what a ratio is to: the case of that name in the group, or the first
// without one.
type base struct{ group, name string }

func (s *Suite) addRatios(sample *Sample, group string, bases map[base]Sample) {
	for _, f := range s.Figures {
		if f.Ratio == "" {
			continue
		}
		v, measured := sample.Values[f.Ratio]
		b, hasBase := bases[base{group, f.Against}].Values[f.Ratio]
		if measured && hasBase {
			sample.Set(f.Key, v/b)
		}
	}
}
