package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/bench/simnet"
)

// answersAfter is how long the routers of these paths take.
const answersAfter = 120 * time.Millisecond

// engineScript is a path whose every hop takes its time.
const engineScript = scriptEnds + "default delay 120ms\ndest udp port-unreachable\n"

// 56 to 60 and 64: how many probes leave together, which, and how soon at the
// earliest. A busy machine may tear a burst apart or delay it, so bursts get
// some attempts, and there is no time that would be too late.
func TestConformanceEngine(t *testing.T) {
	const silentHop = "hop 1 te from 10.1.1.1\nhop 2 silent\nhop 3 te from 10.1.3.1\n"
	const silentLines = " 1  10.1.1.1  X ms  X ms  X ms\n 2  * * *\n 3  10.1.3.1  X ms  X ms  X ms\n 4  10.2.2.2  X ms  X ms  X ms\n"
	const ms = time.Millisecond
	for _, c := range []struct {
		name, args, path string
		lines            string
		sends            string                // TTLs, a comma where answers had to be waited for
		earliest         map[int]time.Duration // by the probe's number from 0, after the start
		loose            bool                  // the bursts depend on when answers come
		first            bool                  // the same, but for the first burst; how many follow depends, too
	}{
		{
			name: "45 a silent path", args: "-q2 -w0.3",
			path:  "hop 1 te from 10.1.1.1\nhop 2- silent\n",
			lines: " 1  10.1.1.1  X ms  X ms\n" + silentLinesFrom(2), sends: twice(30), loose: true,
			earliest: map[int]time.Duration{16: answersAfter, 18: 300 * ms, 34: 600 * ms, 50: 900 * ms},
		},
		{
			name: "56 a window of 4", args: "-N4 -w1",
			path: "hop 1 te from 10.1.1.1\nhop 2 te from 10.1.2.1\nhop 3 te from 10.1.3.1\nhop 4 te from 10.1.4.1\n",
			lines: " 1  10.1.1.1  X ms  X ms  X ms\n 2  10.1.2.1  X ms  X ms  X ms\n 3  10.1.3.1  X ms  X ms  X ms\n" +
				" 4  10.1.4.1  X ms  X ms  X ms\n 5  10.2.2.2  X ms  X ms  X ms\n",
			sends:    "1 1 1 2, 2 2 3 3, 3 4 4 4, 5 5 5 6",
			earliest: map[int]time.Duration{4: answersAfter, 8: 2 * answersAfter, 12: 3 * answersAfter},
		},
		{
			name: "57 a first burst of 16", args: "-w1",
			path:  "hop 1 te from 10.1.1.1\nhop 2 te from 10.1.2.1\n",
			lines: " 1  10.1.1.1  X ms  X ms  X ms\n 2  10.1.2.1  X ms  X ms  X ms\n 3  10.2.2.2  X ms  X ms  X ms\n",
			sends: "1 1 1 2 2 2 3 3 3 4 4 4 5 5 5 6", first: true,
		},
		{
			name: "58 a silent hop fills the window", args: "-N3 -w0.5", path: silentHop, lines: silentLines,
			sends:    "1 1 1, 2 2 2, 3 3 3, 4 4 4",
			earliest: map[int]time.Duration{3: answersAfter, 6: answersAfter + 500*ms, 9: 2*answersAfter + 500*ms},
		},
		{
			name: "59 nothing to shorten the wait", args: "-N3 -w0.9,3,5", path: silentHop, lines: silentLines,
			sends:    "1 1 1, 2 2 2, 3 3 3, 4 4 4",
			earliest: map[int]time.Duration{3: answersAfter, 6: answersAfter + 900*ms, 9: 2*answersAfter + 900*ms},
		},
		{
			name: "59 a later hop shortens the wait", args: "-w20,3,5", path: silentHop, lines: silentLines,
			sends: "1 1 1 2 2 2 3 3 3 4 4 4 5 5 5 6", first: true,
		},
		{
			name: "60 the hop itself shortens the wait", args: "-N1 -w20,3,5",
			path:  "hop 1 te from 10.1.1.1\nhop 2 te from 10.1.2.1, lost, te from 10.1.2.1\n",
			lines: " 1  10.1.1.1  X ms  X ms  X ms\n 2  10.1.2.1  X ms *  X ms\n 3  10.2.2.2  X ms  X ms  X ms\n",
			sends: "1, 1, 1, 2, 2, 2, 3, 3, 3",
			earliest: map[int]time.Duration{
				1: answersAfter, 4: 4 * answersAfter, 5: 4*answersAfter + 3*(answersAfter+ms), 8: 7*answersAfter + 3*(answersAfter+ms),
			},
		},
		{
			name: "64 seconds between probes", args: "-z0.2 -q2 -m2",
			path:  "hop 1 te from 10.1.1.1\n",
			lines: " 1  10.1.1.1  X ms  X ms\n 2  10.2.2.2  X ms  X ms\n",
			sends: "1 1 2 2", earliest: map[int]time.Duration{1: 200 * ms, 2: 400 * ms, 3: 600 * ms}, loose: true,
		},
		{
			name: "64 milliseconds between probes", args: "-z50 -m2",
			path:  "hop 1 te from 10.1.1.1\n",
			lines: " 1  10.1.1.1  X ms  X ms  X ms\n 2  10.2.2.2  X ms  X ms  X ms\n",
			sends: "1 1 1 2 2 2", earliest: map[int]time.Duration{1: 50 * ms, 2: 100 * ms, 5: 250 * ms}, loose: true,
		},
		{
			name: "64 ten is milliseconds", args: "-z10 -m2",
			path:  "hop 1 te from 10.1.1.1\n",
			lines: " 1  10.1.1.1  X ms  X ms  X ms\n 2  10.2.2.2  X ms  X ms  X ms\n",
			sends: "1 1 1 2 2 2", earliest: map[int]time.Duration{1: 10 * ms, 5: 50 * ms}, loose: true,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			pause := answersAfter / 2
			if c.loose {
				pause = time.Hour
			}
			open := func(t *testing.T) *simnet.Net { return openText(t, engineScript+c.path) }
			var faults map[string][]string
			for range attempts {
				want, got := simulate(t, open, "-n "+c.args+" 10.2.2.2")
				faults = map[string][]string{}
				for name, s := range map[string]simulated{"traceroute": want, "hopquote": got} {
					_, lines, _ := strings.Cut(s.Stdout, "\n")
					if diff := cmp.Diff(c.lines, lines); diff != "" || s.Code != 0 || s.Stderr != "" {
						faults[name] = append(faults[name], "(-want +got):\n"+diff+s.Stderr)
					}
					sent := sends(s.probes, pause)
					if c.first {
						sent, _, _ = strings.Cut(sent, ",")
					}
					if sent != c.sends {
						faults[name] = append(faults[name], "sends "+sent+", want "+c.sends)
					}
					for i, at := range c.earliest {
						if i < len(s.probes) && s.probes[i].Time.Sub(s.start) < at {
							// No machine is so busy that it sends too early.
							t.Errorf("%s: probe %d after %v, before %v", name, i, s.probes[i].Time.Sub(s.start), at)
						}
					}
				}
				theirs, ours := want.fixed(), got.fixed()
				if c.first {
					n := min(len(theirs), len(ours))
					theirs, ours = theirs[:n], ours[:n]
				}
				if diff := cmp.Diff(theirs, ours); diff != "" {
					faults["both"] = append(faults["both"], "probes (-traceroute +hopquote):\n"+diff)
				}
				if len(faults) == 0 || t.Failed() {
					return
				}
			}
			for name, f := range faults {
				t.Errorf("%s %s: %s", name, c.args, strings.Join(f, "\n"))
			}
		})
	}
}

