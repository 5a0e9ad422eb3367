package survey

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/frame"
)

// started is a survey that runs until it is stopped, with its standard error.
func started(t *testing.T, n *internet.Net, args ...string) (signal func(syscall.Signal), lines *bufio.Reader, wait func() int) {
	t.Helper()
	return startedOn(t, n.Host(internet.Prober), io.Discard, args...)
}

// startedOn is started on a host, with somewhere for its standard output.
func startedOn(t *testing.T, h *lab.Host, out io.Writer, args ...string) (signal func(syscall.Signal), lines *bufio.Reader, wait func() int) {
	t.Helper()
	cmd, _, _ := command(t, args...)
	cmd.Stdout = out
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = w
	if err := h.Start(cmd); err != nil {
		t.Fatal(err)
	}
	w.Close()
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = r.Close() })
	return func(s syscall.Signal) { _ = cmd.Process.Signal(s) }, bufio.NewReader(r), func() int {
		_ = cmd.Wait()
		return cmd.ProcessState.ExitCode()
	}
}

// brokenOff kills a survey that keeps a checkpoint, after so many probes, goes on
// with it, interrupts that, and goes on with it to its end.
func brokenOff(t *testing.T, h *lab.Host, checkpoint string, probes uint64, args ...string) {
	t.Helper()
	args = append(args, "--checkpoint", checkpoint)
	for _, by := range []syscall.Signal{syscall.SIGKILL, syscall.SIGINT, 0} {
		signal, lines, wait := startedOn(t, h, io.Discard, append(args, "--status=json", "--status-interval=20ms")...)
		if by != 0 {
			more(lines, probes)
			signal(by)
		}
		rest, _ := io.ReadAll(lines)
		switch code := wait(); {
		case code == exitDone && by == 0:
		case code == exitDone:
			t.Logf("it came to its end before: %s", rest)
			return
		case by == 0:
			t.Fatalf("exit code %d: %s", code, rest)
		}
		args = []string{"--resume", checkpoint}
	}
}

// until reads lines up to one that is JSON of a run under way.
func until(t *testing.T, lines *bufio.Reader) report {
	t.Helper()
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		var r report
		if json.Unmarshal([]byte(line), &r) == nil && r.Sent > 0 {
			return r
		}
	}
}

// more reads lines until so many more probes left than at the first of them, or
// the run ends.
func more(lines *bufio.Reader, probes uint64) {
	var first uint64
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		var r report
		if json.Unmarshal([]byte(line), &r) != nil || r.Sent == 0 {
			continue
		}
		if first == 0 {
			first = r.Sent
		}
		if r.Sent >= first+probes {
			return
		}
	}
}

// An interrupt ends the sending, lets what is in flight be answered, and keeps
// every result.
func TestInterrupt(t *testing.T) {
	truth := internet.Config{Seed: 5, Silent: 10}
	for _, mode := range modes {
		n := open(t, truth)
		dir := t.TempDir()
		signal, lines, wait := started(t, n, "--mode", mode, "--status=json", "--status-interval=20ms", "--rate=2k", "-w", "1s",
			"-o", "replies:"+dir+"/out", "-o", "jsonl:"+dir+"/traces", "--metadata", dir+"/meta", "20.0.0.0/16")
		if r := until(t, lines); r.Total == 0 || r.AskedPPS != 2000 {
			t.Errorf("%s: report %+v", mode, r)
		}
		signal(syscall.SIGINT)
		rest, _ := io.ReadAll(lines)
		if code := wait(); code != 130 {
			t.Errorf("%s: exit code %d: %s", mode, code, rest)
		}
		var meta metadata
		read(t, dir+"/meta", &meta)
		c, _ := n.Counters()
		total := c.Total()
		got := readReplies(t, dir+"/out", truth, frame.UDP)
		if meta.Complete || meta.Reason != "interrupt" || meta.Counts.InFlight != 0 || meta.Counts.Sent != total.Asked || len(got) != int(total.Answered) {
			t.Errorf("%s: %d replies, complete %v, reason %q, counts %+v, the Internet's %+v", mode, len(got), meta.Complete, meta.Reason, meta.Counts, total)
		}
		if !strings.Contains(string(rest), "in flight 0") {
			t.Errorf("%s: no balance in %q", mode, rest)
		}
	}
}

// Where a second interrupt comes, nothing is waited for.
func TestSecondInterrupt(t *testing.T) {
	n := open(t, internet.Config{Seed: 5, Silent: 100})
	dir := t.TempDir()
	signal, lines, wait := started(t, n, "--mode=random", "--status=json", "--status-interval=20ms", "-w", "1m", "-o", "replies:"+dir+"/out",
		"--metadata", dir+"/meta", "20.0.0.0/16")
	until(t, lines)
	signal(syscall.SIGINT)
	signal(syscall.SIGTERM)
	_, _ = io.Copy(io.Discard, lines)
	var meta metadata
	if code := wait(); code != 130 && code != 143 {
		t.Errorf("exit code %d", code)
	}
	if read(t, dir+"/meta", &meta); meta.Counts.InFlight == 0 || !meta.Counts.Balanced() {
		t.Errorf("counts %+v", meta.Counts)
	}
}

// SIGUSR1 tells how far a run is that reports nothing else: it is sent once
// replies are there, when its handler stands.
func TestReportOnDemand(t *testing.T) {
	n := open(t, internet.Config{Seed: 5})
	signal, lines, wait := started(t, n, "--status=none", "--status-interval=1h", "-o", "replies:/dev/null", "20.0.0.0/16")
	for c, _ := n.Counters(); c.Total().Answered < 100; c, _ = n.Counters() {
		time.Sleep(5 * time.Millisecond)
	}
	signal(syscall.SIGUSR1)
	if got, err := lines.ReadString('\n'); err != nil || strings.Contains(got, "sent 0,") || !strings.Contains(got, " left)") {
		t.Errorf("%q, %v", got, err)
	}
	signal(syscall.SIGINT)
	signal(syscall.SIGTERM)
	_, _ = io.Copy(io.Discard, lines)
	wait()
}

// An output that can't be written ends the run with code 3, what others have
// stays whole, and the line says which one it was.
func TestFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full")
	}
	truth := internet.Config{Seed: 5}
	n := open(t, truth)
	out := t.TempDir() + "/out"
	r := survey(t, n, "", "--rate=20k", "--mode=random", "-o", "replies:/dev/full", "-o", "replies:"+out, "20.0.0.0/8")
	if r.code != 3 || !strings.Contains(r.stderr, "write /dev/full: no space left on device") {
		t.Errorf("exit code %d: %s", r.code, r.stderr)
	}
	c, _ := n.Counters()
	if got := readReplies(t, out, truth, frame.UDP); len(got) != int(c.Total().Answered) {
		t.Errorf("%d replies of %d", len(got), c.Total().Answered)
	}
}

// A file with something in it is not written over unasked.
func TestOverwrite(t *testing.T) {
	n := open(t, internet.Config{Seed: 5})
	out := t.TempDir() + "/out"
	if err := os.WriteFile(out, []byte("days of work"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := survey(t, n, "", "-o", "jsonl:"+out, "20.0.0.1")
	if b, _ := os.ReadFile(out); r.code != 1 || !bytes.Equal(b, []byte("days of work")) || !strings.Contains(r.stderr, "--overwrite") {
		t.Errorf("exit code %d: %s", r.code, r.stderr)
	}
	if r := survey(t, n, "", "--overwrite", "-o", "jsonl:"+out, "20.0.0.1"); r.code != 0 {
		t.Errorf("exit code %d: %s", r.code, r.stderr)
	}
}
