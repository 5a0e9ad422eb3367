package main

import (
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/hopquote/hopquote/bench/lab"
)

// TestLargestWindow has every probe that there can be in flight at once, each
// with a source port of its own.
func TestLargestWindow(t *testing.T) {
	t.Parallel()
	n := openSilent(t)
	for _, args := range [][]string{{farHost}, {"-T", farHost}, {"-U", farHost6}, {"-I", farHost}} {
		args = append([]string{"-n", "-N", "3000", "-q", "10", "-m", "255", "-w", "1,0,0", "--format=json"}, args...)
		got := runIn(t, n.Host("h1"), ours(), args...)
		if got.Code != 0 || got.Stderr != "" {
			t.Fatalf("%s: exit code %d, stderr %q", strings.Join(args, " "), got.Code, got.Stderr)
		}
		d := readDocument(t, got.Stdout)
		if d.StopReason != "max_hops" || d.Counts.Sent != 2550 || d.Counts.Answered != 10 {
			t.Errorf("%s: stop reason %q, %d sent, %d answered; want max_hops, 2550, 10",
				strings.Join(args, " "), d.StopReason, d.Counts.Sent, d.Counts.Answered)
		}
	}
}

// TestPortsHeld looks at the ports of the largest window from outside.
func TestPortsHeld(t *testing.T) {
	n := openSilent(t)
	p := startIn(t, n.Host("h1"), nil, ours(), "-n", "-N", "3000", "-q", "10", "-m", "255", "-w", "20", farHost)
	p.awaitPorts("2540", func(held int) bool { return held == 2540 })
	p.signal(syscall.SIGINT)
	if got := p.end(); got.Code != 130 || got.Stderr != "" || !strings.HasSuffix(got.Stdout, " ms\n") {
		t.Errorf("%+v", got)
	}
}

// TestFewFiles lets the program open so few files that the window can't fill:
// probes then wait until others give their ports back.
func TestFewFiles(t *testing.T) {
	t.Parallel()
	n := openSilent(t)
	got := limited(t, n.Host("h1"), 64, "-n", "-N", "3000", "-q", "10", "-m", "20", "-w", "0.2,0,0", "--format=json", farHost)
	if got.Code != 0 || got.Stderr != "" {
		t.Fatalf("exit code %d, stderr %q", got.Code, got.Stderr)
	}
	if d := readDocument(t, got.Stdout); d.StopReason != "max_hops" || d.Counts.Sent != 200 {
		t.Errorf("stop reason %q, %d sent; want max_hops, 200", d.StopReason, d.Counts.Sent)
	}
	if got := limited(t, n.Host("h1"), 64, "-n", "-I", "-N", "3000", "-m", "3", "-w", "0.2", farHost); got.Code != 0 {
		t.Errorf("%+v", got)
	}
}

// TestTooFewFiles goes from the least that the Go runtime itself needs up to
// where a trace works. Wherever the limit strikes, one line tells of it.
func TestTooFewFiles(t *testing.T) {
	const least, enough = 8, 40
	n := openLab(t, "line")
	struck := 0
	for files := least; ; files++ {
		got := limited(t, n.Host("h1"), files, "-n", "-m", "1", farHost)
		if got.Code == 0 {
			break
		}
		struck++
		line := strings.TrimPrefix(got.Stderr, "\n")
		if got.Code != 1 || strings.Count(line, "\n") != 1 ||
			!strings.Contains(strings.ToLower(line), "too many open files: ") ||
			!regexp.MustCompile(fmt.Sprintf(`\b%d\b.* \(RLIMIT_NOFILE\)\n$`, files)).MatchString(line) {
			t.Fatalf("%d files: exit code %d, stderr %q", files, got.Code, got.Stderr)
		}
		if files > enough {
			t.Fatalf("%d files do not do", files)
		}
	}
	if struck == 0 {
		t.Errorf("%d files are enough", least)
	}
}

// limited runs the program with a limit on open files, soft and hard.
func limited(t *testing.T, h *lab.Host, files int, args ...string) result {
	t.Helper()
	script := fmt.Sprintf(`ulimit -n %d; exec "$0" "$@"`, files)
	return finish(t, h, exec.Command("/bin/sh", append([]string{"-c", script, ours()}, args...)...))
}
