package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// formats are the outputs that a trace writes.
var formats = []string{"--format=text", "--format=json"}

// TestStdoutFull writes to a device that has no room.
func TestStdoutFull(t *testing.T) {
	n := openSilent(t)
	for _, format := range formats {
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Skipf("needs /dev/full: %v", err)
		}
		defer full.Close()
		cmd := exec.Command(ours(), "-n", "-w", "1", "-m", "3", format, farHost)
		cmd.Stdout = full
		same(t, finish(t, n.Host("h1"), cmd), result{Stderr: "write standard output: No space left on device\n", Code: 1})
	}
}

// TestReaderGone has a standard output whose reader was never there.
func TestReaderGone(t *testing.T) {
	n := openSilent(t)
	for _, format := range formats {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		p := startIn(t, n.Host("h1"), func(cmd *exec.Cmd) { cmd.Stdout = w }, ours(), "-n", "-w", "20", "-m", "1", format, farHost)
		w.Close()
		same(t, p.end(), result{Stderr: "write standard output: Broken pipe\n", Code: 1})
	}
}

// TestReaderGoesAway reads the header and then closes the pipe, as head -1
// does, before the second hop's probes join those that may wait for twenty
// seconds.
func TestReaderGoesAway(t *testing.T) {
	n := openSilent(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	p := startIn(t, n.Host("h1"), func(cmd *exec.Cmd) { cmd.Stdout = w },
		ours(), "-n", "-w", "20", "-z", "0.3", farHost)
	w.Close()
	buf := make([]byte, len(header4))
	if _, err := r.Read(buf); err != nil || string(buf) != header4 {
		t.Fatalf("read %q, %v; want the header", buf, err)
	}
	r.Close()
	same(t, p.end(), result{Stderr: "write standard output: Broken pipe\n", Code: 1})
}

// TestNoStdout runs without a file descriptor 1: the Go runtime puts
// /dev/null in its place, open for reading and writing, so that no socket can
// take the number and be written to. A shell's >/dev/null is open for writing
// only, but nothing tells the runtime's from what Python's subprocess.DEVNULL
// and Node's stdio "ignore" give, which must not fail. traceroute says nothing
// either.
func TestNoStdout(t *testing.T) {
	n := openLab(t, "line")
	for _, format := range formats {
		for _, none := range []string{">&-", ">/dev/null", "1<>/dev/null"} {
			same(t, runIn(t, n.Host("h1"), "/bin/sh", "-c", `exec "$0" "$@" `+none, ours(), "-n", format, farHost), result{})
		}
	}
}

func TestCaptureRefused(t *testing.T) {
	n := openLab(t, "line")
	dir := t.TempDir()
	for _, tt := range []struct {
		name, file, want string
	}{
		{"full device", "/dev/full", "capture: write /dev/full: no space left on device"},
		{"directory", dir, "capture: open " + dir + ": is a directory"},
		{"missing folder", dir + "/no/out", "capture: open " + dir + "/no/out: no such file or directory"},
		{"standard output", "-", `capture: "-" (standard output) is not possible, since the results go there; give a file name`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := runIn(t, n.Host("h1"), ours(), "-n", "--pcap="+tt.file, farHost)
			same(t, got, result{Stdout: header4, Stderr: "\n" + tt.want + "\n", Code: 1})
			got = runIn(t, n.Host("h1"), ours(), "-n", "--format=json", "--pcap="+tt.file, farHost)
			if got.Code != 1 || got.Stderr != tt.want+"\n" {
				t.Errorf("exit code %d, stderr %q; want 1, %q", got.Code, got.Stderr, tt.want)
			}
			d := readDocument(t, got.Stdout)
			if d.StopReason != "error" || d.Error == nil || *d.Error != tt.want {
				t.Errorf("stop reason %q, error %v", d.StopReason, d.Error)
			}
		})
	}
}

// TestCaptureOutgrowsItsRoom runs into a limit on file sizes as it would into
// the end of a disk: the trace is whole, the capture is not. No line is under
// way on standard output that an empty one would have to end.
func TestCaptureOutgrowsItsRoom(t *testing.T) {
	n := openLab(t, "line")
	for _, format := range formats {
		file := filepath.Join(t.TempDir(), "out.pcapng")
		got := runIn(t, n.Host("h1"), "/bin/sh", "-c", `ulimit -f 1; exec "$0" "$@"`,
			ours(), "-n", patient, "--pcap="+file, format, farHost).timeless()
		failure := fmt.Sprintf("capture: write %s: file too large\n", file)
		if format == "--format=text" {
			same(t, got, result{Stdout: wholeLine, Stderr: failure, Code: 1})
			continue
		}
		if d := readDocument(t, got.Stdout); got.Code != 1 || got.Stderr != failure || d.StopReason != "reached" {
			t.Errorf("exit code %d, stderr %q, stop reason %q; want 1, %q, reached", got.Code, got.Stderr, d.StopReason, failure)
		}
	}
}

// wholeLine is the trace of the topology "line".
const wholeLine = header4 + `
 1  192.168.100.20  X ms  X ms  X ms
 2  192.168.110.20  X ms  X ms  X ms
 3  192.168.120.20  X ms  X ms  X ms
`

func TestCapture(t *testing.T) {
	n := openLab(t, "line")
	for _, args := range [][]string{{farHost}, {"-I", farHost}, {"-T", farHost}, {farHost6}} {
		file := filepath.Join(t.TempDir(), "out.pcapng")
		args = append([]string{"-n", "-N1", patient, "--pcap=" + file}, args...)
		if got := runIn(t, n.Host("h1"), ours(), args...); got.Code != 0 || got.Stderr != "" {
			t.Errorf("%s: %+v", strings.Join(args, " "), got)
		}
		if out, in := directions(t, file); out != 9 || in != 9 {
			t.Errorf("%s: %d frames out and %d in; want 9 and 9", strings.Join(args, " "), out, in)
		}
	}
}

// TestCaptureForbidden is an ordinary user's, with the capability on the file.
func TestCaptureForbidden(t *testing.T) {
	n := openLab(t, "line")
	program := privileged(t, "cap_net_raw+ep")
	file := filepath.Join(t.TempDir(), "out.pcapng")
	got := finish(t, n.Host("h1"), asNobody(t, program, "-n", "--pcap="+file, farHost))
	same(t, got, result{Stdout: header4, Stderr: "\ncapture: open " + file + ": permission denied\n", Code: 1})
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("the file is there: %v", err)
	}
}
