// Package labcmd is the subcommands lab and demo: a shell, or a prepared run,
// inside a test network of package lab.
package labcmd

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/cmd/internal/mistake"
)

// Exit statuses of both subcommands, besides those of the programs they run.
const (
	statusOK      = 0
	statusFailed  = 1
	statusUsage   = 2
	statusNoExec  = 126 // as a shell: found but not runnable
	statusMissing = 127 // as a shell: not found
)

// endGrace is how long a command may take to end after a SIGTERM or SIGHUP
// before it is killed: an interactive shell ignores the first.
const endGrace = 5 * time.Second

// outputDelay is how long the output of an ended command is waited for: what
// the command left running may never close it.
const outputDelay = time.Second

// Lab is the subcommand `lab`. args do not hold the subcommand's own name. It
// gives the exit status: the command's own, 2 for a mistake in args, 1 when
// the network could not be built.
func Lab(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := pflag.NewFlagSet("lab", pflag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.SetInterspersed(false)
	topology := flags.StringP("topology", "t", lab.Topologies()[0], "build the network `NAME`, see --list")
	in := flags.StringP("in", "i", "h1", "run the command in `HOST`")
	scriptFile := flags.StringP("script", "s", "", "build h1 and a simulated path that answers as the script in `FILE` says")
	world := addWorldFlags(flags)
	list := flags.BoolP("list", "l", false, "show the networks there are")
	help := flags.BoolP("help", "h", false, "show this help")
	if err := flags.Parse(args); err != nil {
		return usage(stderr, "lab", mistake.Of(err))
	}
	switch {
	case *help:
		fmt.Fprintf(stdout, labHelp, flags.FlagUsages())
		return statusOK
	case *list:
		for _, name := range lab.Topologies() {
			t, _ := lab.Find(name)
			fmt.Fprintf(stdout, "%s\n%s\n", name, t.Drawing())
		}
		return statusOK
	}
	config, err := world.config(flags)
	if err != nil {
		return usage(stderr, "lab", err)
	}
	if *world.truth {
		return dumpTruth(*config, flags.Args(), stdin, stdout, stderr)
	}
	t, script, err := plan(*topology, flags.Changed("topology"), *scriptFile)
	if err != nil {
		return usage(stderr, "lab", err)
	}
	if config != nil {
		t = internet.Topology(*config)
	}
	if !hasHost(t, *in) {
		return usage(stderr, "lab", fmt.Errorf("network %s has no host %q; it has %s", t.Name, *in, strings.Join(hostNames(t), ", ")))
	}

	if err := lab.Reexec(); err != nil {
		return fail(stderr, "lab", err)
	}
	if err := selfInPath(); err != nil {
		return fail(stderr, "lab", err)
	}
	relay := lab.NewRelay(endGrace, unix.SIGTERM, unix.SIGHUP)
	defer relay.Stop()
	n, closeNet, err := buildAny(t, script, config, stderr)
	if err != nil {
		return fail(stderr, "lab", err)
	}
	defer closeNet()

	command := flags.Args()
	if len(command) == 0 {
		command = []string{shell()}
		greetScript(stderr, *scriptFile, script)
		greet(stderr, n, *in)
	}
	return run(n.Host(*in), relay, command, stdin, stdout, stderr)
}

// run runs the command in the host and gives its exit status.
func run(h *lab.Host, relay *lab.Relay, command []string, stdin io.Reader, stdout, stderr io.Writer) int {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, stderr
	cmd.WaitDelay = outputDelay
	if err := h.Start(cmd); err != nil {
		fail(stderr, "lab", err)
		if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
			return statusMissing
		}
		return statusNoExec
	}
	relay.To(cmd.Process)
	if err := cmd.Wait(); cmd.ProcessState == nil {
		return fail(stderr, "lab", fmt.Errorf("wait for %s: %w", command[0], err))
	}
	if sig, ok := relay.Killed().(unix.Signal); ok {
		return 128 + int(sig)
	}
	return lab.ExitStatus(cmd.ProcessState)
}

// selfInPath puts the folder of this program first in PATH, so that `hopquote`
// in the command is this one.
func selfInPath() error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program's file: %w", err)
	}
	path := filepath.Dir(self)
	if p := os.Getenv("PATH"); p != "" {
		path += string(os.PathListSeparator) + p
	}
	return os.Setenv("PATH", path)
}

func shell() string {
	if s := os.Getenv("SHELL"); s != "" {
		return s
	}
	return "/bin/sh"
}

// usage reports a mistake in the arguments.
func usage(stderr io.Writer, name string, err error) int {
	fmt.Fprintf(stderr, "hopquote %s: %v\nTry `hopquote %s --help'.\n", name, err, name)
	return statusUsage
}

// fail reports what kept the subcommand from its work.
func fail(stderr io.Writer, name string, err error) int {
	fmt.Fprintf(stderr, "hopquote %s: %s\n", name, strings.TrimPrefix(err.Error(), "lab: "))
	return statusFailed
}

func hostNames(t lab.Topology) []string {
	names := make([]string, len(t.Hosts))
	for i, h := range t.Hosts {
		names[i] = h.Name
	}
	return names
}

func hasHost(t lab.Topology, name string) bool {
	for _, h := range t.Hosts {
		if h.Name == name {
			return true
		}
	}
	return false
}
