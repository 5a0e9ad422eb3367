package option

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// reference runs the installed Linux traceroute in a network namespace of its
// own, where no interface is up: it can send nothing.
type reference struct {
	path string
	attr *syscall.SysProcAttr
}

func findReference(t *testing.T) reference {
	t.Helper()
	path, err := exec.LookPath("traceroute")
	if err != nil {
		t.Skipf("no program to compare with: %v", err)
	}
	r := reference{path, &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}}
	if syscall.Geteuid() != 0 {
		r.attr.Cloneflags |= syscall.CLONE_NEWUSER
	}
	_, stderr, _, err := r.run(t, nil, "traceroute", "-V")
	if err != nil {
		t.Skipf("can't run %s in a network namespace: %v", path, err)
	}
	if !strings.HasPrefix(stderr, "Modern traceroute for Linux, version 2.1.2\n") {
		t.Skipf("%s is another traceroute: %.60q", path, stderr)
	}
	return r
}

func (r reference) run(t *testing.T, env []string, argv ...string) (stdout, stderr string, code int, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, r.path)
	cmd.Args, cmd.Env, cmd.SysProcAttr = argv, append(env, "LC_ALL=C"), r.attr
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && ctx.Err() == nil {
		err = nil
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode(), err
}

func TestReferenceRefuses(t *testing.T) {
	ref := findReference(t)
	for _, row := range refusedRows() {
		if !row.local {
			continue
		}
		stdout, stderr, code, err := ref.run(t, nil, row.argv()...)
		if err != nil {
			t.Fatalf("%s: %v", row.line, err)
		}
		if stdout != "" || stderr != row.stderr || code != 2 {
			t.Errorf("%s: the reference gives %q, %q, exit %d; this table has %q, exit 2", row.line, stdout, stderr, code, row.stderr)
		}
	}
}

// TestReferenceAccepts compares the header line, which shows host, address,
// max hops and length. Methods that open their sockets before it print none.
func TestReferenceAccepts(t *testing.T) {
	ref := findReference(t)
	if _, err := os.Stat("/etc/services"); err != nil {
		t.Skipf("the reference knows no service names here: %v", err)
	}
	for _, tt := range acceptedLines {
		argv := words("traceroute", tt.line)
		stdout, stderr, code, err := ref.run(t, nil, argv...)
		if err != nil {
			t.Fatalf("%s: %v", tt.line, err)
		}
		if code != 1 {
			t.Errorf("%s: the reference refuses: exit %d, %q", tt.line, code, stderr)
		}
		o, err := parse(argv...)
		if err != nil {
			t.Errorf("%s: %v", tt.line, err)
			continue
		}
		header := fmt.Sprintf("traceroute to %s (%s), %d hops max, %d byte packets", o.Host, o.Addr, o.Max, o.Size())
		if o.Method == "icmp" || o.Method == "tcp" {
			header = ""
		}
		if stdout != header {
			t.Errorf("%s: got header %q, the reference prints %q", tt.line, header, stdout)
		}
	}
}

func TestReferencePosixlyCorrect(t *testing.T) {
	ref := findReference(t)
	const want = "Cannot handle \"packetlen\" cmdline arg `-n' on position 2 (argc 2)\n"
	for _, env := range []string{"POSIXLY_CORRECT=", "POSIXLY_CORRECT=1"} {
		_, stderr, code, err := ref.run(t, []string{env}, "traceroute", "10.0.0.1", "-n")
		if err != nil || stderr != want || code != 2 {
			t.Errorf("%s: the reference gives %q, exit %d, %v; want %q, exit 2", env, stderr, code, err, want)
		}
	}
}
