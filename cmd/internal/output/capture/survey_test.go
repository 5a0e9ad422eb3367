package capture

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/gopacket/pcapgo"

	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/cmd/internal/output/sample"
	"github.com/hopquote/hopquote/frame"
)

// TestSurveyFile reads back what a survey writes: every frame as it was, at its
// time, and each call to the file is whole blocks.
func TestSurveyFile(t *testing.T) {
	var b wholeCalls
	w, err := Kind.New(&b, sample.Run(frame.UDP))
	if err != nil {
		t.Fatal(err)
	}
	frames := [][]byte{bytes.Repeat([]byte{1}, 58), bytes.Repeat([]byte{2}, 86), {3}}
	for i, f := range frames {
		if err := w.(record.FrameWriter).Frame(&record.Frame{At: time.Duration(i) * time.Microsecond, Sent: i == 0, Data: f}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(sample.End()); err != nil {
		t.Fatal(err)
	}
	for _, call := range b.calls {
		if wholeBlocks(call, len(call)) != len(call) {
			t.Errorf("a call of %d bytes is not made of whole blocks", len(call))
		}
	}
	r, err := pcapgo.NewNgReader(bytes.NewReader(bytes.Join(b.calls, nil)), pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range frames {
		data, info, err := r.ReadPacketData()
		if err != nil {
			t.Fatal(err)
		}
		at := sample.Start.Add(time.Duration(i) * time.Microsecond)
		if !bytes.Equal(data, want) || !info.Timestamp.Equal(at) {
			t.Errorf("frame %d: % x at %s, want % x at %s", i, data, info.Timestamp, want, at)
		}
	}
}

type wholeCalls struct{ calls [][]byte }

func (w *wholeCalls) Write(p []byte) (int, error) {
	w.calls = append(w.calls, bytes.Clone(p))
	return len(p), nil
}
