package trace

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/scheduler/virtual"
)

// playVerbose gives what a run prints when a source quench comes before the
// first answer.
func playVerbose(t *testing.T, args ...string) (stdout string, sent []virtual.Sent) {
	t.Helper()
	var out bytes.Buffer
	script := virtual.Script{TTL: map[int][]virtual.Step{1: {te("10.1.1.1")}}, Rest: []virtual.Step{port}}
	var n *virtual.Net
	r, n := newVirtual(t, Std{Out: &out}, func(s virtual.Sent) []virtual.Reply {
		replies := script.Respond(s)
		if s.Probe.TTL == 1 {
			m := frame.ErrorMessage{From: target, To: source, TTL: 60, Type: 4, Quote: []byte{1, 2, 3, 4}}
			replies = append(replies, virtual.Reply{After: rtt / 2, Frame: m.Append(nil)})
		}
		return replies
	}, args...)
	if err := r.probeOver(n); err != nil {
		t.Fatal(err)
	}
	return out.String(), n.Sent
}

const verboseHeader = "traceroute to 10.2.2.2 (10.2.2.2), 30 hops max, 60 byte packets\n"

func TestVerbose(t *testing.T) {
	got, _ := playVerbose(t, "-n", "-q1", "-N1", "-v", "10.2.2.2")
	want := withTimes(verboseHeader + `12 bytes from 10.2.2.2 to 10.9.9.1: icmp type 4 (Source Quench) code 0
 4: 01020304
 1  10.1.1.1 68 bytes to 10.9.9.1  X ms
 2  10.2.2.2 68 bytes to 10.9.9.1  X ms
packets received: 3 = 1 stray + 2 exact
`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("output (-want +got):\n%s", diff)
	}
	got, _ = playVerbose(t, "-n", "-q1", "-N1", "10.2.2.2")
	if want := withTimes(verboseHeader + " 1  10.1.1.1  X ms\n 2  10.2.2.2  X ms\n"); got != want {
		t.Errorf("without -v: %q", got)
	}
}

func TestVeryVerbose(t *testing.T) {
	got, sent := playVerbose(t, "-n", "-q1", "-N1", "-m1", "-vv", "10.2.2.2", "28")
	if len(sent) != 1 || !bytes.Contains([]byte(got), []byte("\n[ 28 bytes\n\t 4500 001c ")) {
		t.Errorf("%d probes, output %q", len(sent), got)
	}
}

func TestNoChecksum(t *testing.T) {
	for _, args := range [][]string{{"-x"}, {"-xx"}} {
		_, sent := playVerbose(t, append(args, "-n", "-q1", "-m1", "10.2.2.2")...)
		const at = 20 + 6
		want := args[0] != "-xx"
		if f := sent[0].Frame; (f[at]|f[at+1] == 0) != want {
			t.Errorf("%q: frame % x", args, f)
		}
	}
}