// silentLinesFrom are the lines of a path that nobody answers on, with two
// probes per hop.
func silentLinesFrom(first int) string {
	var b strings.Builder
	for ttl := first; ttl <= 30; ttl++ {
		fmt.Fprintf(&b, "%2d  * *\n", ttl)
	}
	return b.String()
}

// twice tells two probes for each hop.
func twice(last int) string {
	var all []string
	for ttl := range last {
		all = append(all, fmt.Sprint(ttl+1, " ", ttl+1))
	}
	return strings.Join(all, " ")
}

// 74, 75, 79: the probes of --mtu on links of 1500, 1400 and 1300 bytes.
func TestConformanceMTUProbes(t *testing.T) {
	for _, c := range []struct {
		name, args string
		sizes      []int
	}{
		{"74 udp", "--mtu -n -w5 10.2.2.2", []int{1500, 1500, 1500, 1500, 1400, 1400, 1400, 1400, 1300, 1300, 1300, 1300, 1300, 1300}},
		{"79 icmp", "--mtu -n -w5 -I 10.2.2.2", []int{1500, 1500, 1500, 1500, 1400, 1400, 1400, 1400, 1300, 1300, 1300, 1300, 1300, 1300}},
		{"75 one query", "--mtu -n -w5 -q1 10.2.2.2 1450", []int{1450, 1450, 1400, 1400, 1300, 1300}},
		{"79 tcp", "--mtu -n -w5 -N1 -T 10.2.2.2", slices.Repeat([]int{60}, 12)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			script, err := simnet.Read("../../testdata/scripts/74-mtu.sim")
			if err != nil {
				t.Fatal(err)
			}
			want, got := simulate(t, func(t *testing.T) *simnet.Net { return openScript(t, script) }, c.args)
			if diff := cmp.Diff(want.result, got.result); diff != "" {
				t.Errorf("(-traceroute +hopquote):\n%s", diff)
			}
			if diff := cmp.Diff(want.fixed(), got.fixed()); diff != "" {
				t.Errorf("probes (-traceroute +hopquote):\n%s", diff)
			}
			var sizes []int
			for i, d := range got.datagrams() {
				sizes = append(sizes, d.Length)
				if !d.DF || len(d.Faults) > 0 {
					t.Errorf("probe %d: DF %t, faults %q", i, d.DF, d.Faults)
				}
			}
			if diff := cmp.Diff(c.sizes, sizes); diff != "" {
				t.Errorf("sizes (-want +got):\n%s", diff)
			}
		})
	}
}
