package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/hopquote/hopquote/bench/lab"
)

// binaries holds the program under test by the names that it is called by, and
// beside it the one of its subcommand quotes. They are built once, without cgo,
// as users get them.
var binaries string

func TestMain(m *testing.M) { os.Exit(lab.RunTests(built{m})) }

// built builds the programs before the tests run.
type built struct{ *testing.M }

func (b built) Run() int {
	dir, err := os.MkdirTemp("", "hopquote-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	build := exec.Command("go", "build", "-o", dir, ".", "../hopquote-quotes")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	for _, name := range []string{"traceroute", "traceroute6", "traceroute-bsd"} {
		if err := os.Symlink("hopquote", filepath.Join(dir, name)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	binaries = dir
	return b.M.Run()
}

// ours is the path of the program under test, called as traceroute.
func ours() string { return filepath.Join(binaries, "traceroute") }

// theirs is the path of the installed traceroute; the test is skipped where
// there is none.
func theirs(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("traceroute")
	if err != nil {
		t.Skip("needs Linux traceroute to compare with: apt-get install traceroute")
	}
	return path
}

// openLab builds a network that ends with the test.
func openLab(t *testing.T, topology string) *lab.Net {
	t.Helper()
	lab.Skip(t)
	n, err := lab.Open(topology)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

// result is what a program left behind.
type result struct {
	Stdout, Stderr string
	Code           int // -1: killed by a signal
}

// limit bounds one run of a program.
const limit = 60 * time.Second

// patient has a trace wait for every answer as long as for any. Without it, one
// that comes 3 ms behind its neighbour's is late, which on a busy machine is
// nothing.
const patient = "-w5"

// runIn runs a program in the host to its end.
func runIn(t *testing.T, h *lab.Host, program string, args ...string) result {
	t.Helper()
	return finish(t, h, exec.Command(program, args...))
}

// finish runs a command in the host to its end.
func finish(t *testing.T, h *lab.Host, cmd *exec.Cmd) result {
	t.Helper()
	return launch(t, h, cmd)()
}

// start starts a command in the host, Linux traceroute in the way it needs.
func start(h *lab.Host, cmd *exec.Cmd) error {
	if path, err := exec.LookPath("traceroute"); err == nil && path == cmd.Path {
		return h.StartConfined(cmd)
	}
	return h.Start(cmd)
}

// launch starts a command in the host, and gives what waits for its end.
// Output that the command does not lead elsewhere is kept.
func launch(t *testing.T, h *lab.Host, cmd *exec.Cmd) func() result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if cmd.Stdout == nil {
		cmd.Stdout = &stdout
	}
	cmd.Stderr = &stderr
	if err := start(h, cmd); err != nil {
		t.Fatal(err)
	}
	overdue := time.AfterFunc(limit, func() { _ = cmd.Process.Kill() })
	return func() result {
		t.Helper()
		err := cmd.Wait()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		if !overdue.Stop() {
			t.Fatalf("%s: not done after %v; stdout %q, stderr %q", cmd, limit, stdout.String(), stderr.String())
		}
		return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
	}
}

var roundTrip = regexp.MustCompile(`[0-9]+\.[0-9]{3} ms`)

// timeless is the result with every time shown as X.
func (r result) timeless() result {
	r.Stdout = roundTrip.ReplaceAllString(r.Stdout, "X ms")
	return r
}
