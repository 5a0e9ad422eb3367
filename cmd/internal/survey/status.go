package survey

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hopquote/hopquote/cmd/internal/survey/checkpoint"
	"github.com/hopquote/hopquote/rx"
)

// status reports how far a run is: each loop notes it now and then, and a
// goroutine of its own writes it.
type status struct {
	out   io.Writer
	form  string // text, json or none
	line  bool   // text goes over the line before it, on a terminal
	every time.Duration
	asked float64 // probes in a second; 0: no limit
	unit  string  // of progress: probes or traces
	found func() (n uint64, exact bool)
	drops func() uint64
	wake  func() // the loops

	meters []*meter         // by loop
	begun  time.Duration    // since the first run of the survey began
	before *checkpoint.Head // what the runs before did
	had    uint64           // how much of what is to do

	mu      sync.Mutex // guards out
	width   int
	stop    chan struct{}
	stopped chan struct{}
}

// meter takes samples of a loop.
type meter struct {
	every  time.Duration
	last   sample
	latest atomic.Pointer[sample]
	wanted atomic.Bool // the next sample, as soon as can be
}

// failures are sends that did not do what was asked.
type failures struct {
	refused     uint64 // calls that ended with an error
	noRoom      uint64 // calls that the kernel had no room for; repeated later
	undelivered uint64 // frames whose next hop did not resolve, or that the wire refused
}

// sample is a moment of a loop.
type sample struct {
	at        time.Duration
	counts    rx.Counts
	sending   span
	all, done uint64
	recent    float64 // probes in a second since the sample before
	failures  failures
}

func (f *failures) add(o failures) {
	f.refused += o.refused
	f.noRoom += o.noRoom
	f.undelivered += o.undelivered
}

// due tells whether a sample is: the first, and whenever one is wanted.
func (m *meter) due() bool { return m.latest.Load() == nil || m.wanted.Load() }

// note takes a sample. The first one comes when probing begins.
func (m *meter) note(now time.Duration, c rx.Counts, sending span, all, done uint64, failed failures) {
	n := &sample{at: now, counts: c, sending: sending, all: all, done: done, failures: failed}
	if d := now - m.last.at; d > 0 {
		n.recent = float64(c.Sent-m.last.counts.Sent) / d.Seconds()
	}
	m.last = *n
	m.latest.Store(n)
	m.wanted.Store(false)
}

// sum adds up the latest samples of all loops, if each has one.
func (s *status) sum() (sum sample, ok bool) {
	for _, m := range s.meters {
		n := m.latest.Load()
		if n == nil {
			return sum, false
		}
		sum.at = max(sum.at, n.at)
		sum.counts.Add(&n.counts)
		sum.sending.add(n.sending)
		sum.all += n.all
		sum.done += n.done
		sum.recent += n.recent
		sum.failures.add(n.failures)
	}
	// What a loop knows lags a little behind the clock.
	sum.at = max(sum.at-s.begun, 0) + s.before.Active
	sum.counts.Add(&s.before.Counts)
	return sum, len(s.meters) > 0
}

// start begins reporting, asked for by demand too.
func (s *status) start(demand <-chan struct{}) {
	s.stop, s.stopped = make(chan struct{}), make(chan struct{})
	go func() {
		defer close(s.stopped)
		tick := time.NewTicker(s.every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if s.form != "none" {
					s.refresh()
					s.write(s.form, s.line)
				}
			case <-demand:
				s.refresh()
				s.write(map[bool]string{true: "json", false: "text"}[s.form == "json"], false)
			case <-s.stop:
				return
			}
		}
	}()
}

// refresh has the loops take samples, unless they have ended or are held up.
func (s *status) refresh() {
	for _, m := range s.meters {
		m.wanted.Store(true)
	}
	s.wake()
	wanted := func(m *meter) bool { return m.wanted.Load() }
	for turn := 0; turn < 10 && slices.ContainsFunc(s.meters, wanted); turn++ {
		time.Sleep(5 * time.Millisecond)
	}
}

// end stops reporting, after a last report.
func (s *status) end() {
	close(s.stop)
	<-s.stopped
	if s.form != "none" {
		s.write(s.form, s.line)
	}
	if s.line && s.width > 0 {
		fmt.Fprintln(s.out)
	}
}

