// Package report is what a bench run prints: tables with medians and spreads,
// as text, as Markdown, as JSON (schema hopquote.bench/1, see schema.md) and as
// a plot.
package report

import (
	"slices"
	"time"

	"github.com/hopquote/hopquote/bench/machine"
	"github.com/hopquote/hopquote/bench/measure"
)

// Report is one run of the bench.
type Report struct {
	Version    string   // of this program
	Command    []string // that repeats the run
	Start, End time.Time
	Rounds     int
	Seed       uint64
	Machine    machine.Facts
	Internet   *Internet // nil where none was simulated
	Tables     []measure.Table
	Error      string // what ended the run early; empty if nothing did
}

// Internet is how the Internet was simulated.
type Internet struct {
	Form    string // where it answers
	Reason  string // why not in the kernel; empty if it is
	CPUs    uint64 // mask of those that answer; 0: the one that sends
	Inline  string // why it is answered by the CPU that sends, although others were to; else empty
	Backlog int    // frames that may wait for such a CPU; 0: the machine's
}

// Failed tells whether the run ended early or any row has a problem.
func (r *Report) Failed() bool {
	return r.Error != "" || slices.ContainsFunc(r.Tables, func(t measure.Table) bool { return t.Failed() })
}
