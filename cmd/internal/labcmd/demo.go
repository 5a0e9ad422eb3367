package labcmd

import (
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
)

// The demo must end within a minute, also when a trace hangs.
const (
	demoLimit = 50 * time.Second
	demoGrace = 2 * time.Second // for the running trace after a signal
)

// step is one command line of the demo and the host it runs in.
type step struct {
	host string
	args []string
}

// demoSteps are run in this order in the topology "line".
var demoSteps = []step{
	{"h1", []string{"trace", "192.168.120.20"}},
	{"h1", []string{"trace", "-I", "192.168.120.20"}},
	{"h1", []string{"trace", "-T", "192.168.120.20"}},
	{"h1", []string{"trace", "-T", "-p", "11111", "192.168.120.20"}},
	{"h1", []string{"trace", "-6", "fd00:120::20"}},
	{"r1", []string{"trace", "-i", "veth2-r1", "192.168.120.20"}},
	{"r2", []string{"trace", "-i", "veth1-r2", "192.168.100.10"}},
	{"h1", []string{"trace", "-q", "10", "-N", "300", "192.168.120.20"}},
}

const demoHelp = `Usage: hopquote demo

Builds the network "line" of hopquote lab inside this machine, traces through
it in several ways, showing each command line and its output, and removes it.
Takes some seconds. The exit status is 0 when every trace ended with 0, 1 when
one did not, 130 after Ctrl-C.

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
	return demonstrate(self, demoSteps, demoLimit, stdout, stderr)
}

// demonstrate runs the steps of program self, all within the limit.
func demonstrate(self string, steps []step, limit time.Duration, stdout, stderr io.Writer) int {
	relay := lab.NewRelay(demoGrace, unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT)
	defer relay.Stop()
	n, err := lab.Open("line")
	if err != nil {
		return fail(stderr, "demo", err)
	}
	defer n.Close()
	fmt.Fprintf(stdout, "A network inside this machine:\n\n%s\n", n.Topology().Drawing())

	deadline := time.Now().Add(limit)
	var failed []string
	for _, s := range steps {
		if !n.HasIPv6() && slices.Contains(s.args, "-6") {
			fmt.Fprint(stdout, "(this kernel has no IPv6: one trace left out)\n\n")
			continue
		}
		line := fmt.Sprintf("%s$ hopquote %s", s.host, strings.Join(s.args, " "))
		fmt.Fprintln(stdout, line)
		cmd := exec.Command(self, s.args...)
		cmd.Stdout, cmd.Stderr = stdout, stderr
		cmd.WaitDelay = outputDelay
		problem := runStep(n.Host(s.host), relay, cmd, deadline)
		if sig, ok := relay.Signal().(unix.Signal); ok {
			return 128 + int(sig)
		}
		if problem != "" {
			failed = append(failed, fmt.Sprintf("%s: %s", line, problem))
		}
		fmt.Fprintln(stdout)
	}
	for _, f := range failed {
		fmt.Fprintf(stderr, "hopquote demo: failed: %s\n", f)
	}
	fmt.Fprintln(stdout, "Next: bin/hopquote lab    and in it: hopquote trace -T 192.168.120.20")
	if len(failed) > 0 {
		return statusFailed
	}
	return statusOK
}

// runStep runs the command to its end, or to the deadline, and says in a word
// or two what went wrong, nothing if it exited with 0.
func runStep(h *lab.Host, relay *lab.Relay, cmd *exec.Cmd, deadline time.Time) string {
	if err := h.Start(cmd); err != nil {
		return err.Error()
	}
	relay.To(cmd.Process)
	timer := time.AfterFunc(time.Until(deadline), func() { cmd.Process.Kill() })
	defer timer.Stop()
	if err := cmd.Wait(); err != nil {
		if !time.Now().Before(deadline) {
			return "killed, the demo's time was over"
		}
		return err.Error()
	}
	return ""
}