// report is what a line of JSON says.
type report struct {
	ElapsedNS   int64   `json:"elapsed_ns"`
	Unit        string  `json:"unit"` // what total and done count: probes or traces
	Total       uint64  `json:"total"`
	Done        uint64  `json:"done"`
	LeftNS      *int64  `json:"left_ns"` // estimate; null before there is one
	Sent        uint64  `json:"sent_total"`
	RatePPS     float64 `json:"rate_pps"`         // since the report before
	AveragePPS  float64 `json:"rate_average_pps"` // from the first to the last probe
	AskedPPS    float64 `json:"rate_asked_pps"`   // 0: as fast as the sender
	InFlight    uint64  `json:"in_flight"`
	Answered    uint64  `json:"answered_total"`
	Expired     uint64  `json:"expired_total"`
	Replies     uint64  `json:"received_total"`
	Duplicate   uint64  `json:"duplicate_total"`
	Late        uint64  `json:"late_total"`
	Stray       uint64  `json:"stray_total"`
	Found       uint64  `json:"interfaces"`
	Exact       bool    `json:"interfaces_exact"` // else within about 1 %
	KernelDrops uint64  `json:"kernel_drops_total"`
	Answers     float64 `json:"answered_share"` // of the probes that are settled
	Matches     float64 `json:"matched_share"`  // of the replies: those that belong to a probe, duplicates and late ones included
	Refused     uint64  `json:"send_failures_total"`
	NoRoom      uint64  `json:"send_retries_total"` // the kernel had no room
	Undelivered uint64  `json:"undelivered_total"`  // the next hop did not resolve
}

func (s *status) report() (report, bool) {
	n, ok := s.sum()
	if !ok {
		return report{}, false
	}
	c := &n.counts
	r := report{
		ElapsedNS: int64(n.at), Unit: s.unit, Total: n.all, Done: n.done, Sent: c.Sent, RatePPS: n.recent, AveragePPS: n.sending.rate(), AskedPPS: s.asked,
		InFlight: c.InFlight, Answered: c.Answered, Expired: c.Expired, Replies: c.Received, Duplicate: c.Duplicate, Late: c.Late,
		Stray: c.Strays(), KernelDrops: s.drops(),
	}
	r.Found, r.Exact = s.found()
	if settled := c.Answered + c.Expired; settled > 0 {
		r.Answers = float64(c.Answered) / float64(settled)
	}
	if c.Received > 0 {
		r.Matches = 1 - float64(c.Strays())/float64(c.Received)
	}
	r.Refused, r.NoRoom, r.Undelivered = n.failures.refused, n.failures.noRoom, n.failures.undelivered
	if n.done > s.had && n.all >= n.done {
		left := int64(float64(n.at-s.before.Active) / float64(n.done-s.had) * float64(n.all-n.done))
		r.LeftNS = &left
	}
	return r, true
}

func (s *status) write(form string, over bool) {
	r, ok := s.report()
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if form == "json" {
		b, _ := json.Marshal(r)
		fmt.Fprintf(s.out, "%s\n", b)
		return
	}
	if over {
		text := r.text(width(s.out) - 1)
		pad := strings.Repeat(" ", max(0, s.width-len(text)))
		s.width = len(text)
		fmt.Fprintf(s.out, "\r%s%s", text, pad)
		return
	}
	fmt.Fprintln(s.out, r.text(0))
}

// text is the report in one line, of so many columns at most: it is a shorter
// one, and leaves out from its end what has no room. 0 is room for all.
func (r *report) text(columns int) string {
	text := strings.Join(r.parts(true), "; ")
	if columns <= 0 || len(text) <= columns {
		return text
	}
	parts := r.parts(false)
	for text = strings.Join(parts, "; "); len(text) > columns && len(parts) > 1; text = strings.Join(parts, "; ") {
		parts = parts[:len(parts)-1]
	}
	return text
}

// parts are what the line is put together from, in full or the most of it.
func (r *report) parts(full bool) []string {
	left, share, asked := "?", 0.0, "max"
	if r.LeftNS != nil {
		left = clock(*r.LeftNS)
	}
	if r.Total > 0 {
		share = 100 * float64(r.Done) / float64(r.Total)
	}
	if r.AskedPPS > 0 {
		asked = perSecond(r.AskedPPS)
	}
	progress, found := fmt.Sprintf("%s %.1f%% (%s left)", clock(r.ElapsedNS), share, left), interfaces(r.Found, r.Exact)
	sent, replies := fmt.Sprintf("sent %d, %s/s", r.Sent, perSecond(r.RatePPS)), fmt.Sprintf("replies %d", r.Replies)
	if full {
		sent += fmt.Sprintf(" (average %s, asked %s)", perSecond(r.AveragePPS), asked)
		replies += fmt.Sprintf(", matched %.1f%%, answered %.1f%%", 100*r.Matches, 100*r.Answers)
	}
	parts := []string{progress, sent, replies, found}
	for _, wrong := range []struct {
		name string
		n    uint64
	}{{"drops", r.KernelDrops}, {"send failures", r.Refused + r.Undelivered}} {
		at := len(parts)
		if wrong.n > 0 {
			at = 1 // it must not be what has no room
		}
		parts = slices.Insert(parts, at, fmt.Sprintf("%s %d", wrong.name, wrong.n))
	}
	return parts
}

// interfaces tells how many there are.
func interfaces(n uint64, exact bool) string {
	if exact {
		return fmt.Sprintf("%d interfaces", n)
	}
	return fmt.Sprintf("about %d interfaces", n)
}

// clock writes nanoseconds as h:mm:ss.
func clock(ns int64) string {
	s := ns / int64(time.Second)
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}
