package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

var interrupting = []struct {
	signal syscall.Signal
	code   int
}{{syscall.SIGINT, 130}, {syscall.SIGTERM, 143}}

func TestSignalText(t *testing.T) {
	for _, tt := range interrupting {
		n := openSilent(t)
		p := startIn(t, n.Host("h1"), nil, ours(), "-n", "-w", "20", farHost)
		p.awaitText("192.168.100.20")
		p.awaitFullWindow(n)
		p.signal(tt.signal)
		got := p.end().timeless()
		want := result{Stdout: header4 + "\n 1  192.168.100.20  X ms  X ms  X ms\n", Code: tt.code}
		same(t, got, want)
	}
}

func TestSignalBeforeAnyAnswer(t *testing.T) {
	n := openSilent(t)
	p := startIn(t, n.Host("h1"), nil, ours(), "-n", "-w", "20", "-f", "3", farHost)
	p.awaitText(header4)
	p.awaitPorts("at least 16", func(n int) bool { return n >= 16 })
	p.signal(syscall.SIGINT)
	same(t, p.end(), result{Stdout: header4 + "\n", Code: 130})
}

func TestSignalJSON(t *testing.T) {
	for _, tt := range interrupting {
		n := openSilent(t)
		p := startIn(t, n.Host("h1"), nil, ours(), "-n", "-w", "20", "--format=json", farHost)
		p.awaitFullWindow(n)
		p.signal(tt.signal)
		got := p.end()
		d := readDocument(t, got.Stdout)
		if got.Code != tt.code || got.Stderr != "" || d.StopReason != "interrupted" || d.Error != nil {
			t.Errorf("%v: exit code %d, stderr %q, stop reason %q, error %v", tt.signal, got.Code, got.Stderr, d.StopReason, d.Error)
		}
		if d.Counts.Answered != 3 || d.Counts.InFlight != 16 {
			t.Errorf("%v: %d answered, %d in flight; want 3 and 16", tt.signal, d.Counts.Answered, d.Counts.InFlight)
		}
	}
}

// TestSecondSignal has a reader that reads nothing, so that the first signal
// alone can't end the program.
func TestSecondSignal(t *testing.T) {
	n := openSilent(t)
	p := startIn(t, n.Host("h1"), func(cmd *exec.Cmd) { cmd.Stdout = fullPipe(t) },
		ours(), "-n", "-w", "20", "--format=json", farHost)
	p.awaitFullWindow(n)
	p.signal(syscall.SIGINT)
	p.awaitPorts("none", func(n int) bool { return n == 0 })
	p.signal(syscall.SIGINT)
	p.end()
	if s := p.cmd.ProcessState.Sys().(syscall.WaitStatus); !s.Signaled() || s.Signal() != syscall.SIGINT {
		t.Errorf("%v; want death by the signal", p.cmd.ProcessState)
	}
}

// fullPipe gives the writing end of a pipe that takes no more bytes.
func fullPipe(t *testing.T) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	if err := w.SetWriteDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = w.Write(make([]byte, 4096))
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	return w
}

func TestSignalLeavesCaptureReadable(t *testing.T) {
	n := openSilent(t)
	file := filepath.Join(t.TempDir(), "out.pcapng")
	p := startIn(t, n.Host("h1"), nil, ours(), "-n", "-w", "20", "--pcap="+file, farHost)
	p.awaitText("192.168.100.20")
	p.awaitFullWindow(n)
	p.signal(syscall.SIGTERM)
	if got := p.end(); got.Code != 143 || got.Stderr != "" {
		t.Errorf("exit code %d, stderr %q", got.Code, got.Stderr)
	}
	out, in := directions(t, file)
	if out != 19 || in != 3 {
		t.Errorf("%d frames out and %d in; want 19 and 3", out, in)
	}
}

// directions counts the frames of a capture by the direction that it notes.
func directions(t *testing.T, file string) (out, in int) {
	t.Helper()
	path, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("needs tshark to read the capture: apt-get install tshark")
	}
	// The flags' lowest two bits: 1 is inbound, 2 outbound (pcapng, epb_flags).
	text, err := exec.Command(path, "-n", "-r", file, "-T", "fields", "-e", "frame.packet_flags_direction", "-e", "ip.src").Output()
	if err != nil {
		t.Fatalf("tshark: %v", err)
	}
	for line := range strings.Lines(string(text)) {
		switch word := strings.Fields(line); strings.TrimLeft(word[0], "0x") {
		case "1":
			in++
		case "2":
			out++
		default:
			t.Errorf("tshark prints %q", line)
		}
	}
	return out, in
}
