package survey

import (
	"strings"
	"testing"
	"time"

	"github.com/hopquote/hopquote/cmd/internal/survey/checkpoint"
	"github.com/hopquote/hopquote/rx"
)

// A line on a terminal has room on it, and what went wrong is never what it
// leaves out.
func TestTextFits(t *testing.T) {
	left := int64(time.Hour)
	r := report{ElapsedNS: int64(time.Minute), LeftNS: &left, Total: 1000, Done: 10, Sent: 123456789, RatePPS: 100000, AveragePPS: 100000, AskedPPS: 100000, Replies: 98765432, Found: 1234567}
	all := r.text(0)
	for _, want := range []string{"sent 123456789", "replies 98765432", "1234567 interfaces; drops 0; send failures 0"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q lacks %q", all, want)
		}
	}
	if got := r.text(79); len(got) > 79 || !strings.Contains(got, "sent 123456789, 100000/s; replies 98765432") {
		t.Errorf("%d columns: %q", len(got), got)
	}
	r.KernelDrops, r.Refused = 7, 9
	if got := r.text(79); len(got) > 79 || !strings.Contains(got, "drops 7") || !strings.Contains(got, "send failures 9") {
		t.Errorf("%d columns: %q", len(got), got)
	}
	if got := r.text(5); got != "0:01:00 1.0% (1:00:00 left)" {
		t.Errorf("no room at all: %q", got)
	}
}

// What a loop knows first is of a moment before the run began.
func TestElapsedIsNotNegative(t *testing.T) {
	m := &meter{}
	m.note(time.Millisecond, rx.Counts{}, span{}, 10, 0, failures{})
	s := &status{
		begun: 10 * time.Millisecond, before: &checkpoint.Head{Active: time.Second}, meters: []*meter{m},
		found: func() (uint64, bool) { return 0, true }, drops: func() uint64 { return 0 },
	}
	if r, ok := s.report(); !ok || r.ElapsedNS != int64(time.Second) {
		t.Errorf("%v, elapsed %d", ok, r.ElapsedNS)
	}
}

// Each report is of the moment that it is written.
func TestReportsAreFresh(t *testing.T) {
	m := &meter{}
	m.note(0, rx.Counts{}, span{}, 10, 0, failures{})
	if m.due() {
		t.Error("a sample is due that nobody wants")
	}
	s := &status{meters: []*meter{m}, wake: func() {
		if !m.due() {
			t.Error("no sample is due")
		}
		m.note(time.Second, rx.Counts{Sent: 5}, span{}, 10, 1, failures{})
	}}
	if s.refresh(); m.latest.Load().counts.Sent != 5 || m.due() {
		t.Errorf("the latest sample is %+v", m.latest.Load())
	}
}
