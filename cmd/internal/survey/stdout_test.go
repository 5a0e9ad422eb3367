package survey

import (
	"bytes"
	"encoding/json"
	"io"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/hopquote/hopquote/bench/simnet/internet"
)

// What the runs of a survey write to standard output, one behind the other, is
// what one run would have written: no trace comes unfinished, none twice, and
// there is one beginning and one end.
func TestStandardOutput(t *testing.T) {
	truth := internet.Config{Seed: 5, MinHops: 6, MaxHops: 10, Silent: 5}
	n := open(t, truth)
	for _, mode := range modes {
		for _, kind := range []string{"jsonl", "scamper-json"} {
			t.Run(mode+"/"+kind, func(t *testing.T) {
				var out bytes.Buffer
				kept := t.TempDir() + "/kept"
				args := []string{
					"--mode", mode, "--status=json", "--status-interval=20ms", "--rate=1k", "-m", "12", "-w", "1s", "--checkpoint", kept,
					"-o", kind + ":-", "20.1.0.0/26", "2600:1:2:3::/124",
				}
				held, whole := 0, false
				for range 2 {
					signal, lines, wait := startedOn(t, n.Host(internet.Prober), &out, args...)
					more(lines, 60)
					signal(syscall.SIGINT)
					rest, _ := io.ReadAll(lines)
					if whole = wait() == exitDone; whole {
						t.Logf("it came to its end before: %s", rest)
						break
					}
					held += strings.Count(string(rest), "unfinished traces are in the checkpoint, not in standard output")
					args = []string{"--resume", kept, "--status=json", "--status-interval=20ms"}
				}
				if !whole {
					_, lines, wait := startedOn(t, n.Host(internet.Prober), &out, args...)
					if rest, _ := io.ReadAll(lines); wait() != exitDone {
						t.Fatalf("it did not come to its end: %s", rest)
					}
					if held == 0 && mode == "random" { // which holds them all back
						t.Error("nobody was told of the traces that were held back")
					}
				}
				checkStandardOutput(t, kind, out.Bytes())
			})
		}
	}
}

// checkStandardOutput wants all traces of TestStandardOutput, each once.
func checkStandardOutput(t *testing.T, kind string, out []byte) {
	t.Helper()
	traces, others := map[netip.Addr]int{}, ""
	for line := range bytes.Lines(out) {
		var o struct {
			Type, StopReason string
			Target, Dst      netip.Addr
			Reason           string `json:"stop_reason"`
		}
		if err := json.Unmarshal(line, &o); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		switch {
		case kind == "jsonl":
			traces[o.Target]++
		case o.Type == "trace":
			traces[o.Dst]++
		default:
			others += o.Type + " "
		}
		if o.Reason == "unfinished" {
			t.Errorf("an unfinished trace: %s", line)
		}
	}
	for a, times := range traces {
		if times != 1 {
			t.Errorf("%s %d times", a, times)
		}
	}
	if want := map[string]string{"jsonl": "", "scamper-json": "cycle-start cycle-stop "}[kind]; len(traces) != 64+16 || others != want {
		t.Errorf("%d traces, and %q; want 80, and %q", len(traces), others, want)
	}
}

// After a kill nobody knows what went through a pipe.
func TestPipeKilled(t *testing.T) {
	n := open(t, internet.Config{Seed: 5})
	dir := t.TempDir()
	pipe := dir + "/pipe"
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(pipe, os.O_RDWR, 0) // so that nobody waits for the other end
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	go func() { _, _ = io.Copy(io.Discard, f) }()
	signal, lines, wait := started(t, n, "--status=json", "--status-interval=20ms", "--checkpoint", dir+"/kept", "-o", "replies:"+pipe, "20.0.0.0/16")
	until(t, lines)
	signal(syscall.SIGKILL)
	_, _ = io.Copy(io.Discard, lines)
	wait()
	r := survey(t, n, "", "--resume", dir+"/kept")
	if want := "what went to " + pipe + " after the checkpoint can't be taken back"; r.code == exitDone || !strings.Contains(r.stderr, want) {
		t.Errorf("exit code %d: %s; want %s", r.code, r.stderr, want)
	}
}
