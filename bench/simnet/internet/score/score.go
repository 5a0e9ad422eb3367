package score

import (
	"fmt"
	"iter"
	"net/netip"
)

// Result is one answer that a prober reports.
type Result struct {
	Target netip.Addr
	TTL    int // of the probe
	From   netip.Addr
}

// Tally counts things of one kind.
type Tally struct {
	Found  int `json:"found"`  // that are true
	Missed int `json:"missed"` // that are true and were not found
	Wrong  int `json:"wrong"`  // that were reported and are not true
}

// Report is how good a prober was. Nothing in it counts twice, however often it
// was reported.
type Report struct {
	// Interfaces are the addresses of routers on the way that answer.
	Interfaces Tally `json:"interfaces"`
	// Hops are target, TTL and router that answers; past the end of a path none
	// is missed.
	Hops Tally `json:"hops"`
	// Targets are those that answer.
	Targets Tally `json:"targets"`
	// Strangers are results for targets that the truth does not have. Their
	// hops are wrong too.
	Strangers int `json:"strangers"`
}

// Wrong tells how much was reported that is not true: 0 for a correct prober.
func (r *Report) Wrong() int { return r.Interfaces.Wrong + r.Hops.Wrong + r.Targets.Wrong }

// String gives the counts in one line.
func (r *Report) String() string {
	return fmt.Sprintf("interfaces %v, hops %v, targets %v", r.Interfaces, r.Hops, r.Targets)
}

// String gives the counts in words.
func (t Tally) String() string {
	return fmt.Sprintf("%d found %d missed %d wrong", t.Found, t.Missed, t.Wrong)
}

// Score holds results against the truth. Every result may be given again and
// again, as by a prober that reports duplicates.
func Score(truth iter.Seq[Path], results iter.Seq[Result]) Report {
	s := newScorer()
	for p := range truth {
		s.expect(&p)
	}
	for r := range results {
		s.take(r)
	}
	return s.report()
}
