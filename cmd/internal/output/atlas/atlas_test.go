package atlas

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/cmd/internal/output/sample"
	"github.com/hopquote/hopquote/frame"
)

func TestGolden(t *testing.T) {
	for _, m := range []frame.Method{frame.UDP, frame.ICMP, frame.TCP} {
		var b bytes.Buffer
		if err := sample.Write(Kind, &b, m); err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", m.String()+".jsonl")
		if os.Getenv("UPDATE_GOLDEN") != "" {
			if err := os.WriteFile(golden, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), b.String()); diff != "" {
			t.Errorf("%s (-want +got)\n%s", m, diff)
		}
		for line := range bytes.Lines(b.Bytes()) {
			if !json.Valid(line) {
				t.Errorf("not JSON: %s", line)
			}
		}
	}
}

func TestFailureLetters(t *testing.T) {
	r := sample.Traces(frame.UDP)[0].Replies[0]
	r.Kind, r.Type = frame.KindUnreachable, 3
	for code, want := range map[uint8]any{0: "N", 1: "H", 2: "P", 3: nil, 13: "A", 9: uint8(9)} {
		r.Code = code
		if got := failure(sample.Run(frame.UDP), &r); got != want {
			t.Errorf("code %d: %v, want %v", code, got, want)
		}
	}
	r.Code = 3
	if got := failure(sample.Run(frame.ICMP), &r); got != "p" {
		t.Errorf("port unreachable for ICMP: %v, want p", got)
	}
}
