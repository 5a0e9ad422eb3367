package survey

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/frame"
)

// What is given with --resume goes before what was said, wherever targets and
// options stand.
func TestMerge(t *testing.T) {
	for name, c := range map[string]struct{ before, now, want string }{
		"nothing else":   {"-m 9 20.0.0.0/24", "--resume F", "--max-ttl=9 --resume=F -- 20.0.0.0/24"},
		"again":          {"--resume=E --rate 5 -- 20.0.0.0/24", "--resume F", "--rate=5 --resume=F -- 20.0.0.0/24"},
		"targets behind": {"-4 --rate=5 -- -x 20.0.0.1", "--resume F --rate 7", "--ipv4=true --resume=F --rate=7 -- -x 20.0.0.1"},
		"outputs":        {"-ojsonl:a -o csv:b --exclude c d", "--resume F -o jsonl:a -o csv:b", "--exclude=c --resume=F --output=jsonl:a --output=csv:b -- d"},
		"targets":        {"-o csv:b d", "--resume F d", "--output=csv:b --resume=F -- d"},
	} {
		got, err := merge(strings.Fields(c.before), strings.Fields(c.now))
		if diff := cmp.Diff(strings.Fields(c.want), got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
	if _, err := merge([]string{"--no-such"}, nil); err == nil {
		t.Error("an option that there is not is no error")
	}
}

// Where the disk of the outputs is full, the checkpoint is put elsewhere.
func TestCheckpointElsewhere(t *testing.T) {
	truth := internet.Config{Seed: 5, MinHops: 4, MaxHops: 8}
	n := open(t, truth)
	dir := t.TempDir()
	small, enlarge := smallDisk(t, "16k")
	for _, args := range [][]string{
		{"--rate=20k", "--mode=full", "-m", "8", "-o", "replies:" + small + "/out", "--", "20.0.0.0/24"},
		{"--resume", "out.checkpoint", "-o", "replies:" + small + "/out"},
	} {
		cmd, _, stderr := command(t, args...)
		cmd.Dir = dir
		if err := n.Host(internet.Prober).Start(cmd); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		code := cmd.ProcessState.ExitCode()
		if args[0] == "--resume" {
			if code != 0 {
				t.Fatalf("exit code %d: %s", code, stderr)
			}
			continue
		}
		if code != 3 || !strings.Contains(stderr.String(), "no space left on device; go on with: hopquote survey --resume out.checkpoint\n") {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
		enlarge("1m")
	}
	if got := readReplies(t, small+"/out", truth, frame.UDP); len(got) != 8*256 {
		t.Errorf("%d replies, want %d", len(got), 8*256)
	}
}
