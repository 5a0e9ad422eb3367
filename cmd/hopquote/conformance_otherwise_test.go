package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/bench/simnet"
)

// difference is something that ours does otherwise on purpose.
type difference struct {
	name, reason string
	args         string
	// script lines for a simulated path from 10.9.9.1 to 10.2.2.2; without any
	// it is the lab's "line", changed by prepare.
	script  string
	prepare func(*testing.T, *lab.Net)

	stdout   string          // a file to write to
	byNobody bool            // run by a user without any right
	signal   syscall.Signal  // sent when the first hop is printed
	edit     func(r *result) // leaves out what may vary

	theirs, ours result
	// Sends are the probes' TTLs, a comma where a program waited: see sends.
	theirsSends, oursSends string
	// Data is how the first probe's payload begins, see payloadStart.
	theirsData, oursData string
}

// scriptEnds begin the scripts of differences.
const scriptEnds = "source 10.9.9.1/24 gateway 10.9.9.254\ntarget 10.2.2.2 10.3.3.3\n"

// adviceToNobody is what ours tells who may not probe, with the name of the
// program left out.
const adviceToNobody = "hopquote: probing needs the capability CAP_NET_RAW: run it as root, or once: sudo setcap cap_net_raw+ep PROGRAM\n"

var versionNumber = regexp.MustCompile(`[0-9]+(\.[0-9]+)+`)

func TestDifferences(t *testing.T) {
	for _, d := range differences {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			var n *lab.Net
			if d.script == "" {
				n = openLab(t, "line")
				if d.prepare != nil {
					d.prepare(t, n)
				}
			}
			d.assert(t, n, theirs(t), d.theirs, d.theirsSends, d.theirsData)
			d.assert(t, n, ours(), d.ours, d.oursSends, d.oursData)
		})
	}
}

// assert runs one program and compares. What depends on how fast the machine
// is gets some attempts, and so does a random byte, which may be the pattern's.
func (d *difference) assert(t *testing.T, n *lab.Net, program string, want result, wantSends, wantData string) {
	t.Helper()
	if d.byNobody && program == ours() {
		program = installed(t)
	}
	var got result
	var gotSends, gotData string
	for range attempts {
		if got, gotSends, gotData = d.run(t, n, program); gotSends == wantSends && (wantData == "" || gotData == wantData) {
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s %s (-expected +got), which differ because %s:\n%s", program, d.args, d.reason, diff)
	}
	if gotSends != wantSends {
		t.Errorf("%s %s: sends %s, want %s", program, d.args, gotSends, wantSends)
	}
	if wantData != "" && gotData != wantData {
		t.Errorf("%s %s: payload begins with %q, want %q", program, d.args, gotData, wantData)
	}
}

func (d *difference) run(t *testing.T, n *lab.Net, program string) (r result, sent, data string) {
	t.Helper()
	cmd := exec.Command(program)
	if d.byNobody {
		cmd = asNobody(t, program)
	}
	cmd.Args = append([]string{"traceroute"}, words(d.args)...)
	if d.stdout != "" {
		f, err := os.OpenFile(d.stdout, os.O_WRONLY, 0)
		if err != nil {
			t.Skip(err)
		}
		defer f.Close()
		cmd.Stdout = f
	}
	if d.script == "" {
		r = finish(t, n.Host("h1"), cmd)
	} else {
		sim := openText(t, scriptEnds+d.script)
		if d.signal != 0 {
			p := startIn(t, sim.Host(simnet.Prober), func(c *exec.Cmd) { c.Args = cmd.Args }, program)
			p.awaitText(" ms")
			p.signal(d.signal)
			r = p.end()
		} else {
			r = finish(t, sim.Host(simnet.Prober), cmd)
		}
		if d.oursSends != "" {
			sent = sends(sim.Probes(), 60*time.Millisecond)
			data = payloadStart(sim.Probes())
		}
	}
	r = r.timeless()
	r.Stderr = strings.ReplaceAll(r.Stderr, program, "PROGRAM")
	if d.edit != nil {
		d.edit(&r)
	}
	return r, sent, data
}

// payloadStart gives the first 11 bytes behind the transport header of the first
// probe, with ? for those that are not the pattern's.
func payloadStart(probes []simnet.Probe) string {
	const header = 14 + 20 + 8
	if len(probes) == 0 || len(probes[0].Frame) < header+11 {
		return ""
	}
	start := byte('@')
	if d, _ := decodeIP(probes[0].Frame); d != nil && d.Protocol == 1 {
		start = 'H'
	}
	data := bytes.Clone(probes[0].Frame[header : header+11])
	for i := range data {
		if data[i] != start+byte(i) {
			data[i] = '?'
		}
	}
	return string(data)
}

// needNoDCCP skips where the kernel has DCCP.
func needNoDCCP(t *testing.T, _ *lab.Net) {
	t.Helper()
	if fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DCCP, unix.IPPROTO_DCCP); err == nil {
		unix.Close(fd)
		t.Skip("this kernel has DCCP")
	}
}

func header(dst string, hops, size int) string {
	return fmt.Sprintf("traceroute to %s (%s), %d hops max, %d byte packets\n", dst, dst, hops, size)
}
