package receive

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/bench/measure"
	"github.com/hopquote/hopquote/bench/wire"
)

func TestMain(m *testing.M) { os.Exit(lab.RunTests(m)) }

func flood(t *testing.T, receivers []Receiver, rate float64) []measure.Row {
	t.Helper()
	lab.Skip(t)
	p, err := wire.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	suite := Suite(p, receivers, []float64{rate}, 50*time.Millisecond)
	table, err := suite.Run(t.Context(), 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range table.Rows {
		if len(r.Problems) > 0 {
			t.Errorf("%q: %q", r.Labels, r.Problems)
		}
	}
	return table.Rows
}

// At a low rate every packet is walked, unless the machine is too busy for the
// reader; then that is reported, and counted.
func TestCountsAgree(t *testing.T) {
	for _, r := range flood(t, Receivers(), 20_000) {
		offered, _ := r.Spread("offered_packets")
		walked, _ := r.Spread("walked_packets")
		dropped, _ := r.Spread("dropped_packets")
		if offered.Median != 1000 || walked.Median+dropped.Median != 1000 || (dropped.Median > 0) != (len(r.Notes) > 0) {
			t.Errorf("%q: offered %v, walked %v, dropped %v, notes %q", r.Labels, offered.Median, walked.Median, dropped.Median, r.Notes)
		}
	}
}

// A receiver that must lose packets is reported so, and what it lost is counted.
func TestLossyIsReported(t *testing.T) {
	r := flood(t, []Receiver{Lossy()}, 0)[0]
	kept, _ := r.Spread("complete_percent")
	dropped, _ := r.Spread("dropped_packets")
	if kept.Median >= 100 || dropped.Median == 0 || !strings.Contains(strings.Join(r.Notes, ""), "lossy") {
		t.Errorf("kept %v %%, dropped %v, notes %q; want a lossy receiver", kept.Median, dropped.Median, r.Notes)
	}
}

// A loss that no counter explains is a failure, and so is a packet too many.
func TestBalance(t *testing.T) {
	for _, c := range []struct {
		name                      string
		walked, strays            uint64
		offered, dropped, arrived uint64
		want                      string
	}{
		{"all there", 100, 0, 100, 0, 100, ""},
		{"counted loss", 90, 0, 100, 10, 100, ""},
		{"silent loss", 90, 0, 100, 0, 100, "90 walked and 0 dropped"},
		{"one too many", 101, 0, 100, 0, 100, "101 walked"},
		{"the link disagrees", 100, 0, 100, 0, 99, "the link counted 99"},
		{"strays", 100, 1, 100, 0, 100, "none of the flood"},
	} {
		r := &reader{strays: c.strays}
		r.walked.Store(c.walked)
		var s measure.Sample
		balance(&s, r, c.offered, c.dropped, c.arrived)
		got := strings.Join(s.Problems, "; ")
		if !strings.Contains(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s: problems %q, want %q", c.name, got, c.want)
		}
	}
	r := &reader{}
	r.walked.Store(2)
	r.seen[7] = 2
	var s measure.Sample
	balance(&s, r, 2, 0, 2)
	if got := strings.Join(s.Problems, "; "); !strings.Contains(got, "identification 7 was read 2 times") {
		t.Errorf("problems %q of a packet read twice", got)
	}
}
