package survey

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/cmd/internal/survey/checkpoint"
)

// Once a survey has gone on with its checkpoint elsewhere, the one that it went
// on from leads there, however the first run ended. Nobody else's checkpoint is
// written over.
func TestCheckpointMoves(t *testing.T) {
	n := open(t, internet.Config{Seed: 6, MinHops: 6, MaxHops: 9})
	for _, by := range []syscall.Signal{syscall.SIGINT, syscall.SIGKILL} {
		dir := t.TempDir()
		first, second, link, other := filepath.Join(dir, "first"), filepath.Join(dir, "second"), filepath.Join(dir, "link"), filepath.Join(dir, "other")
		signal, lines, wait := started(t, n, "--status=json", "--status-interval=20ms", "--rate=50", "--mode=full", "-m", "9", "-w", "200ms",
			"--checkpoint", first, "-o", "jsonl:"+dir+"/traces", "20.0.0.0/26")
		until(t, lines)
		signal(by)
		_, _ = io.ReadAll(lines)
		if code := wait(); code == exitDone {
			t.Fatal("it came to its end")
		}
		if err := os.WriteFile(other, []byte("something"), 0o600); err != nil {
			t.Fatal(err)
		}
		r := survey(t, n, "", "--resume", first, "--checkpoint", other, "--rate=max")
		if r.code != exitFailed || !strings.Contains(r.stderr, "--checkpoint "+other+": there is something in it") {
			t.Fatalf("exit code %d: %s", r.code, r.stderr)
		}
		if err := os.Symlink(first, link); err != nil {
			t.Fatal(err)
		}
		signal, lines, wait = started(t, n, "--resume", link, "--status=json", "--rate=50")
		until(t, lines)
		signal(by)
		_, _ = io.ReadAll(lines)
		if code := wait(); code == exitDone {
			t.Fatal("it came to its end")
		}
		if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
			t.Errorf("%v: the link is one no more: %v", err, info)
		}
		if r = survey(t, n, "", "--resume", link, "--checkpoint", second, "--rate=max"); r.code != exitDone {
			t.Fatalf("exit code %d: %s", r.code, r.stderr)
		}
		for _, name := range []string{first, link} {
			r = survey(t, n, "", "--resume", name)
			if want := "--resume " + name + ": the survey went on from there, and its checkpoint is " + second + "\n"; r.code != exitUsage || !strings.Contains(r.stderr, want) {
				t.Errorf("exit code %d, %swant %s", r.code, r.stderr, want)
			}
		}
		if r = survey(t, n, "", "--resume", second); r.code != exitDone || !strings.Contains(r.stderr, "complete") {
			t.Errorf("exit code %d: %s", r.code, r.stderr)
		}
		if traces := stopsOf(t, dir+"/traces"); len(traces) != 64 {
			t.Errorf("%d traces, want 64", len(traces))
		}
		if journals, _ := filepath.Glob(dir + "/*journal*"); len(journals) > 0 {
			t.Errorf("%q are left", journals)
		}
	}
}

// One file under two names is one checkpoint, and one that is gone needs nothing.
func TestRetire(t *testing.T) {
	dir := t.TempDir()
	kept := filepath.Join(dir, "kept")
	f, err := checkpoint.Write(kept, &checkpoint.Checkpoint{Head: checkpoint.Head{Version: "1"}})
	if err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	if err := os.Symlink("kept", dir+"/link"); err != nil {
		t.Fatal(err)
	}
	for from, onward := range map[string]string{kept: kept, dir + "/link": kept, dir + "/../" + filepath.Base(dir) + "/kept": kept, dir + "/gone": kept} {
		if err := checkpoint.Retire(from, onward); err != nil {
			t.Errorf("%s: %v", from, err)
		}
		if c, err := checkpoint.Read(kept); err != nil || c.Onward != "" || c.Version != "1" {
			t.Errorf("%s: %v, %+v", from, err, c)
		}
	}
	if err := checkpoint.Retire(kept, dir+"/next"); err != nil {
		t.Error(err)
	}
	if c, err := checkpoint.Read(dir + "/link"); err != nil || c.Onward != dir+"/next" {
		t.Errorf("%v, %+v", err, c)
	}
}
