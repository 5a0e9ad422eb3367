package survey

import (
	"testing"
	"time"

	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/cmd/internal/survey/checkpoint"
	"github.com/hopquote/hopquote/cmd/internal/survey/journal"
	"github.com/hopquote/hopquote/cmd/internal/survey/sink"
)

// A checkpoint is waited for from when it was begun, also while the outputs have
// yet to come to it.
func TestKeeperWaits(t *testing.T) {
	path := t.TempDir() + "/check"
	out, err := sink.Open(sink.Config{Run: &record.Run{}})
	if err != nil {
		t.Fatal(err)
	}
	k := newKeeper(path, time.Hour, 1)
	k.snap = func(time.Duration, []part) *checkpoint.Checkpoint { return &checkpoint.Checkpoint{} }
	k.fail = func(err error) { t.Error(err) }
	k.sink, k.journal = out, journal.NewWriter(path, 1)
	defer k.journal.Close()
	for i := range 50 {
		at := time.Duration(i + 1)
		k.take(at, time.Now())
		k.wait()
		if k.busy.Load() || k.last != at {
			t.Fatalf("checkpoint %d: busy %v, the last one is of %v", i, k.busy.Load(), k.last)
		}
	}
	if err := out.Close(&record.End{}); err != nil {
		t.Error(err)
	}
	if _, err := checkpoint.Read(path); err != nil {
		t.Error(err)
	}
}
