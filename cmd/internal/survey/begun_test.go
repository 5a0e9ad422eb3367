package survey

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/cmd/internal/survey/checkpoint"
)

// A survey whose outputs have relative paths goes on where it began only: the
// files of those names elsewhere are others. What else has to be as it was is
// told.
func TestBegunElsewhere(t *testing.T) {
	n := open(t, internet.Config{Seed: 6, MinHops: 6, MaxHops: 9})
	began, other := t.TempDir(), t.TempDir()
	in := func(dir, stdin string, args ...string) ran {
		t.Helper()
		cmd, out, stderr := command(t, append(args, "--rate", "max", "--status", "none")...)
		cmd.Dir, cmd.Stdin = dir, bytes.NewBufferString(stdin)
		if err := n.Host(internet.Prober).Start(cmd); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		return ran{cmd.ProcessState.ExitCode(), out.String(), stderr.String()}
	}
	list := filepath.Join(began, "list")
	if err := os.WriteFile(list, []byte("20.0.0.0/28\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const precious = "somebody else's results, which are longer than what the checkpoint has\n"
	theirs := filepath.Join(other, "out")
	if err := os.WriteFile(theirs, []byte(precious), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, begin := range []struct {
		kept  string
		args  []string
		stdin string
		wants map[string]string // of going on elsewhere, by standard input
	}{
		{"relative", []string{"-o", "jsonl:out", "20.0.0.0/28"}, "", map[string]string{"": "out is a file in " + began + ": go on there"}},
		{"listed", []string{"-o", "jsonl:/dev/null", "./list"}, "", map[string]string{"": "the survey was begun in " + began + ": list ./list: no such file"}},
		{"piped", []string{"-o", "jsonl:/dev/null", "-"}, "20.0.0.0/28\n", map[string]string{
			"": "targets of standard input have to be given again: no targets", "20.0.0.0/27\n": "targets: 32, digest",
		}},
	} {
		args := append(begin.args, "-o", "replies:/dev/full", "--checkpoint", filepath.Join(began, begin.kept))
		if r := in(began, begin.stdin, args...); r.code != exitPartial {
			t.Fatalf("%s: exit %d: %s", begin.kept, r.code, r.stderr)
		}
		if r := in(began, begin.stdin, "--resume", begin.kept, "--dry-run"); r.code != exitDone || !strings.Contains(r.out, " of them were sent\n") {
			t.Errorf("%s: dry run: exit %d: %s%s", begin.kept, r.code, r.out, r.stderr)
		}
		for stdin, want := range begin.wants {
			r := in(other, stdin, "--resume", filepath.Join(began, begin.kept))
			if r.code != exitUsage || !strings.Contains(r.stderr, "--resume "+filepath.Join(began, begin.kept)+": "+want) {
				t.Errorf("%s: exit %d: %swant %s", begin.kept, r.code, r.stderr, want)
			}
		}
		if r := in(began, begin.stdin, "--resume", begin.kept); r.code != exitPartial || !strings.Contains(r.stderr, "no space left on device") {
			t.Errorf("%s: where it began: exit %d: %s", begin.kept, r.code, r.stderr)
		}
	}
	if got, err := os.ReadFile(theirs); err != nil || string(got) != precious {
		t.Errorf("%q, %v: the file of another survey is written to", got, err)
	}
}

// A survey that broke off leaves a checkpoint beside those of others, never in
// their place.
func TestCheckpointBesideAnother(t *testing.T) {
	n := open(t, internet.Config{Seed: 6, MinHops: 6, MaxHops: 9})
	dir := t.TempDir()
	for i, name := range []string{"hopquote-survey.checkpoint", "hopquote-survey.checkpoint.2", "hopquote-survey.checkpoint.3"} {
		cmd, _, stderr := command(t, "--rate", "max", "--status", "none", "-o", "replies:/dev/full", "--mode", "full", "-m", strconv.Itoa(5+i), "20.0.0.0/28")
		cmd.Dir = dir
		if err := n.Host(internet.Prober).Start(cmd); err != nil {
			t.Fatal(err)
		}
		if _ = cmd.Wait(); !strings.Contains(stderr.String(), "--resume "+name+"\n") {
			t.Errorf("%s; want %s", stderr, name)
		}
	}
	for i, name := range []string{"hopquote-survey.checkpoint", "hopquote-survey.checkpoint.2", "hopquote-survey.checkpoint.3"} {
		c, err := checkpoint.Read(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if want := strconv.Itoa(5 + i); !slices.Contains(c.Settings, checkpoint.Setting{Name: "--max-ttl", Value: want}) {
			t.Errorf("%s is not of the survey with --max-ttl %s: %v", name, want, c.Settings)
		}
	}
}
