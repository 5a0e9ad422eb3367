package labcmd

import (
	_ "embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/bench/simnet"
)

// The demo must end within a minute, also when a trace hangs.
const (
	demoLimit = 50 * time.Second
	demoGrace = 2 * time.Second // for the running trace after a signal
)

// scene is one network of the demo and what is shown in it.
type scene struct {
	title    string
	topology string // a name of package lab; "": the demo's script
	steps    []step
}

// step is one command line of the demo and the host it runs in.
type step struct {
	host string
	args []string
}

//go:embed demo.sim
var demoScript []byte

// demoScenes are shown in this order.
var demoScenes = []scene{
	{"A network inside this machine:", "line", []step{
		{"h1", []string{"trace", "192.168.120.20"}},
		{"h1", []string{"trace", "-I", "192.168.120.20"}},
		{"h1", []string{"trace", "-T", "192.168.120.20"}},
		{"h1", []string{"trace", "-T", "-p", "11111", "192.168.120.20"}},
		{"h1", []string{"trace", "-6", "fd00:120::20"}},
		{"r1", []string{"trace", "-i", "veth2-r1", "192.168.120.20"}},
		{"r2", []string{"trace", "-i", "veth1-r2", "192.168.100.10"}},
		{"h1", []string{"trace", "-q", "10", "-N", "300", "192.168.120.20"}},
	}},
	{"The same with links that carry less and less:", "mtu", []step{
		{"h1", []string{"trace", "-N", "1", "-q", "1", "-F", "--mtu", "-I", "192.168.120.20"}},
	}},
	{"A simulated path with MPLS, a silent router and a firewall, by this script:", "", []step{
		{simnet.Prober, []string{"trace", "-e", "server.example"}},
		{simnet.Prober, []string{"trace", "-T", "-p", "25", "server.example"}},
	}},
}

const demoHelp = `Usage: hopquote demo

Builds networks inside this machine, the first of them the one that hopquote lab
gives, traces through them in several ways, showing each command line and its
output, and removes them. Takes some seconds. The exit status is 0 when every
trace ended with 0, 1 when one did not, 130 after Ctrl-C.

Options:
%s`

// Demo is the subcommand `demo`. args do not hold the subcommand's own name.
func Demo(args []string, _ io.Reader, stdout, stderr io.Writer) int {
	flags := pflag.NewFlagSet("demo", pflag.ContinueOnError)
	flags.SetOutput(io.Discard)
	help := flags.BoolP("help", "h", false, "show this help")
	if err := flags.Parse(args); err != nil {
		return usage(stderr, "demo", err)
	}
	if *help {
		fmt.Fprintf(stdout, demoHelp, flags.FlagUsages())
		return statusOK
	}
	if flags.NArg() > 0 {
		return usage(stderr, "demo", fmt.Errorf("takes no arguments, got %q", flags.Arg(0)))
	}
	if err := lab.Reexec(); err != nil {
		return fail(stderr, "demo", err)
	}
	self, err := os.Executable()
	if err != nil {
		return fail(stderr, "demo", fmt.Errorf("find this program's file: %w", err))
	}
	d := &demo{self: self, deadline: time.Now().Add(demoLimit), stdout: stdout, stderr: stderr}
	return d.show(demoScenes)
}

// demo is one run of program self, all of it before the deadline.
type demo struct {
	self           string
	deadline       time.Time
	stdout, stderr io.Writer

	relay  *lab.Relay
	failed []string // command lines, with what went wrong
}

func (d *demo) show(scenes []scene) int {
	d.relay = lab.NewRelay(demoGrace, unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT)
	defer d.relay.Stop()
	for _, s := range scenes {
		if err := d.scene(s); err != nil {
			return fail(d.stderr, "demo", err)
		}
		if sig, ok := d.relay.Signal().(unix.Signal); ok {
			return 128 + int(sig)
		}
	}
	for _, f := range d.failed {
		fmt.Fprintf(d.stderr, "hopquote demo: failed: %s\n", f)
	}
	fmt.Fprintln(d.stdout, "Next: bin/hopquote lab    and in it: hopquote trace -T 192.168.120.20")
	if len(d.failed) > 0 {
		return statusFailed
	}
	return statusOK
}

// scene builds a network, runs its steps and removes it.
func (d *demo) scene(s scene) error {
	var script *simnet.Script
	t, ok := lab.Find(s.topology)
	if !ok {
		var err error
		if script, err = simnet.Parse("demo.sim", demoScript); err != nil {
			return err
		}
	}
	n, closeNet, err := build(t, script)
	if err != nil {
		return err
	}
	defer closeNet()
	picture := t.Drawing()
	if script != nil {
		picture = indent(demoScript)
	}
	fmt.Fprintf(d.stdout, "%s\n\n%s\n", s.title, picture)
	for _, step := range s.steps {
		if d.step(n, step); d.relay.Signal() != nil {
			break
		}
	}
	return nil
}

// indent puts two blanks before each line.
func indent(text []byte) string {
	var b strings.Builder
	for line := range strings.Lines(string(text)) {
		b.WriteString("  " + line)
	}
	return b.String()
}

// step shows and runs one command line.
func (d *demo) step(n *lab.Net, s step) {
	if !n.HasIPv6() && slices.Contains(s.args, "-6") {
		fmt.Fprint(d.stdout, "(this kernel has no IPv6: one trace left out)\n\n")
		return
	}
	line := fmt.Sprintf("%s$ hopquote %s", s.host, strings.Join(s.args, " "))
	fmt.Fprintln(d.stdout, line)
	cmd := exec.Command(d.self, s.args...)
	cmd.Stdout, cmd.Stderr = d.stdout, d.stderr
	cmd.WaitDelay = outputDelay
	if problem := d.run(n.Host(s.host), cmd); problem != "" {
		d.failed = append(d.failed, fmt.Sprintf("%s: %s", line, problem))
	}
	fmt.Fprintln(d.stdout)
}

// run runs the command to its end, or to the deadline, and says in a word or
// two what went wrong, nothing if it exited with 0.
func (d *demo) run(h *lab.Host, cmd *exec.Cmd) string {
	if err := h.Start(cmd); err != nil {
		return err.Error()
	}
	d.relay.To(cmd.Process)
	timer := time.AfterFunc(time.Until(d.deadline), func() { cmd.Process.Kill() })
	defer timer.Stop()
	if err := cmd.Wait(); err != nil {
		if !time.Now().Before(d.deadline) {
			return "killed, the demo's time was over"
		}
		return err.Error()
	}
	return ""
}
