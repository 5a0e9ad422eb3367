package main

import (
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hopquote/hopquote/bench/lab"
)

// nobody is a user and group without any right.
const nobody = 65534

// asNobody is a command run by an ordinary user.
func asNobody(t *testing.T, program string, args ...string) *exec.Cmd {
	t.Helper()
	if lab.Reexecuted() || os.Getuid() != 0 {
		t.Skip("needs root: a user namespace of one user has no other to become")
	}
	cmd := exec.Command(program, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	return cmd
}

// installed copies the program to where every user can run it.
func installed(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "hopquote-installed-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	from, err := os.Open(filepath.Join(binaries, "hopquote"))
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	path := filepath.Join(dir, "traceroute")
	to, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(to, from); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// privileged is installed with file capabilities.
func privileged(t *testing.T, capabilities string) string {
	t.Helper()
	setcap, err := exec.LookPath("setcap")
	if err != nil {
		t.Skip("needs setcap: apt-get install libcap2-bin")
	}
	path := installed(t)
	if out, err := exec.Command(setcap, capabilities, path).CombinedOutput(); err != nil {
		t.Skipf("this file system or user can't set capabilities: %v: %s", err, out)
	}
	return path
}

// TestWithoutCapability gets one line of advice, before anything else.
func TestWithoutCapability(t *testing.T) {
	n := openLab(t, "line")
	path := installed(t)
	want := result{
		Stderr: "hopquote: probing needs the capability CAP_NET_RAW: run it as root, or once: sudo setcap cap_net_raw+ep " + path + "\n",
		Code:   1,
	}
	for _, args := range [][]string{{farHost}, {"-I", farHost}, {"-T", farHost}, {farHost6}, {"--format=json", farHost}} {
		same(t, finish(t, n.Host("h1"), asNobody(t, path, args...)), want)
	}
	// A command line that is wrong is told so first, and help needs nothing.
	got := finish(t, n.Host("h1"), asNobody(t, path, "-m", "256", farHost))
	same(t, got, result{Stderr: "max hops cannot be more than 255\n", Code: 2})
	if got := finish(t, n.Host("h1"), asNobody(t, path, "-V")); got.Code != 0 {
		t.Errorf("-V: %+v", got)
	}
}

// TestAdviceFits runs the command that the advice gives, as root would, with a
// path that a shell does not take as it is.
func TestAdviceFits(t *testing.T) {
	n := openLab(t, "line")
	privileged(t, "cap_net_raw+ep") // or skip
	path := installed(t)
	odd := filepath.Join(filepath.Dir(path), "it's a trace")
	if err := os.Rename(path, odd); err != nil {
		t.Fatal(err)
	}
	got := finish(t, n.Host("h1"), asNobody(t, odd, "-n", farHost))
	_, command, ok := strings.Cut(got.Stderr, "sudo ")
	if !ok {
		t.Fatalf("no command in %q", got.Stderr)
	}
	if out, err := exec.Command("/bin/sh", "-c", command).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", command, err, out)
	}
	same(t, finish(t, n.Host("h1"), asNobody(t, odd, "-n", patient, farHost)).timeless(), result{Stdout: wholeLine})
}

// TestWithCapability runs every method with CAP_NET_RAW alone.
func TestWithCapability(t *testing.T) {
	n := openLab(t, "line")
	path := privileged(t, "cap_net_raw+ep")
	for _, args := range []string{
		farHost, "-U " + farHost, "-I " + farHost, "-T " + farHost,
		farHost6, "-I " + farHost6, "-T " + farHost6,
		"-UL " + farHost, "-P 253 " + farHost, "-D " + farHost, "-M tcpconn " + farHost, "-M tcpconn -i veth1-h1 " + farHost6,
		"-UL -i veth1-h1 " + farHost, "-r -m 1 192.168.100.20",
		"-i veth1-h1 " + farHost, "-i veth1-h1 -T " + farHost6, "-s 192.168.100.10 --sport=4000 " + farHost,
		"-m 1 127.0.0.1", "-m 1 ::1", "-m 1 -I 192.168.100.10",
	} {
		got := finish(t, n.Host("h1"), asNobody(t, path, append([]string{"-n", patient}, strings.Fields(args)...)...))
		last := args[strings.LastIndex(args, " ")+1:]
		if got.Code != 0 || got.Stderr != "" || !strings.Contains(got.Stdout, "  "+last+"  ") {
			t.Errorf("%s: %+v", args, got)
		}
	}
	got := finish(t, n.Host("h1"), asNobody(t, path, "-n", "--sport=1023", farHost))
	same(t, got, result{Stdout: header4, Stderr: "\nbind: Permission denied\n", Code: 1})
	got = finish(t, n.Host("h1"), asNobody(t, path, "-n", "-d", farHost))
	same(t, got, result{Stdout: header4, Stderr: "\nsetsockopt SO_DEBUG: Permission denied\n", Code: 1})
	got = finish(t, n.Host("h1"), asNobody(t, path, "-n", "-I", "-d", farHost))
	same(t, got, result{Stderr: "\nsetsockopt SO_DEBUG: Permission denied\n", Code: 1})
	got = finish(t, n.Host("h1"), asNobody(t, path, "-n", "-T", "--sport=1023", farHost))
	same(t, got, result{Stderr: "\nbind: Permission denied\n", Code: 1})
}

// TestProbesWithoutCapability looks into the process while it probes: no
// thread has any capability left, whoever runs it and whatever it still does.
func TestProbesWithoutCapability(t *testing.T) {
	t.Parallel()
	n := openSilent(t)
	h1 := n.Host("h1")
	// A neighbour that never answers is asked for while the probes wait.
	for _, via := range []string{"192.168.100.77", "fd00:100::77"} {
		dst := netip.MustParsePrefix("203.0.113.0/24")
		if strings.Contains(via, ":") {
			dst = netip.MustParsePrefix("2001:db8::/32")
		}
		if err := h1.AddRoute(lab.Route{Dst: dst, Via: netip.MustParseAddr(via)}); err != nil {
			t.Fatal(err)
		}
	}
	const deadNeighbour, deadNeighbour6 = "203.0.113.9", "2001:db8::9"
	for _, u := range []struct {
		name    string
		command func(t *testing.T, args ...string) *exec.Cmd
	}{
		{"root", func(_ *testing.T, args ...string) *exec.Cmd { return exec.Command(ours(), args...) }},
		{"nobody", func(t *testing.T, args ...string) *exec.Cmd {
			return asNobody(t, privileged(t, "cap_net_raw+ep"), args...)
		}},
	} {
		for _, dst := range []string{farHost, farHost6, deadNeighbour, deadNeighbour6} {
			t.Run(u.name+" to "+dst, func(t *testing.T) {
				cmd := u.command(t, "-n", "-w", "20", dst)
				p := startIn(t, h1, func(c *exec.Cmd) { c.SysProcAttr = cmd.SysProcAttr }, cmd.Path, cmd.Args[1:]...)
				p.awaitPorts("at least 16", func(held int) bool { return held >= 16 })
				p.noCapabilities()
				if dst == deadNeighbour || dst == deadNeighbour6 {
					got := p.end().timeless()
					if got.Code != 0 || got.Stderr != "" || !strings.Contains(got.Stdout, "X ms !H  X ms !H  X ms !H\n") {
						t.Errorf("%+v", got)
					}
					return
				}
				p.signal(syscall.SIGINT)
				p.end()
			})
		}
	}
}

// noCapabilities checks every thread of the program.
func (p *running) noCapabilities() {
	p.t.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", p.cmd.Process.Pid))
	if err != nil || len(threads) == 0 {
		p.t.Fatalf("%d threads, %v", len(threads), err)
	}
	for _, file := range threads {
		status, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		found := 0
		for line := range strings.Lines(string(status)) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), ":\t")
			switch name {
			case "CapInh", "CapPrm", "CapEff", "CapAmb":
				found++
				if strings.Trim(value, "0") != "" {
					p.t.Errorf("%s: %s is %s", file, name, value)
				}
			}
		}
		if found != 4 {
			p.t.Errorf("%s tells of %d capability sets, not 4", file, found)
		}
	}
}
