package trace

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/scheduler/virtual"
)

// TestQuotesFollowTheirHops wants the lines of --quotes under the hop that shows
// the answer, also where that was moved, and the summary behind the last one, the
// verdicts of all that was received at its end.
func TestQuotesFollowTheirHops(t *testing.T) {
	for _, tt := range []struct {
		name, args string
		script     virtual.Script
		want       string // lines after the header
	}{
		{"path", "-q2", path(1, nil), ` 1  10.1.1.1  X ms  X ms
    10.1.1.1: 60 of 60 bytes, as sent
 2  10.2.2.2  X ms  X ms
    10.2.2.2: 60 of 60 bytes, as sent
path changes: none in the quotes of 2 hops
packets received: 16 = 16 exact
`},
		{"two responders and silence", "-q3 -m2", path(2, map[int][]virtual.Step{1: {te("10.1.1.1"), te("10.1.1.2"), lost}, 2: {lost}}),
			` 1  10.1.1.1  X ms 10.1.1.2  X ms *
    10.1.1.1: 60 of 60 bytes, as sent
    10.1.1.2: 60 of 60 bytes, as sent
 2  * * *
path changes: none in the quotes of 1 hop
packets received: 2 = 2 exact
`},
		{"nothing", "-q1 -m1", path(1, at(1, lost)), " 1  *\npath changes: no quotes to tell\npackets received: 0\n"},
		// What router 1 refuses at TTL 3 is shown at the silent hop 2.
		{"moved", "-q1 -N3", path(1, map[int][]virtual.Step{2: {lost}, 3: {un("10.1.1.1", 1)}}), ` 1  10.1.1.1  X ms
    10.1.1.1: 60 of 60 bytes, as sent
 2  10.1.1.1  X ms !H
    10.1.1.1: 60 of 60 bytes, ttl 3 left
path changes: none in the quotes of 2 hops
packets received: 2 = 2 exact
`},
		{"echo", "-q1 -I", virtual.Script{TTL: path(1, nil).TTL, Rest: []virtual.Step{{Kind: frame.KindEchoReply, After: rtt}}}, ` 1  10.1.1.1  X ms
    10.1.1.1: 60 of 60 bytes, as sent
 2  10.2.2.2  X ms
    10.2.2.2: no quote: echo reply
path changes: none in the quotes of 1 hop
packets received: 16 = 16 exact
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			args := append(append([]string{"-n", "--quotes"}, strings.Fields(tt.args)...), "10.2.2.2")
			r, n := newVirtual(t, Std{Out: &out}, func(s virtual.Sent) []virtual.Reply { return tt.script.Respond(expired(s)) }, args...)
			if err := r.probeOver(n); err != nil {
				t.Fatal(err)
			}
			_, got, _ := strings.Cut(out.String(), "\n")
			if diff := cmp.Diff(withTimes(tt.want), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// expired is the probe as it comes to a router that it expires at, or to the
// target right behind; one of TTL 3 that is sent on by nobody comes as it left.
func expired(s virtual.Sent) virtual.Sent {
	if s.Probe.TTL == 3 && s.Probe.Method == frame.UDP {
		return s
	}
	s.Frame = bytes.Clone(s.Frame)
	sum := frame.UpdateChecksum(uint16(s.Frame[10])<<8|uint16(s.Frame[11]), uint16(s.Frame[8])<<8, 1<<8)
	s.Frame[8], s.Frame[10], s.Frame[11] = 1, byte(sum>>8), byte(sum)
	return s
}

// TestNoQuotesNoLog sees that nothing is kept of probes where nobody asked.
func TestNoQuotesNoLog(t *testing.T) {
	script := path(2, nil)
	var out bytes.Buffer
	r, n := newVirtual(t, Std{Out: &out}, script.Respond, "-n", "10.2.2.2")
	if err := r.probeOver(n); err != nil {
		t.Fatal(err)
	}
	if r.quotes != nil || strings.Contains(out.String(), "path changes") {
		t.Errorf("a log of quotes, or %s", out.String())
	}
}
