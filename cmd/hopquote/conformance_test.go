package main

import (
	"net/netip"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/bench/lab"
)

// The conformance tests run the installed traceroute and ours with the same
// arguments in the same network, the lab's "line", and compare what they print
// and what they send. The destinations:
//
//	h1 192.168.100.10 ... r1 ... r2 ... 192.168.120.20 h2
//	h1   fd00:100::10 ... r1 ... r2 ...   fd00:120::20 h2
//
// The numbers that names begin with are those of the list of behaviours that
// the suite was made from.

// comparison is one command line for both programs.
type comparison struct {
	name string
	args string   // words, divided by blanks
	as   string   // what the programs are called by; traceroute if empty
	env  []string // besides the environment
	// hasty leaves out -w 5, which switches off that a hop is given up early
	// because a later one answered ten times as fast. On a busy machine that
	// may take more than one attempt.
	hasty bool
	// silent runs put no probe on the wire.
	silent bool
}

// observation is one run as its user and a third party saw it.
type observation struct {
	result
	probes []*datagram
	frames [][]byte
	free   freely
}

// own tells the addresses of h1, which only probes and the kernel's resets
// come from.
func own(a netip.Addr) bool {
	return a.IsLoopback() || slices.Contains([]string{"192.168.100.10", "fd00:100::10"}, a.String())
}

// attempts is how often a comparison is made whose programs may give up early.
const attempts = 8

// compare runs both programs, one after the other.
func (w *wire) compare(t *testing.T, c comparison) (want, got observation) {
	t.Helper()
	for range attempts {
		want, got = w.observe(t, theirs(t), c), w.observe(t, ours(), c)
		isGivenUp := c.hasty && strings.Contains(want.Stdout+got.Stdout, " *")
		if !isGivenUp && sameBeyond(want, got) {
			break
		}
	}
	w.judge(t, c, want, got)
	return want, got
}

// sameBeyond tells whether the probes past the last hop that is printed agree.
// Which of them an error on its way still lets out is a matter of microseconds,
// so that they may need more than one attempt.
func sameBeyond(want, got observation) bool {
	theirs, ours := want.fixed(), got.fixed()
	n := min(len(theirs), len(ours))
	from := min(n, max(want.printed(), got.printed()))
	return slices.Equal(theirs[from:n], ours[from:n])
}

// judge tells every difference.
func (w *wire) judge(t *testing.T, c comparison, want, got observation) {
	t.Helper()
	if diff := cmp.Diff(want.timeless(), got.timeless()); diff != "" {
		t.Errorf("traceroute %s (-traceroute +hopquote):\n%s", c.args, diff)
	}
	w.compareProbes(t, c, want, got)
}

// compareProbes looks at every probe whose answer is printed, and at as many
// of those beyond as both sent.
func (w *wire) compareProbes(t *testing.T, c comparison, want, got observation) {
	t.Helper()
	theirs, ours := want.fixed(), got.fixed()
	for _, probes := range [][]string{theirs, ours} {
		if c.silent != (len(probes) == 0) {
			t.Errorf("traceroute %s: %d probes on the wire, silent: %t", c.args, len(probes), c.silent)
		}
	}
	n := max(want.printed(), got.printed(), min(len(theirs), len(ours)))
	if diff := cmp.Diff(theirs[:min(n, len(theirs))], ours[:min(n, len(ours))]); diff != "" {
		t.Errorf("traceroute %s: probes (-traceroute +hopquote):\n%s", c.args, diff)
	}
	for name, o := range map[string]observation{"traceroute": want, "hopquote": got} {
		for _, fault := range o.free.rules(o.probes) {
			// The kernel's own UDP checksum takes the first gateway for the
			// destination.
			lax := w.partial || strings.Contains(c.args, "-g ")
			if lax && (name == "traceroute" || o.free.kernel) && strings.HasSuffix(fault, wrongChecksum) {
				continue
			}
			t.Errorf("%s %s: %s", name, c.args, fault)
		}
		if n := o.printed(); o.free.waiting && len(o.probes) != n {
			t.Errorf("%s %s: %d probes left, %d are printed: it did not wait", name, c.args, len(o.probes), n)
		}
	}
}

func (o observation) fixed() []string {
	var all []string
	for _, p := range o.probes {
		all = append(all, p.fixed(!o.free.port, !o.free.label))
	}
	return all
}

var hopNumber = regexp.MustCompile(`(?m)^ *([0-9]+)  .*$`)

// printed counts the probes up to the last hop that is printed.
func (o observation) printed() int {
	lines := hopNumber.FindAllStringSubmatch(o.Stdout, -1)
	if len(lines) == 0 {
		return 0
	}
	last, _ := strconv.Atoi(lines[len(lines)-1][1])
	n := 0
	for _, p := range o.probes {
		if p.TTL <= last {
			n++
		}
	}
	return n
}

// observe runs one program.
func (w *wire) observe(t *testing.T, program string, c comparison) observation {
	t.Helper()
	return w.begin(t, program, c)()
}

// begin starts one program, and gives what waits for its end.
func (w *wire) begin(t *testing.T, program string, c comparison) func() observation {
	t.Helper()
	w.frames(t) // of whatever was before
	cmd := c.command(program)
	end := launch(t, w.host, cmd)
	return func() observation {
		t.Helper()
		o := observation{result: end()}
		o.frames = w.frames(t)
		o.probes = slices.DeleteFunc(datagrams(o.frames, own), func(d *datagram) bool { return !d.isProbe() })
		o.free = freely{
			port:    !strings.Contains(c.args, "--sport"),
			label:   !strings.Contains(c.args, "-l "),
			waiting: strings.Contains(c.args, "--sport") || strings.Contains(c.args, "-N1 "),
			pid:     cmd.Process.Pid,
			kernel:  strings.Contains(c.args, "tcpconn"),
			raw:     strings.Contains(c.args, "-P ") || strings.Contains(c.args, "-M raw"),
		}
		return o
	}
}

// command makes the command line, by the same name for both.
func (c comparison) command(program string) *exec.Cmd {
	cmd := exec.Command(program)
	name := c.as
	if name == "" {
		name = "traceroute"
	}
	cmd.Args = append([]string{name}, strings.Fields(c.args)...)
	if !c.hasty && !strings.Contains(c.args, "-w") {
		cmd.Args = append(cmd.Args, "-w5")
	}
	if c.env != nil {
		cmd.Env = append(cmd.Environ(), c.env...)
	}
	return cmd
}

// isProbe leaves out what the host sends besides: resets after SYN-ACKs, the
// search for neighbours, and questions for names.
func (d *datagram) isProbe() bool {
	switch {
	case d.TCP != nil:
		// The kernel's connections go on after the SYN.
		return !d.isReset() && d.TCP.Ack == 0
	case d.UDP != nil:
		return d.TTL < 64 || d.UDP.DstPort != 53
	case d.Echo != nil, d.Lite != nil:
		return true
	}
	return len(d.Pieces) > 0 || // never complete
		len(d.Payload) > 0 && d.Payload[0] == rawPayload
}

func (d *datagram) isReset() bool { return d.TCP != nil && d.TCP.RST && d.TTL == 64 }

// openLine makes the network and listens on h1's link.
func openLine(t *testing.T) (*lab.Net, *wire) {
	t.Helper()
	n := openLab(t, "line")
	return n, openWire(t, n)
}

// compareAll runs a table of comparisons one after another.
func compareAll(t *testing.T, w *wire, table []comparison) {
	t.Helper()
	for _, c := range table {
		t.Run(c.name, func(t *testing.T) { w.compare(t, c) })
	}
}
