package parquet

import (
	"path/filepath"
	"testing"

	parquetgo "github.com/parquet-go/parquet-go"

	"github.com/hopquote/hopquote/cmd/internal/output/sample"
	"github.com/hopquote/hopquote/frame"
)

// A file is there, and can be read, from the beginning: where there is no room
// for one, that is told before anything is measured.
func TestFileFromTheBeginning(t *testing.T) {
	run := sample.Run(frame.UDP)
	path := filepath.Join(t.TempDir(), "rows.parquet")
	if _, err := newParts(path, run, nil); err != nil {
		t.Fatal(err)
	}
	if rows, err := parquetgo.ReadFile[Row](path); err != nil || len(rows) > 0 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
	if _, err := newParts(filepath.Join(path, "rows"), run, nil); err == nil {
		t.Error("a file within a file was begun")
	}
}
