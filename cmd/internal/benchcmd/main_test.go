package benchcmd

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/bench/report"
)

// roleVar makes the test binary play hopquote-bench: the bare loop, and whoever
// needs a process, are that program again.
const roleVar = "HOPQUOTE_BENCHCMD_TEST"

func TestMain(m *testing.M) {
	if os.Getenv(roleVar) != "" {
		os.Exit(Main(os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(lab.RunTests(m))
}

// command is a command line of the played program.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), roleVar+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL}
	return cmd
}

// result is what a command line came to.
type result struct {
	status      int
	out, errors string
}

func finish(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run() // the status tells
	if cmd.ProcessState == nil {
		t.Fatalf("%q did not start", cmd.Args)
	}
	return result{lab.ExitStatus(cmd.ProcessState), out.String(), errs.String()}
}

// document is as much of the JSON form as the tests look at.
type document struct {
	Failed   bool     `json:"failed"`
	Error    *string  `json:"error"`
	Command  []string `json:"command_line"`
	Internet *struct {
		Form   string  `json:"form"`
		Reason *string `json:"reason"`
		Inline *string `json:"inline_reason"`
		CPUs   uint64  `json:"cpu_mask"`
	} `json:"simulated_internet"`
	Tables []struct {
		Name string `json:"name"`
		Rows []struct {
			Labels  []string `json:"labels"`
			Skipped *string  `json:"skipped"`
			Figures map[string]struct {
				Median float64   `json:"median"`
				Rounds []float64 `json:"rounds"`
			} `json:"figures"`
			Notes    []string `json:"notes"`
			Problems []string `json:"problems"`
		} `json:"rows"`
	} `json:"tables"`
}

// run runs the bench to its end as JSON, which must be as its schema says.
func run(t *testing.T, status int, args ...string) document {
	t.Helper()
	lab.Skip(t)
	return read(t, finish(t, command(t, append(args, "--format=json")...)), status)
}

func read(t *testing.T, r result, status int) document {
	t.Helper()
	if r.status != status {
		t.Errorf("exit status %d, want %d; it says %s", r.status, status, r.errors)
	}
	if err := report.Check([]byte(r.out)); err != nil {
		t.Fatalf("%v\n%s%s", err, r.out, r.errors)
	}
	var d document
	if err := json.Unmarshal([]byte(r.out), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// row gives the medians of the row with these labels.
func (d *document) row(t *testing.T, table string, labels ...string) func(key string) float64 {
	t.Helper()
	for _, tab := range d.Tables {
		for _, r := range tab.Rows {
			if tab.Name != table || strings.Join(r.Labels, "|") != strings.Join(labels, "|") {
				continue
			}
			if r.Skipped != nil {
				t.Fatalf("%s %q was not run: %s", table, labels, *r.Skipped)
			}
			return func(key string) float64 {
				f, ok := r.Figures[key]
				if !ok {
					t.Errorf("%s %q has no %s", table, labels, key)
				}
				return f.Median
			}
		}
	}
	t.Fatalf("there is no row %q in table %s: %+v", labels, table, d.Tables)
	return nil
}

// hopquote is the path of the program that is measured, beside which are those
// of its subcommands that are named.
func hopquote(t *testing.T, subcommands ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hopquote")
	for _, suffix := range append(subcommands, "") {
		if suffix != "" {
			suffix = "-" + suffix
		}
		build := exec.Command("go", "build", "-o", path+suffix, "../../hopquote"+suffix)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("go build: %v\n%s", err, out)
		}
	}
	return path
}
