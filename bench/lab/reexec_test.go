package lab

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// nobody is an ordinary user's number and group.
const nobody = 65534

// asOrdinaryUser makes cmd run as one. When these tests themselves run as one
// they already are in the user namespace that Reexec made, and in it there is
// no other user.
func asOrdinaryUser(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	Skip(t)
	if os.Getuid() != 0 || Reexecuted() {
		t.Skip("needs root, to become an ordinary user; RunTests has just proven Reexec instead")
	}
	cmd.SysProcAttr = ownSession()
	cmd.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
}

func TestOrdinaryUserBuildsNetworks(t *testing.T) {
	cmd := helperCommand("trial")
	asOrdinaryUser(t, cmd)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.Run()
	if strings.Contains(errs.String(), "test networks need root") {
		t.Skip(errs.String())
	}
	// 42 and not 0: the status comes through Reexec.
	if got := ExitStatus(cmd.ProcessState); got != 42 {
		t.Fatalf("status %d, want 42; it said %q", got, &errs)
	}
	if got, want := out.String(), "uid 0 reexecuted true marker false again <nil>"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestReexecInProcessThatMay(t *testing.T) {
	Skip(t)
	if err := Reexec(); err != nil {
		t.Errorf("Reexec: %v", err)
	}
}

// startHolder starts the helper "hold" and reads what it tells.
func startHolder(t *testing.T, cmd *exec.Cmd) (child int, ns pinned) {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the helper told nothing: %v", err)
	}
	var name string
	if _, err := fmt.Sscanf(line, "%d %s", &child, &name); err != nil {
		t.Fatalf("the helper told %q: %v", line, err)
	}
	ns = pin(t, fmt.Sprintf("/proc/%d/ns/net", child))
	if ns.name != name || ns.free() {
		t.Fatalf("the child is in %s, the helper told %s; held by the test only: %v", ns.name, name, ns.free())
	}
	return child, ns
}

func TestKilledProcessLeavesNothing(t *testing.T) {
	for _, tt := range []struct {
		name string
		user func(*testing.T, *exec.Cmd)
	}{
		{"same user", func(t *testing.T, _ *exec.Cmd) { Skip(t) }},
		{"ordinary user", asOrdinaryUser},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cmd := helperCommand("hold")
			tt.user(t, cmd)
			child, ns := startHolder(t, cmd)
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the program in the network has ended", func() bool {
				return unix.Kill(child, 0) == unix.ESRCH || isZombie(child)
			})
			eventually(t, "nothing else holds the namespace", ns.free)
		})
	}
}

// isZombie tells of a process that has ended but that its new parent has not
// waited for.
func isZombie(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	return len(fields) > 0 && fields[0] == "Z"
}

func TestReexecPassesSignalsOn(t *testing.T) {
	cmd := helperCommand("hold")
	asOrdinaryUser(t, cmd)
	_, ns := startHolder(t, cmd)
	if err := cmd.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if got := ExitStatus(cmd.ProcessState); got != 143 {
		t.Errorf("status %d, want 143", got)
	}
	eventually(t, "nothing else holds the namespace", ns.free)
}

func TestForbiddenIsExplained(t *testing.T) {
	cmd := helperCommand("forbidding")
	asOrdinaryUser(t, cmd)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v; it said %q", err, out)
	}
	got := string(out)
	if !strings.Contains(got, "user.max_user_namespaces is 0") || strings.Contains(got, "\n") {
		t.Errorf("the error is %q, want one line that names user.max_user_namespaces", got)
	}
}
