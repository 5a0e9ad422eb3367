package trace

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/cmd/internal/output/jsonout"
	"github.com/hopquote/hopquote/scheduler/virtual"
)

// path is a script with one router for each TTL of hops, which may be
// replaced, and the target behind them.
func path(hops int, special map[int][]virtual.Step) virtual.Script {
	s := virtual.Script{TTL: make(map[int][]virtual.Step), Rest: []virtual.Step{port}}
	for ttl := 1; ttl <= hops; ttl++ {
		s.TTL[ttl] = []virtual.Step{te(fmt.Sprintf("10.1.%d.1", ttl))}
	}
	for ttl, steps := range special {
		s.TTL[ttl] = steps
	}
	return s
}

// at replaces one hop.
func at(ttl int, steps ...virtual.Step) map[int][]virtual.Step {
	return map[int][]virtual.Step{ttl: steps}
}

var printing = []struct {
	name   string
	args   string
	script virtual.Script
	want   string // lines after the header
}{
	{
		name: "two responders take turns", args: "-m 1", script: path(1, at(1, te("10.1.1.1"), te("10.1.1.2"), te("10.1.1.1"))),
		want: " 1  10.1.1.1  X ms 10.1.1.2  X ms 10.1.1.1  X ms\n",
	},
	{
		name: "the last probe's responder differs", args: "-f 2 -m 2", script: path(2, at(2, te("10.1.2.1"), te("10.1.2.1"), te("10.1.2.2"))),
		want: " 2  10.1.2.1  X ms  X ms 10.1.2.2  X ms\n",
	},
	{
		name: "lost in the middle", args: "-f 3 -m 3", script: path(3, at(3, te("10.1.3.1"), lost, te("10.1.3.1"))),
		want: " 3  10.1.3.1  X ms *  X ms\n",
	},
	{
		name: "lost first", args: "-f 4 -m 4", script: path(4, at(4, lost, te("10.1.4.1"))),
		want: " 4  * 10.1.4.1  X ms  X ms\n",
	},
	{
		name: "only the last answers", args: "-f 5 -m 5", script: path(5, at(5, lost, lost, te("10.1.5.1"))),
		want: " 5  * * 10.1.5.1  X ms\n",
	},
	{
		name: "another responder after a loss", args: "-f 6 -m 6", script: path(6, at(6, te("10.1.6.1"), lost, te("10.1.6.2"))),
		want: " 6  10.1.6.1  X ms * 10.1.6.2  X ms\n",
	},
	{
		name: "three figures of TTL", args: "-q1 -f 98 -m 120", script: path(100, nil),
		want: "98  10.1.98.1  X ms\n99  10.1.99.1  X ms\n100  10.1.100.1  X ms\n101  10.2.2.2  X ms\n",
	},
	{
		name: "never reached", args: "-q1 -m 3", script: path(9, nil),
		want: " 1  10.1.1.1  X ms\n 2  10.1.2.1  X ms\n 3  10.1.3.1  X ms\n",
	},
	{
		name: "ten probes", args: "-q 10 -f 3", script: path(2, nil),
		want: " 3  10.2.2.2" + strings.Repeat("  X ms", 10) + "\n",
	},
	{
		name: "notes and an arrival", args: "", script: path(2, at(2, un("10.8.8.8", 13), port, un("10.8.8.8", 13))),
		want: " 1  10.1.1.1  X ms  X ms  X ms\n 2  10.8.8.8  X ms !X 10.2.2.2  X ms 10.8.8.8  X ms !X\n",
	},
	{
		name: "one unreachable among time exceeded", args: "", script: path(9, at(2, te("10.1.2.1"), un("10.1.2.1", 1), te("10.1.2.1"))),
		want: " 1  10.1.1.1  X ms  X ms  X ms\n 2  10.1.2.1  X ms  X ms !H  X ms\n",
	},
	{
		name: "an answer that is shown at an earlier hop", args: "-q1 -m 8 -w 1",
		script: virtual.Script{TTL: map[int][]virtual.Step{1: {te("10.1.1.1")}, 2: {}, 3: {}}, Rest: []virtual.Step{un("10.1.1.1", 1)}},
		want:   " 1  10.1.1.1  X ms\n 2  10.1.1.1  X ms !H\n",
	},
}

// TestPrinting runs the printing cases through engine, strategy and writers.
func TestPrinting(t *testing.T) {
	for _, tt := range printing {
		t.Run(tt.name, func(t *testing.T) {
			args := append([]string{"-n"}, strings.Fields(tt.args)...)
			var out bytes.Buffer
			r, n := newVirtual(t, Std{Out: &out}, tt.script.Respond, append(args, "10.2.2.2")...)
			if err := r.probeOver(n); err != nil {
				t.Fatal(err)
			}
			header, lines, _ := strings.Cut(out.String(), "\n")
			out.Reset()
			if err := r.writeJSON(nil); err != nil { // of the same run
				t.Fatal(err)
			}
			var d jsonout.Document
			if err := json.Unmarshal(out.Bytes(), &d); err != nil {
				t.Fatal(err)
			}
			if want := fmt.Sprintf("traceroute to 10.2.2.2 (10.2.2.2), %d hops max, 60 byte packets", d.Options.MaxTTL); header != want {
				t.Errorf("header %q, want %q", header, want)
			}
			if diff := cmp.Diff(withTimes(tt.want), lines); diff != "" {
				t.Errorf("text (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(lines, render(&d)); diff != "" {
				t.Errorf("the document disagrees (-text +document):\n%s", diff)
			}
			if c := d.Counts; c.Sent != c.Answered+c.Expired+c.InFlight || c.Received != c.Matched+c.Duplicate+c.Late+c.Stray {
				t.Errorf("counts do not balance: %+v", c)
			}
		})
	}
}

// render prints the document's probes as the text form does, up to the end of
// the hop that ended the trace.
func render(d *jsonout.Document) string {
	places := make(map[[2]int]*jsonout.Probe)
	last := 0
	for _, h := range d.Hops {
		for i := range h.Probes {
			p := &h.Probes[i]
			ttl := h.TTL
			if p.PrintedTTL != nil {
				ttl = *p.PrintedTTL
			}
			final := p.Outcome == "arrived" || p.Outcome == "refused" || p.Outcome == "too_big"
			if final && (last == 0 || ttl < last) {
				last = ttl
			}
			if p.RTTNS != nil {
				places[[2]int{ttl, p.Query}] = p
			}
		}
	}
	if last == 0 {
		last = d.Options.MaxTTL
	}
	var b strings.Builder
	for ttl := d.Options.FirstTTL; ttl <= last; ttl++ {
		fmt.Fprintf(&b, "%2d ", ttl)
		before := ""
		for query := range d.Options.Queries {
			p := places[[2]int{ttl, query}]
			if p == nil {
				b.WriteString(" *")
				continue
			}
			if who := p.Responder.String(); who != before {
				b.WriteString(" " + who)
				before = who
			}
			fmt.Fprintf(&b, "  %.3f ms", float64(*p.RTTNS)/1e6)
			if p.Note != "" {
				b.WriteString(" " + p.Note)
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}
