package survey

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hopquote/hopquote/bench/simnet/internet"
)

// What a survey writes to is nobody else's while it runs: neither another survey
// nor one that goes on from its checkpoint writes there. Once it is gone, however
// it went, its survey can be gone on with.
func TestClaimed(t *testing.T) {
	n := open(t, internet.Config{Seed: 6, MinHops: 6, MaxHops: 9})
	dir := t.TempDir()
	out, kept, parts := filepath.Join(dir, "out"), filepath.Join(dir, "kept"), filepath.Join(dir, "parts")
	running, _, stderr := command(t, "--rate", "1", "--mode", "full", "-m", "9", "--status", "none", "-o", "jsonl:"+out, "-o", "parquet:"+parts, "--checkpoint", kept, "20.0.0.0/30")
	if err := n.Host(internet.Prober).Start(running); err != nil {
		t.Fatal(err)
	}
	ended := false
	t.Cleanup(func() {
		if !ended {
			_ = running.Process.Kill()
			_ = running.Wait()
		}
	})
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		if _, err := os.Stat(kept); err == nil {
			break // it is there before the first probe
		}
		if time.Now().After(deadline) {
			t.Fatalf("no checkpoint: %s", stderr)
		}
	}
	for _, other := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"-o", "jsonl:" + out, "--overwrite", "20.0.1.0/30"}, exitFailed, "output jsonl:" + out + ": another program is writing to it"},
		{[]string{"--resume", kept}, exitUsage, "checkpoint " + kept + ": its survey still runs"},
	} {
		got := survey(t, n, "", append(other.args, "--rate", "max", "--status", "none")...)
		if got.code != other.code || !strings.Contains(got.stderr, other.want) {
			t.Errorf("%q: exit %d, %swant %d, %q", other.args, got.code, got.stderr, other.code, other.want)
		}
	}
	_ = running.Process.Signal(syscall.SIGKILL)
	_ = running.Wait()
	ended = true
	if got := survey(t, n, "", "--resume", kept, "--rate", "max", "--status", "none"); got.code != exitDone {
		t.Fatalf("exit %d: %s", got.code, got.stderr)
	}
	if traces := stopsOf(t, out); len(traces) != 4 {
		t.Errorf("%d traces, want 4", len(traces))
	}
}
