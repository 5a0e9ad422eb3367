package capturefile

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"
)

func TestStreamGivesAll(t *testing.T) {
	want := make([]byte, 3*chunkSize+17)
	for i := range want {
		want[i] = byte(rand.Uint32())
	}
	for name, src := range map[string]io.Reader{
		"whole": bytes.NewReader(want), "halves": iotest.HalfReader(bytes.NewReader(want)),
		"error beside data": iotest.DataErrReader(bytes.NewReader(want)),
	} {
		got, err := io.ReadAll(newStream(context.Background(), src))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes of %d, %v", name, len(got), len(want), err)
		}
	}
	broken := errors.New("broken")
	if _, err := io.ReadAll(newStream(context.Background(), iotest.ErrReader(broken))); err != broken {
		t.Errorf("error %v, want that of the source", err)
	}
}

// Who waits for a pipe that nobody writes to is freed by the context's end.
func TestStreamEndsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	r, w := io.Pipe()
	defer w.Close()
	s := newStream(ctx, r)
	go func() {
		_, _ = w.Write([]byte("abc"))
		cancel(errors.New("enough"))
	}()
	got, err := io.ReadAll(s)
	if err == nil || err.Error() != "enough" || len(got) != 0 && string(got) != "abc" {
		t.Errorf("%q, %v", got, err)
	}
}
