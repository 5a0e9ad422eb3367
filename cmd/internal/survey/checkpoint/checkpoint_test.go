package checkpoint

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hopquote/hopquote/cmd/internal/survey/sink"
)

func some() *Checkpoint {
	return &Checkpoint{
		Head: Head{
			Version: "1", Args: []string{"--mode=full", "20.0.0.0/8"}, Start: time.Unix(1, 5).UTC(), Seed: 1 << 63,
			Settings: []Setting{{"--mode", "full"}, {"targets", "9"}}, Outputs: []sink.Output{{Kind: "jsonl", Path: "x", Size: 7, Rest: []byte("{}\n")}},
		},
		State: []byte("state"), Results: bytes.Repeat([]byte{0, 255}, 300),
	}
}

func TestReadBack(t *testing.T) {
	path := t.TempDir() + "/check"
	for range 2 { // over the one before
		if _, err := Write(path, some()); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(some(), got, cmpopts.EquateComparable(), cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	if list, _ := os.ReadDir(path[:len(path)-6]); len(list) != 1 {
		t.Errorf("left behind: %v", list)
	}
}

// A file that was cut short or changed anywhere is refused.
func TestDamaged(t *testing.T) {
	path := t.TempDir() + "/check"
	if _, err := Write(path, some()); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if _, err := parse(whole[:n]); err == nil {
			t.Fatalf("the first %d bytes pass", n)
		}
		changed := bytes.Clone(whole)
		changed[n] ^= 0x10
		if _, err := parse(changed); err == nil {
			t.Fatalf("byte %d changed passes", n)
		}
	}
	if _, err := Read(path + "/none"); err == nil || strings.Count(err.Error(), path) != 1 {
		t.Errorf("%v", err)
	}
}

func TestDiffer(t *testing.T) {
	h := some().Head
	if err := h.Differ(h.Settings); err != nil {
		t.Error(err)
	}
	for want, now := range map[string][]Setting{
		"--mode: random, and the checkpoint has full": {{"--mode", "random"}},
		"the checkpoint is of another version":        {{"--mode", "full"}, {"targets", "9"}, {"more", ""}},
	} {
		if err := h.Differ(now); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	path := f.TempDir() + "/check"
	if _, err := Write(path, some()); err != nil {
		f.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Fuzz(func(_ *testing.T, data []byte) { _, _ = parse(data) })
}
