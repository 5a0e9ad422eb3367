package link

import (
	"errors"
	"net"
	"os"
	"testing"
)

func TestDetach(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := detach(w)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("x")); !errors.Is(err, os.ErrClosed) {
		t.Errorf("a write to what it was detached from: %v, want closed", err)
	}
	calls := 0
	for _, f := range []func() error{
		func() error { return b.Control(func(uintptr) { calls++ }) },
		func() error { return b.Read(func(uintptr) bool { calls++; return false }) },
		func() error { return b.Write(func(uintptr) bool { calls++; return false }) },
	} {
		if err := f(); err != nil {
			t.Error(err)
		}
	}
	if calls != 3 {
		t.Errorf("%d calls, want one of each", calls)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if n, err := r.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("the pipe is open still: %d bytes, %v", n, err)
	}
	if err := b.Write(func(uintptr) bool { calls++; return true }); !errors.Is(err, net.ErrClosed) || calls != 3 {
		t.Errorf("a write after the close: %v, want closed", err)
	}
	if err := b.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a second close: %v, want closed", err)
	}
	if b, err := detach(w); err == nil {
		t.Errorf("detached %d from what is closed", b.fd)
	}
}
