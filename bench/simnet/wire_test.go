package simnet

import (
	"bytes"
	"errors"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// runLimit bounds one run of a program.
const runLimit = time.Minute

var roundTrip = regexp.MustCompile(`[0-9]+\.[0-9]{3} ms`)

// TestScripts runs what Linux traceroute is known to print on each of the
// scripts: it proves the path, not a tracer of ours.
func TestScripts(t *testing.T) {
	program, err := exec.LookPath("traceroute")
	if err != nil {
		t.Skip("needs Linux traceroute: apt-get install traceroute")
	}
	testScripts(t, func(args []string) *exec.Cmd { return exec.Command(program, args...) })
}

// testScripts runs all runs of all scripts with the program that command gives.
func testScripts(t *testing.T, command func(args []string) *exec.Cmd) {
	files, err := filepath.Glob(filepath.Join(scriptsDir, "*.sim"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts in %s: %v", scriptsDir, err)
	}
	for _, file := range files {
		script, err := Read(file)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, run := range script.Runs {
			name := strings.TrimSuffix(filepath.Base(file), ".sim") + " " + strings.Join(run.Args, " ")
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				n := openScript(t, script)
				got := output(t, n, command(run.Args))
				if len(run.Output) > 0 && !strings.HasPrefix(run.Output[0], "traceroute to ") {
					got = got[min(1, len(got)):]
				}
				if diff := cmp.Diff(run.Output, got); diff != "" {
					t.Errorf("(-want +got):\n%s\n%+v", diff, n.Counters())
				}
			})
		}
	}
}

// output runs the command in the probing host and gives the lines it prints,
// times left out.
func output(t *testing.T, n *Net, cmd *exec.Cmd) []string {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := n.Host(Prober).StartConfined(cmd); err != nil {
		t.Fatal(err)
	}
	overdue := time.AfterFunc(runLimit, func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if !overdue.Stop() {
		t.Fatalf("%s: not done after %v; stdout %q, stderr %q, %+v", cmd, runLimit, out.String(), errs.String(), n.Counters())
	}
	if err != nil || errs.Len() > 0 {
		t.Errorf("%s: %v, stderr %q", cmd, err, errs.String())
	}
	text := roundTrip.ReplaceAllString(out.String(), "X ms")
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}
