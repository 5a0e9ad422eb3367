package survey

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/gopacket/pcapgo"
	"github.com/klauspost/compress/zstd"
	parquetgo "github.com/parquet-go/parquet-go"

	"github.com/hopquote/hopquote/cmd/internal/output/parquet"
)

// checkOutputs counts what the outputs of TestKilled hold: as many replies and
// traces as the others.
func checkOutputs(t *testing.T, dir string, replies, traces int) {
	t.Helper()
	lines := bytes.Count(unpacked(t, filepath.Join(dir, "csv.gz")), []byte("\n"))
	if lines != replies+1 {
		t.Errorf("csv: %d lines, want %d", lines, replies+1)
	}
	objects := map[uint16]int{}
	for b := unpacked(t, filepath.Join(dir, "warts.zst")); len(b) > 0; {
		if len(b) < 8 || binary.BigEndian.Uint16(b) != 0x1205 {
			t.Fatal("warts: damaged")
		}
		objects[binary.BigEndian.Uint16(b[2:])]++
		b = b[8+binary.BigEndian.Uint32(b[4:]):]
	}
	if objects[6] != traces || objects[1] != 1 || objects[4] != 1 {
		t.Errorf("warts: objects by type %v, want %d traces", objects, traces)
	}
	names, _ := filepath.Glob(filepath.Join(dir, "rows*.parquet"))
	rows := 0
	for _, name := range names {
		list, err := parquetgo.ReadFile[parquet.Row](name)
		if err != nil {
			t.Fatal(err)
		}
		rows += len(list)
	}
	if rows != replies {
		t.Errorf("parquet: %d rows in %d files, want %d", rows, len(names), replies)
	}
	f, err := os.Open(filepath.Join(dir, "frames"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := pcapgo.NewNgReader(f, pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	frames := 0
	for ; err == nil; frames++ {
		_, _, err = r.ReadPacketData()
	}
	if err != io.EOF || frames < 2*replies {
		t.Errorf("pcapng: %d frames, %v", frames, err)
	}
}

// unpacked is what a compressed file holds.
func unpacked(t *testing.T, name string) []byte {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r io.Reader
	if filepath.Ext(name) == ".gz" {
		r, err = gzip.NewReader(f)
	} else {
		r, err = zstd.NewReader(f)
	}
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return b
}
