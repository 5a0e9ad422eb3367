package capture

import (
	"bytes"
	"errors"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/frame"
)

// memory is a file that has room for limit bytes; 0 is no limit.
type memory struct {
	mu    sync.Mutex
	data  []byte
	limit int
	gate  chan struct{} // when set, a write waits until it is closed
	shut  error         // of Close
}

func (m *memory) Write(b []byte) (int, error) {
	if m.gate != nil {
		<-m.gate
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	room := len(b)
	if m.limit > 0 {
		room = min(room, m.limit-len(m.data))
	}
	m.data = append(m.data, b[:room]...)
	if room < len(b) {
		return room, syscall.ENOSPC
	}
	return room, nil
}

func (m *memory) Truncate(n int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.data = m.data[:n]
	return nil
}

func (m *memory) Close() error { return m.shut }

// discard is a file that keeps nothing.
type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) Truncate(int64) error        { return nil }
func (discard) Close() error                { return nil }

// Wherever the disk is full, the file ends with a whole packet.
func TestDiskFullLeavesWholePackets(t *testing.T) {
	const head, each = 500, 60 + 32 + 12
	for limit := head; limit < head+2*each; limit += 7 {
		m := &memory{limit: limit}
		w, err := newWriter(m, frame.LinkEthernet, "veth7", epoch)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 20 {
			w.Frame(&record.Frame{At: time.Duration(i), Sent: true, Data: ether(60, byte(i))})
		}
		if err := w.Close(); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("limit %d: Close gave %v, want ENOSPC", limit, err)
		}
		if err := w.Err(); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("limit %d: Err gave %v, want ENOSPC", limit, err)
		}
		whole := blocks(t, m.data)
		if len(m.data)+each <= limit {
			t.Errorf("limit %d: %d bytes kept, another packet had room", limit, len(m.data))
		}
		got := readFrom(t, bytes.NewReader(m.data)).packets
		if len(got) == 0 || len(got) != len(whole)-2 {
			t.Errorf("limit %d: %d packets in %d blocks", limit, len(got), len(whole))
		}
		for i, p := range got {
			if p.data[59] != byte(i) {
				t.Errorf("limit %d: packet %d is %d", limit, i, p.data[59])
			}
		}
	}
}

func TestHeaderDoesNotFit(t *testing.T) {
	w, err := newWriter(&memory{limit: 10}, frame.LinkRaw, "veth7", epoch)
	if !errors.Is(err, syscall.ENOSPC) || w != nil {
		t.Errorf("got %v, %v, want ENOSPC", w, err)
	}
}

func TestCloseErrorIsTold(t *testing.T) {
	w, err := newWriter(&memory{shut: syscall.EDQUOT}, frame.LinkRaw, "veth7", epoch)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); !errors.Is(err, syscall.EDQUOT) {
		t.Errorf("got %v, want EDQUOT", err)
	}
	if err := w.Close(); !errors.Is(err, syscall.EDQUOT) {
		t.Errorf("again: got %v, want EDQUOT", err)
	}
	w.Frame(&record.Frame{Sent: true, Data: ether(60, 0)}) // must neither block nor panic
}

// A file that takes nothing makes the Writer full, then makes Frame wait, and
// in the end loses nothing.
func TestFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		w, err := newWriter(m, frame.LinkEthernet, "veth7", epoch)
		if err != nil {
			t.Fatal(err)
		}
		m.gate = make(chan struct{})
		f := ether(14_000, 0)
		if w.Full() {
			t.Error("full before the first frame")
		}
		const n = 4000 // 56 MB: more than may wait, be taken and be held together
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			for i := range n {
				w.Frame(&record.Frame{At: time.Duration(i) * time.Millisecond, Sent: true, Data: f})
			}
		}()
		synctest.Wait()
		if !w.Full() {
			t.Error("not full with a file that takes nothing")
		}
		select {
		case <-sent:
			t.Error("Frame did not wait for room")
		default:
		}
		close(m.gate)
		<-sent
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if w.Full() {
			t.Error("full after Close")
		}
		if got := len(readFrom(t, bytes.NewReader(m.data)).packets); got != n {
			t.Errorf("%d packets, want %d", got, n)
		}
	})
}

// A failed file frees whoever waits in Frame and never counts as full.
func TestFailureFreesFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		w, err := newWriter(m, frame.LinkEthernet, "veth7", epoch)
		if err != nil {
			t.Fatal(err)
		}
		m.gate, m.limit = make(chan struct{}), len(m.data)+1
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			for i := range 4000 {
				w.Frame(&record.Frame{At: time.Duration(i) * time.Millisecond, Sent: true, Data: ether(14_000, 0)})
			}
		}()
		synctest.Wait()
		close(m.gate)
		<-sent
		if w.Full() || !errors.Is(w.Err(), syscall.ENOSPC) {
			t.Errorf("full %v, error %v, want not full and ENOSPC", w.Full(), w.Err())
		}
		if err := w.Close(); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("Close gave %v, want ENOSPC", err)
		}
	})
}
