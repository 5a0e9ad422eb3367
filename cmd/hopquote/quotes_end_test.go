package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"github.com/hopquote/hopquote/frame"
)

// longCapture has pairs of a probe and its answer.
func longCapture(t *testing.T, pairs int) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := pcapgo.NewWriter(&buf)
	if err := w.WriteFileHeader(65535, layers.LinkTypeRaw); err != nil {
		t.Fatal(err)
	}
	p := frame.Probe{
		Method: frame.UDP, Src: netip.MustParseAddr("10.9.9.1"), Dst: netip.MustParseAddr("10.2.2.2"), Size: 60, TTL: 1, DstPort: 33434,
	}
	template, err := frame.NewTemplate(frame.Link{}, &p)
	if err != nil {
		t.Fatal(err)
	}
	probe := make([]byte, template.Len())
	at := time.Unix(1700000000, 0)
	for i := range pairs {
		p.ID, p.SrcPort = uint16(i), 20000+uint16(i%30000)
		template.Put(probe, &p)
		m := frame.ErrorMessage{From: netip.MustParseAddr("10.1.1.1"), To: p.Src, TTL: 64, Type: 11, Quote: probe}
		for _, b := range [][]byte{probe, m.Append(nil)} {
			at = at.Add(time.Microsecond)
			if err := w.WritePacket(gopacket.CaptureInfo{Timestamp: at, CaptureLength: len(b), Length: len(b)}, b); err != nil {
				t.Fatal(err)
			}
		}
	}
	return buf.Bytes()
}

// manyPairs make far more output than a pipe and the program's buffer hold.
const manyPairs = 60_000

// TestQuotesInterrupted ends the program while it waits for its reader, and
// while it waits for a pipe that it reads: the records are whole, the totals are
// those of the records and tell of the signal, as the exit code does.
func TestQuotesInterrupted(t *testing.T) {
	long := longCapture(t, manyPairs)
	path := filepath.Join(t.TempDir(), "long.pcap")
	if err := os.WriteFile(path, long, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, sig := range []struct {
		syscall.Signal
		name string
		code int
	}{{syscall.SIGINT, "SIGINT", 130}, {syscall.SIGTERM, "SIGTERM", 143}} {
		for _, from := range []string{path, "-"} {
			cmd := exec.Command(filepath.Join(binaries, "hopquote"), "quotes", "--format=jsonl", from)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if from == "-" { // a third of it, and then nothing, and no end
				stdin, err := cmd.StdinPipe()
				if err != nil {
					t.Fatal(err)
				}
				go func() { _, _ = stdin.Write(long[:len(long)/3]) }()
				defer stdin.Close()
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			overdue := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
			defer overdue.Stop()
			r := bufio.NewReader(stdout)
			first, err := r.ReadString('\n')
			if err != nil {
				t.Fatalf("%s: %v: %s", from, err, stderr.String())
			}
			if err := cmd.Process.Signal(sig.Signal); err != nil {
				t.Fatal(err)
			}
			rest, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); code != sig.code {
				t.Errorf("%s %s: exit %d, want %d", sig.name, from, code, sig.code)
			}
			if want := "hopquote quotes: ended by " + sig.name + "; what was read until then is reported\n"; stderr.String() != want {
				t.Errorf("%s %s: stderr %q, want %q", sig.name, from, stderr.String(), want)
			}
			checkPartial(t, first+string(rest), sig.name)
		}
	}
}

// checkPartial wants whole records, whose sums are the totals', which are those of
// a part of the capture.
func checkPartial(t *testing.T, text, signal string) {
	t.Helper()
	replies, told := 0, false
	for line := range strings.Lines(text) {
		var l struct {
			Type                     string
			Packets, Probes, Replies int
			Interrupted              *string
			Damage                   []string
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil || !strings.HasSuffix(line, "\n") {
			t.Fatalf("%q: %v", line, err)
		}
		switch l.Type {
		case "reply":
			replies++
		case "totals":
			told = true
			if l.Replies != replies || l.Probes+l.Replies != l.Packets || l.Packets >= 2*manyPairs {
				t.Errorf("%s: totals %+v of %d replies", signal, l, replies)
			}
			if l.Interrupted == nil || *l.Interrupted != signal || len(l.Damage) != 0 {
				t.Errorf("totals %s: want interrupted by %s, no damage", line, signal)
			}
		}
	}
	if !told || replies == 0 {
		t.Errorf("%s: %d replies, totals told: %v", signal, replies, told)
	}
}

// TestQuotesReaderLeaves closes standard output after one line, as head does.
func TestQuotesReaderLeaves(t *testing.T) {
	path := filepath.Join(t.TempDir(), "long.pcap")
	if err := os.WriteFile(path, longCapture(t, manyPairs), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"jsonl", "csv", "text"} {
		cmd := exec.Command(filepath.Join(binaries, "hopquote"), "quotes", "--format="+format, "--table=replies", path)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
			t.Error(err)
		}
		stdout.Close()
		_ = cmd.Wait()
		if status := cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGPIPE || stderr.Len() != 0 {
			t.Errorf("%s: %v, stderr %q, want the end by SIGPIPE alone", format, cmd.ProcessState, stderr.String())
		}
	}
}

// TestQuotesDiskFull wants an output that can't be written told in a line.
func TestQuotesDiskFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "short.pcap")
	if err := os.WriteFile(path, longCapture(t, 20), 0o600); err != nil {
		t.Fatal(err)
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skipf("no full disk: %v", err)
	}
	defer full.Close()
	for _, args := range [][]string{{"--format=jsonl", path}, {"--format=csv", path}, {path}, {"--explain"}, {"--identity"}, {"--help"}} {
		cmd := exec.Command(filepath.Join(binaries, "hopquote"), slices.Insert(args, 0, "quotes")...)
		var stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = full, &stderr
		err := cmd.Run()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 1 || stderr.String() != "hopquote quotes: write /dev/stdout: no space left on device\n" {
			t.Errorf("%q: %v, stderr %q", args, err, stderr.String())
		}
	}
}
