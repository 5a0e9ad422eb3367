package survey

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/frame"
)

// Two names of one file are one place.
func TestPlaceOf(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, link := range map[string]func(from, to string) error{"hard": os.Link, "soft": os.Symlink} {
		if err := link(file, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		if a, b := placeOf(file), placeOf(filepath.Join(dir, name)); a != b {
			t.Errorf("%s link: %q and %q", name, a, b)
		}
	}
	if err := os.Symlink(dir, filepath.Join(dir, "here")); err != nil {
		t.Fatal(err)
	}
	if a, b := placeOf(filepath.Join(dir, "new")), placeOf(filepath.Join(dir, "here/new")); a != b {
		t.Errorf("%q and %q", a, b)
	}
	if a, b := placeOf(file), placeOf(filepath.Join(dir, "new")); a == b {
		t.Errorf("two files are both %q", a)
	}
}

// What can't be written at the end is told before the first probe, and what has
// something in it stays.
func TestRefusedBeforeProbes(t *testing.T) {
	n := open(t, internet.Config{Seed: 5})
	dir := t.TempDir()
	full := filepath.Join(dir, "full")
	if err := os.WriteFile(full, []byte("days of work"), 0o600); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"--metadata /no/dir/x":                    "--metadata /no/dir/x: no such file or directory",
		"--metadata " + dir:                       "is a directory",
		"--metadata " + full:                      "there is something in it, remove it or use --overwrite",
		"--checkpoint /no/dir/x":                  "--checkpoint /no/dir/x: no such file or directory",
		"--checkpoint " + dir:                     "is a directory",
		"--checkpoint " + full:                    "there is something in it, go on with it by --resume",
		"-o parquet:/no/dir/x":                    "output parquet:/no/dir/x: ",
		"-o parquet:/dev/null -o jsonl:/no/dir/x": "output jsonl:/no/dir/x: no such file or directory",
	} {
		r := survey(t, n, "", append(strings.Fields(args), "20.0.0.1")...)
		if r.code != 1 || !strings.Contains(r.stderr, want) || strings.Count(r.stderr, "\n") != 1 {
			t.Errorf("%s: exit code %d, %q; want 1 and one line with %q", args, r.code, r.stderr, want)
		}
	}
	if b, _ := os.ReadFile(full); string(b) != "days of work" {
		t.Errorf("the file has %q", b)
	}
	if left, _ := filepath.Glob(dir + "/*"); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
	if c, _ := n.Counters(); c.Total().Asked > 0 {
		t.Errorf("%d probes were sent", c.Total().Asked)
	}
}

// Root writes to directories that are not its own by a capability, which is
// kept for what is written after the others were given up.
func TestForeignDirectory(t *testing.T) {
	n := open(t, internet.Config{Seed: 5})
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	r := survey(t, n, "", "--rate=10k", "-m", "4", "-o", "parquet:"+dir+"/rows.parquet", "--metadata", dir+"/meta", "--checkpoint", dir+"/point", "20.0.0.1")
	if r.code != 0 {
		t.Errorf("exit code %d: %s", r.code, r.stderr)
	}
	for _, name := range []string{"rows.parquet", "meta", "point"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A terminal that is closed ends a survey like an interrupt.
func TestHangup(t *testing.T) {
	truth := internet.Config{Seed: 5}
	n := open(t, truth)
	dir := t.TempDir()
	signal, lines, wait := started(t, n, "--status=json", "--status-interval=20ms", "--rate=2k", "-w", "1s", "-o", "replies:"+dir+"/out", "20.0.0.0/16")
	until(t, lines)
	signal(syscall.SIGHUP)
	rest, _ := io.ReadAll(lines)
	if code := wait(); code != 129 || !strings.Contains(string(rest), "--resume "+dir+"/out.checkpoint") {
		t.Errorf("exit code %d: %s", code, rest)
	}
	c, _ := n.Counters()
	if got := readReplies(t, dir+"/out", truth, frame.UDP); len(got) != int(c.Total().Answered) {
		t.Errorf("%d replies of %d", len(got), c.Total().Answered)
	}
}
