package measure

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The rounds of all cases are interleaved, and ratios are to the first case of
// the group in the same round.
func TestRun(t *testing.T) {
	var order []string
	rates := map[string][]float64{"a": {100, 200, 300}, "b": {50, 50, 600}}
	turn := map[string]int{}
	run := func(name string) func(context.Context) (Sample, error) {
		return func(context.Context) (Sample, error) {
			order = append(order, name)
			var s Sample
			s.Set("rate_pps", rates[name][turn[name]])
			turn[name]++
			s.Notef("a note")
			if name == "b" && turn[name] == 2 {
				return s, errors.New("it broke")
			}
			return s, nil
		}
	}
	suite := Suite{
		Name: "test", Labels: []string{"case"},
		Figures: []Figure{{Key: "rate_pps"}, {Key: "ratio", Ratio: "rate_pps"}, {Key: "to_b", Ratio: "rate_pps", Against: "b"}},
		Cases: []Case{
			{Labels: []string{"away"}, Skip: "not installed"},
			{Labels: []string{"a"}, Run: run("a")},
			{Labels: []string{"b"}, Run: run("b")},
		},
	}
	var told []string
	table, err := suite.Run(t.Context(), 3, func(s string) { told = append(told, s) })
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(order, ""); got != "ababab" {
		t.Errorf("order %q, want ababab", got)
	}
	if told[1] != "test [b], round 1 of 3" || len(told) != 6 {
		t.Errorf("told %q", told)
	}
	want := []Row{
		{Labels: []string{"away"}, Skipped: "not installed", Values: map[string][]float64{}},
		{Labels: []string{"a"}, Values: map[string][]float64{"rate_pps": {100, 200, 300}, "ratio": {1, 1, 1}}, Notes: []string{"a note"}},
		{
			Labels: []string{"b"}, Values: map[string][]float64{"rate_pps": {50, 50, 600}, "ratio": {0.5, 0.25, 2}, "to_b": {1, 1, 1}},
			Notes: []string{"a note"}, Problems: []string{"it broke"},
		},
	}
	if diff := cmp.Diff(want, table.Rows); diff != "" {
		t.Error(diff)
	}
	if !table.Failed() {
		t.Error("a table with a problem has not failed")
	}
	spread, ok := table.Rows[2].Spread("rate_pps")
	if want := (Spread{Median: 50, Min: 50, Max: 600}); spread != want || !ok {
		t.Errorf("spread %v, want %v", spread, want)
	}
	if _, ok := table.Rows[0].Spread("rate_pps"); ok {
		t.Error("a case that was not run has a spread")
	}
}

// What is left out is not measured, and nothing passes for it in ratios.
func TestOnly(t *testing.T) {
	run := func(context.Context) (s Sample, err error) { s.Set("rate_pps", 100); return s, nil }
	suite := Suite{
		Labels: []string{"case"}, Figures: []Figure{{Key: "rate_pps"}, {Key: "ratio", Ratio: "rate_pps"}, {Key: "to_b", Ratio: "rate_pps", Against: "b"}},
		Cases: []Case{
			{Labels: []string{"away"}, Group: "1", Skip: "not installed"},
			{Labels: []string{"a"}, Group: "1", Run: run}, {Labels: []string{"b"}, Group: "1", Run: run}, {Labels: []string{"c"}, Group: "1", Run: run},
			{Labels: []string{"c"}, Group: "2", Run: run}, {Labels: []string{"a"}, Group: "2", Run: run},
		},
	}
	suite.Only([]string{"c", "b", "nothing"})
	table, err := suite.Run(t.Context(), 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range table.Rows {
		got = append(got, fmt.Sprint(r.Labels[0], r.Values))
	}
	want := []string{"bmap[rate_pps:[100] to_b:[1]]", "cmap[rate_pps:[100] to_b:[1]]", "cmap[rate_pps:[100] ratio:[1]]"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRunEnds(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	interrupted := errors.New("interrupted")
	suite := Suite{Cases: []Case{
		{Run: func(context.Context) (s Sample, err error) { s.Set("x", 1); return s, nil }},
		{Run: func(context.Context) (s Sample, err error) { s.Set("x", 2); cancel(interrupted); return s, nil }},
	}}
	table, err := suite.Run(ctx, 5, nil)
	if err != interrupted {
		t.Errorf("error %v, want %v", err, interrupted)
	}
	if got := fmt.Sprint(table.Rows[0].Values, table.Rows[1].Values); got != "map[x:[1]] map[]" {
		t.Errorf("values %s, want those before the interruption", got)
	}
}

func TestQuantile(t *testing.T) {
	for _, c := range []struct {
		p      float64
		values []float64
		want   float64
	}{
		{0.5, nil, 0},
		{0.5, []float64{3, 1, 2}, 2},
		{0.5, []float64{4, 1, 2, 3}, 2.5},
		{0.99, []float64{1, 2, 3, 4}, 4},
		{0.25, []float64{4, 3, 2, 1}, 1},
	} {
		if got := Quantile(c.p, c.values); got != c.want {
			t.Errorf("Quantile(%v, %v) = %v, want %v", c.p, c.values, got, c.want)
		}
	}
}

func TestSetLeavesOutWhatIsNoNumber(t *testing.T) {
	var s Sample
	zero := 0.0
	s.Set("a", 1/zero)
	s.Set("b", zero/zero)
	s.Set("c", 0)
	if diff := cmp.Diff(map[string]float64{"c": 0}, s.Values); diff != "" {
		t.Error(diff)
	}
}
