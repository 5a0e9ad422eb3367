package main

import (
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hopquote/hopquote/bench/lab"
)

// silentServer changes a command so that it finds a name server that never
// answers, and skips where that can't be done.
func silentServer(t *testing.T, n *lab.Net) func(*exec.Cmd) {
	t.Helper()
	const server = "203.0.113.53"
	swallow := lab.Route{Dst: netip.MustParsePrefix(server + "/32"), Type: lab.Blackhole}
	if err := n.Host("r1").AddRoute(swallow); err != nil {
		t.Fatal(err)
	}
	conf := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(conf, []byte("nameserver "+server+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	const mount = `mount --bind "$0" /etc/resolv.conf`
	apart := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	try := exec.Command("/bin/sh", "-c", mount, conf)
	try.SysProcAttr = apart
	if out, err := try.CombinedOutput(); err != nil {
		t.Skipf("can't give a program a resolv.conf of its own: %v: %s", err, out)
	}
	return func(cmd *exec.Cmd) {
		cmd.Args = append([]string{"/bin/sh", "-c", mount + `; shift 0; exec "$@"`, conf}, cmd.Args...)
		cmd.Path = "/bin/sh"
		cmd.SysProcAttr = apart
	}
}

// TestSilentNameServer waits for names once, not once for each hop, and the
// probes wait for none.
func TestSilentNameServer(t *testing.T) {
	t.Parallel()
	n := openLab(t, "long")
	change := silentServer(t, n)
	const last = "10.0.16.20"
	for _, format := range formats {
		start := time.Now()
		p := startIn(t, n.Host("h1"), change, ours(), format, last)
		select {
		case <-p.ended:
		case <-time.After(limit):
			t.Fatal("does not end")
		}
		got, took := p.end(), time.Since(start)
		if got.Code != 0 || got.Stderr != "" || !strings.Contains(got.Stdout, last) {
			t.Errorf("%+v", got)
		}
		// Each address may take five seconds, and all of the path's answer
		// within one.
		if took > 9*time.Second {
			t.Errorf("%s: took %v", format, took)
		}
		if format == "--format=json" {
			continue
		}
		if lines := strings.Count(got.Stdout, "\n"); lines != 18 {
			t.Errorf("%d lines, want the header and 17 hops: %q", lines, got.Stdout)
		}
	}
}

// TestInterruptedNames ends at once although a look-up is under way.
func TestInterruptedNames(t *testing.T) {
	t.Parallel()
	n := openSilent(t)
	change := silentServer(t, n)
	for _, format := range formats {
		for _, args := range []string{"-N1 -q1 -w 20 " + farHost, "-N1 -q1 -m 1 " + farHost} {
			start := time.Now()
			p := startIn(t, n.Host("h1"), change, ours(), append([]string{format}, strings.Fields(args)...)...)
			p.awaitLookup()
			p.signal(syscall.SIGINT)
			got := p.end().timeless()
			if took := time.Since(start); took > 4*time.Second {
				t.Errorf("%s %s: took %v", format, args, took)
			}
			if got.Code != 130 || got.Stderr != "" {
				t.Errorf("%s %s: %+v", format, args, got)
			}
			if format == "--format=json" {
				readDocument(t, got.Stdout)
			} else if !strings.HasSuffix(got.Stdout, "\n 1  192.168.100.20 (192.168.100.20)  X ms\n") {
				t.Errorf("%s %s: %q", format, args, got.Stdout)
			}
		}
	}
}
