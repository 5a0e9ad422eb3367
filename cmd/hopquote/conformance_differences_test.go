package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/frame"
)

// difference is something that ours does otherwise on purpose. What users
// without the right to probe are told differs too: privilege_test.go has that.
type difference struct {
	name, reason string
	args         string
	prepare      func(*testing.T, *lab.Net)
	stdout       string // a file to write to
	theirs, ours result
}

var differences = []difference{
	{
		name:   "104 sequence 0",
		reason: "an echo request whose sequence has wrapped to 0 is a probe like any other",
		args:   "-n -q1 -m2 -I -p 65535 -w1 192.168.120.20",
		theirs: result{Stdout: header("192.168.120.20", 2, 60) + " 1  192.168.100.20  X ms\n 2  *\n"},
		ours:   result{Stdout: header("192.168.120.20", 2, 60) + " 1  192.168.100.20  X ms\n 2  192.168.110.20  X ms\n"},
	},
	{
		name:    "45 code 16",
		reason:  "the kernel hides unreachables with codes above 15 from sockets; a router's refusal is worth knowing",
		args:    "-n -q1 -m3 -w1 192.168.120.20",
		prepare: func(t *testing.T, n *lab.Net) { answerWith(t, n, frame.ErrorMessage{Type: 3, Code: 16}) },
		theirs:  result{Stdout: header("192.168.120.20", 3, 60) + " 1  192.168.100.20  X ms\n 2  *\n 3  *\n"},
		ours:    result{Stdout: header("192.168.120.20", 3, 60) + " 1  192.168.100.20  X ms\n 2  10.1.2.1  X ms !<16>\n"},
	},
	{
		name:    "46 reassembly time exceeded",
		reason:  "the kernel hides time exceeded with code 1 from sockets",
		args:    "-n -q1 -m3 -w1 192.168.120.20",
		prepare: func(t *testing.T, n *lab.Net) { answerWith(t, n, frame.ErrorMessage{Type: 11, Code: 1}) },
		theirs:  result{Stdout: header("192.168.120.20", 3, 60) + " 1  192.168.100.20  X ms\n 2  *\n 3  *\n"},
		ours:    result{Stdout: header("192.168.120.20", 3, 60) + " 1  192.168.100.20  X ms\n 2  10.1.2.1  X ms !<11-1>\n"},
	},
	{
		name:    "49 fragmentation needed without -F",
		reason:  "the kernel hides from UDP sockets what can't be true of probes that may be cut; the router said it",
		args:    "-n -q1 -m3 -w1 192.168.120.20",
		prepare: func(t *testing.T, n *lab.Net) { answerWith(t, n, frame.ErrorMessage{Type: 3, Code: 4, Rest: 1400}) },
		theirs:  result{Stdout: header("192.168.120.20", 3, 60) + " 1  192.168.100.20  X ms\n 2  *\n 3  *\n"},
		ours:    result{Stdout: header("192.168.120.20", 3, 60) + " 1  192.168.100.20  X ms\n 2  10.1.2.1  X ms !F-1400\n"},
	},
	{
		name:   "55 dead neighbour, bound to a device",
		reason: "the kernel's own host unreachable comes by loopback, where a socket bound to a device can't hear it",
		args:   "-n -q1 -m2 -i veth1-h1 192.168.100.77",
		theirs: result{Stdout: header("192.168.100.77", 2, 60) + " 1  *\n 2  *\n"},
		ours:   result{Stdout: header("192.168.100.77", 2, 60) + " 1  192.168.100.10  X ms !H\n"},
	},
	{
		name:   "80 second echo request too big",
		reason: "traceroute takes the failed send for a probe that left, and waits for its answer",
		args:   "-n -q2 -F -I -w1 192.168.120.20 1501",
		theirs: result{Stdout: header("192.168.120.20", 30, 1501) + " 1  *  X ms !F-1500 *\n"},
		ours:   result{Stdout: header("192.168.120.20", 30, 1501) + " 1  *  X ms !F-1500 *  X ms !F-1500\n"},
	},
	{
		name:   "10 raw probes together",
		reason: "each has an identity, so they need not go one at a time; only the order on the wire differs",
		args:   "-n -q2 -m2 -P 253 192.168.120.20",
		theirs: result{Stdout: header("192.168.120.20", 2, 60) + " 1  192.168.100.20  X ms  X ms\n 2  192.168.110.20  X ms  X ms\n"},
		ours:   result{Stdout: header("192.168.120.20", 2, 60) + " 1  192.168.100.20  X ms  X ms\n 2  192.168.110.20  X ms  X ms\n"},
	},
	{
		name:   "10 raw probe without data",
		reason: "a quote of the whole probe is enough, though it has no 8 bytes behind the header",
		args:   "-n -q1 -m2 -w1 -P 253 192.168.120.20 10",
		theirs: result{Stdout: header("192.168.120.20", 2, 20) + " 1  *\n 2  *\n"},
		ours:   result{Stdout: header("192.168.120.20", 2, 20) + " 1  192.168.100.20  X ms\n 2  192.168.110.20  X ms\n"},
	},
	{
		name:   "10 protocol 255",
		reason: "a raw socket can't send it without a header of its own; a packet socket can",
		args:   "-n -q1 -m1 -P 255 192.168.120.20",
		theirs: result{Stdout: strings.TrimSuffix(header("192.168.120.20", 1, 60), "\n"), Stderr: "\nsend: Invalid argument\n", Code: 1},
		ours:   result{Stdout: header("192.168.120.20", 1, 60) + " 1  192.168.100.20  X ms\n"},
	},
	{
		name:    "dccp without the kernel's",
		reason:  "the probes are built here, so the kernel needs no DCCP",
		args:    "-n -q1 -m2 -D 192.168.120.20",
		prepare: needNoDCCP,
		theirs:  result{Stdout: strings.TrimSuffix(header("192.168.120.20", 2, 40), "\n"), Stderr: "\nsocket: Socket type not supported\n", Code: 1},
		ours:    result{Stdout: header("192.168.120.20", 2, 40) + " 1  192.168.100.20  X ms\n 2  192.168.110.20  X ms\n"},
	},
	{
		name:    "29 source route that passes",
		reason:  "a quote headed to any stop of the route is the probe's",
		args:    "-n -q1 -w1 -m3 -g 192.168.100.20,192.168.110.20 192.168.120.20",
		prepare: letSourceRoutesPass,
		theirs:  result{Stdout: header("192.168.120.20", 3, 76) + " 1  *\n 2  *\n 3  *\n"},
		ours:    result{Stdout: header("192.168.120.20", 3, 76) + " 1  192.168.100.20  X ms\n 2  192.168.110.20  X ms\n 3  192.168.120.20  X ms\n"},
	},
	{
		name:   "96 IPv6 routing header",
		reason: "the kernel refuses routing headers to sockets; the probe is built here, and the router says what it makes of it",
		args:   "-n -q1 -g fd00:100::20 fd00:120::20",
		theirs: result{
			Stdout: strings.TrimSuffix(header("fd00:120::20", 30, 104), "\n"),
			Stderr: "\nsetsockopt IPV6_RTHDR: Invalid argument\n", Code: 1,
		},
		ours: result{Stdout: header("fd00:120::20", 30, 104) + " 1  fd00:100::20  X ms !<4-0>\n"},
	},
	{
		name:   "tcpconn over gateways",
		reason: "the kernel hears none of the answers to such a connection",
		args:   "-n -q1 -m1 -w1 -M tcpconn -g 192.168.100.20 192.168.120.20",
		theirs: result{Stdout: header("192.168.120.20", 1, 72) + " 1  *\n"},
		ours: result{
			Stderr: "hopquote: the kernel's connections can't be routed over gateways: -M tcpconn goes without -g\n", Code: 2,
		},
	},
	{
		name:   "full disk",
		reason: "who saves the output must learn that it is not whole",
		args:   "-n -q1 -m1 192.168.120.20",
		stdout: "/dev/full",
		theirs: result{},
		ours: result{
			Stderr: "write standard output: No space left on device\n", Code: 1,
		},
	},
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

func TestDifferences(t *testing.T) {
	for _, d := range differences {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			n := openLab(t, "line")
			if d.prepare != nil {
				d.prepare(t, n)
			}
			run := func(program string) result {
				cmd := exec.Command(program)
				cmd.Args = append([]string{"traceroute"}, words(d.args)...)
				if d.stdout != "" {
					f, err := os.OpenFile(d.stdout, os.O_WRONLY, 0)
					if err != nil {
						t.Skip(err)
					}
					defer f.Close()
					cmd.Stdout = f
				}
				return finish(t, n.Host("h1"), cmd).timeless()
			}
			if diff := cmp.Diff(d.theirs, run(theirs(t))); diff != "" {
				t.Errorf("traceroute %s (-expected +traceroute):\n%s", d.args, diff)
			}
			if diff := cmp.Diff(d.ours, run(ours())); diff != "" {
				t.Errorf("traceroute %s (-expected +hopquote), which differs because %s:\n%s", d.args, d.reason, diff)
			}
		})
	}
}
