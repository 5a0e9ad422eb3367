package labcmd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hopquote/hopquote/bench/lab"
)

// roleVar makes the test binary play hopquote, with a trace subcommand that
// only tells where it runs. Its value is what that trace then does.
const roleVar = "HOPQUOTE_LABCMD_TEST_ROLE"

func TestMain(m *testing.M) {
	role := os.Getenv(roleVar)
	if role == "" {
		os.Exit(lab.RunTests(m))
	}
	os.Exit(program(role, os.Args[1], os.Args[2:]))
}

func program(role, subcommand string, args []string) int {
	switch subcommand {
	case "lab":
		return Lab(args, os.Stdin, os.Stdout, os.Stderr)
	case "demo":
		return Demo(args, os.Stdin, os.Stdout, os.Stderr)
	case "ask":
		return ask(args[0])
	case "trace":
		fmt.Printf("trace %s on %s\n", strings.Join(args, " "), strings.Join(linkNames(), ","))
		switch {
		case role == "hang":
			time.Sleep(time.Hour)
		case role == "fail TCP" && args[0] == "-T":
			return 3
		}
		return 0
	}
	return 125
}

// ask sends a host a datagram and prints what it is told in return.
func ask(host string) int {
	conn, err := net.Dial("udp", net.JoinHostPort(host, "33434"))
	if err == nil {
		conn.SetDeadline(time.Now().Add(20 * time.Second))
		conn.Write([]byte("probe"))
		_, err = conn.Read(make([]byte, 1))
	}
	var errno unix.Errno
	if errors.As(err, &errno) {
		err = errno
	}
	fmt.Println(err)
	return 0
}

// linkNames are the interfaces of the namespace that we are in.
func linkNames() (names []string) {
	links, err := net.Interfaces()
	if err != nil {
		return []string{err.Error()}
	}
	for _, l := range links {
		if l.Name != "lo" {
			names = append(names, l.Name)
		}
	}
	return names
}

// hopquote is a command line of the played program. It has a session of its
// own: what signals do must not depend on a terminal.
func hopquote(t *testing.T, role string, args ...string) *exec.Cmd {
	t.Helper()
	lab.Skip(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), roleVar+"="+role)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: unix.SIGKILL}
	return cmd
}

// asOrdinaryUser makes cmd run as one, from a file that this user can reach.
func asOrdinaryUser(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if os.Getuid() != 0 || lab.Reexecuted() {
		t.Skip("needs root, to become an ordinary user; the other tests already run as one")
	}
	dir, err := os.MkdirTemp("", "labcmd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "hopquote")
	content, err := os.ReadFile(cmd.Path)
	if err == nil {
		err = os.WriteFile(file, content, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd.Path = file
	cmd.SysProcAttr.Credential = &syscall.Credential{Uid: 65534, Gid: 65534}
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
	cmd.Run()
	if cmd.ProcessState == nil {
		t.Fatalf("%q did not start", cmd.Args)
	}
	return result{lab.ExitStatus(cmd.ProcessState), out.String(), errs.String()}
}

// interrupt runs cmd, sends it the signal once it says mark, and gives its
// exit status.
func interrupt(t *testing.T, cmd *exec.Cmd, mark string, s unix.Signal) int {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd.Stdout = w
	err = cmd.Start()
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	var said strings.Builder
	for b := make([]byte, 512); !strings.Contains(said.String(), mark); {
		n, err := r.Read(b)
		said.Write(b[:n])
		if err != nil {
			t.Fatalf("it said %q, then %v", said.String(), err)
		}
	}
	if err := cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
	// The pipe ends when the last process that writes to it is gone.
	if _, err := io.Copy(io.Discard, r); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	return lab.ExitStatus(cmd.ProcessState)
}
