package codec

import (
	"strings"
	"testing"
	"time"

	"github.com/hopquote/hopquote/bench/measure"
	"github.com/hopquote/hopquote/frame"
)

// suites are all of the package, measured as shortly as it goes.
func suites(t *testing.T) []measure.Suite {
	t.Helper()
	frames, err := Frames(time.Nanosecond)
	if err != nil {
		t.Fatal(err)
	}
	decode, err := Decode(time.Nanosecond)
	if err != nil {
		t.Fatal(err)
	}
	return []measure.Suite{frames, decode, Lookup(time.Nanosecond)}
}

// Every case checks what it did; ours allocate nothing.
func TestSuites(t *testing.T) {
	for _, s := range suites(t) {
		table, err := s.Run(t.Context(), 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range table.Rows {
			if len(r.Problems) > 0 {
				t.Errorf("%s %q: %q", s.Name, r.Labels, r.Problems)
			}
			if spread, ok := r.Spread("time_ns"); !ok || spread.Median <= 0 {
				t.Errorf("%s %q took %v", s.Name, r.Labels, spread)
			}
			spread, _ := r.Spread("allocations")
			if isOurs := !strings.Contains(strings.Join(r.Labels, " "), "gopacket"); isOurs && spread.Median > 0.1 {
				t.Errorf("%s %q allocates %v times", s.Name, r.Labels, spread.Median)
			}
		}
	}
}

// A body that does not do its work is found out.
func TestChecks(t *testing.T) {
	p := probe(frame.UDP, false)
	ledger, err := keyed(&p)
	if err != nil {
		t.Fatal(err)
	}
	r := reply{name: "nonsense", probe: p, frame: make([]byte, 60), ledger: ledger}
	for _, c := range decodeCases(r, time.Nanosecond) {
		if _, err := c.Run(t.Context()); err == nil {
			t.Errorf("%q of a frame of zeros is no error", c.Labels)
		}
	}
}

// BenchmarkFrames and BenchmarkDecode are the cases for benchstat.
func BenchmarkFrames(b *testing.B) {
	suite, err := Frames(0)
	if err != nil {
		b.Fatal(err)
	}
	benchmark(b, suite)
}

func BenchmarkDecode(b *testing.B) {
	suite, err := Decode(0)
	if err != nil {
		b.Fatal(err)
	}
	benchmark(b, suite)
}

func BenchmarkLookup(b *testing.B) { benchmark(b, Lookup(0)) }

// benchmark runs each case in chunks of its own.
func benchmark(b *testing.B, s measure.Suite) {
	for _, c := range s.Cases {
		b.Run(strings.ReplaceAll(strings.Join(c.Labels, "/"), " ", "-"), func(b *testing.B) {
			if _, err := c.Run(b.Context()); err != nil { // sets up, and says what is wrong
				b.Fatal(err)
			}
			sum, turns := 0.0, 0
			for b.Loop() {
				s, err := c.Run(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				sum += s.Values["time_ns"]
				turns++
			}
			b.ReportMetric(sum/float64(turns), "ns/packet")
			b.ReportMetric(0, "ns/op") // of a chunk: no figure of use
		})
	}
}
