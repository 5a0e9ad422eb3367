package sink

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hopquote/hopquote/cmd/internal/output/parquet"
	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/cmd/internal/output/sample"
	"github.com/hopquote/hopquote/cmd/internal/output/scamper"
	"github.com/hopquote/hopquote/frame"
)

// begin gives the sink a trace of one probe, and finish what ends it.
func begin(s *Sink, index uint64, at time.Duration) {
	s.Sent(index, 0, 0, &frame.Probe{Dst: replyOf(0).Target, TTL: 1}, at)
}

func finish(s *Sink, index uint64) {
	s.Reply(replyOf(int(index)))
	s.Finish(index, 0, record.GapLimit)
}

// Two runs, of which the first holds back what it did not finish, write to
// standard output what one run does. A file has it until it is gone on with.
func TestHold(t *testing.T) {
	var whole, parts bytes.Buffer
	file := filepath.Join(t.TempDir(), "file")
	config := func(out *bytes.Buffer, path string) Config {
		return Config{
			Targets: []Target{{Kind: scamper.JSON, Path: stdout}, {Kind: scamper.JSON, Path: path}}, Run: sample.Run(frame.UDP), Stdout: out, Known: true, Keep: true,
		}
	}
	end := &record.End{At: time.Second}
	s := start(t, config(&whole, filepath.Join(t.TempDir(), "file")))
	for i := range uint64(3) {
		begin(s, i, time.Duration(i))
	}
	for i := range uint64(3) {
		finish(s, i)
	}
	if err := s.Close(end); err != nil {
		t.Fatal(err)
	}

	cfg := config(&parts, file)
	s = start(t, cfg)
	for i := range uint64(3) {
		begin(s, i, time.Duration(i))
	}
	finish(s, 0)
	if held := s.Hold(); held != 2 {
		t.Errorf("%d traces are held back, want 2", held)
	}
	if err := s.Close(end); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(file); err != nil || bytes.Count(b, []byte("\n")) != 5 || bytes.Count(parts.Bytes(), []byte("\n")) != 2 {
		t.Errorf("the file has %s, %v; standard output %s", b, err, &parts)
	}
	var err error
	if cfg.Resume, err = s.Last(); err != nil {
		t.Fatal(err)
	}
	s = start(t, cfg)
	finish(s, 1)
	finish(s, 2)
	if err := s.Close(end); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(file); err != nil || !bytes.Equal(b, whole.Bytes()) || !bytes.Equal(parts.Bytes(), whole.Bytes()) {
		t.Errorf("the file has %s, %v; standard output %s; want %s", b, err, &parts, &whole)
	}
}

// Parquet on standard output is a file for each run.
func TestHoldParquet(t *testing.T) {
	var out bytes.Buffer
	cfg := Config{Targets: []Target{{Kind: parquet.Kind, Path: stdout}}, Run: sample.Run(frame.UDP), Stdout: &out, Keep: true}
	for i := range 2 {
		out.Reset()
		s := start(t, cfg)
		s.Reply(replyOf(i))
		s.Hold()
		if err := s.Close(&record.End{}); err != nil {
			t.Fatal(err)
		}
		if b := out.Bytes(); !bytes.HasPrefix(b, []byte("PAR1")) || !bytes.HasSuffix(b, []byte("PAR1")) {
			t.Errorf("run %d wrote % x", i, b)
		}
		cfg.Resume, _ = s.Last()
	}
}
