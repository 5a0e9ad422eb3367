package journal

import (
	"bytes"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
)

const id = 0x1122334455667788

var reply = record.Reply{
	TTL: 7, Attempt: 1, Verdict: rx.Rewritten, From: netip.MustParseAddr("192.0.2.7"), At: 3 * time.Second, RTT: time.Millisecond,
	Kind: frame.KindTimeExceeded, Type: 11, TTLBack: 249, Size: 168, Quoted: 128, QuoteTTL: 1, QuoteLength: 60,
	Ext: []byte{0x20, 0, 1, 2, 0, 8, 1, 1, 0, 0, 0x11, 1}, ExtCompliant: true,
}

// written is a journal of two rounds of a loop and one of another.
func written(t testing.TB, checkpoint string) (*Writer, []Event) {
	w := NewWriter(checkpoint, id)
	if n, err := w.Next(); n != 1 || err != nil {
		t.Fatalf("journal %d, %v", n, err)
	}
	a, b := w.Log(0), w.Log(1)
	var totals Totals
	if err := a.Flush(time.Second, &totals); err != nil || w.Size() != int64(len(magic)+16) {
		t.Fatalf("%d bytes of nothing, %v", w.Size(), err)
	}
	a.Left(5, time.Second)
	a.Frame(&record.Frame{At: time.Second + time.Microsecond, Sent: true, Data: []byte("probe")})
	totals.Counts.Sent, totals.Counts.InFlight = 1, 1
	if err := a.Flush(2*time.Second, &totals); err != nil {
		t.Fatal(err)
	}
	b.Expired(rx.MaxTag)
	if err := b.Flush(2*time.Second, &Totals{Drops: 3}); err != nil {
		t.Fatal(err)
	}
	a.Frame(&record.Frame{At: 3 * time.Second, Data: []byte("reply")})
	a.Frame(&record.Frame{At: 3 * time.Second, By: "second", Data: []byte("duplicate")})
	a.Learned(5, &reply)
	totals.Counts.InFlight, totals.Counts.Answered = 0, 1
	totals.Frames.Held = 9
	if err := a.Flush(4*time.Second, &totals); err != nil {
		t.Fatal(err)
	}
	sent, back := Totals{}, Totals{}
	sent.Counts.Sent, sent.Counts.InFlight = 1, 1
	back.Counts.InFlight, back.Counts.Answered, back.Frames.Held = ^uint64(0), 1, 9
	return w, []Event{
		{Kind: Left, Tag: 5, At: time.Second},
		{Kind: Sent, At: time.Second + time.Microsecond, Frame: []byte("probe")},
		{Kind: Counted, At: 2 * time.Second, Totals: sent},
		{Loop: 1, Kind: Expired, Tag: rx.MaxTag},
		{Loop: 1, Kind: Counted, At: 2 * time.Second, Totals: Totals{Drops: 3}},
		{Kind: Received, At: 3 * time.Second, Frame: []byte("reply")},
		{Kind: Elsewhere, At: 3 * time.Second, By: "second", Frame: []byte("duplicate")},
		{Kind: Learned, Tag: 5, Reply: reply},
		{Kind: Counted, At: 4 * time.Second, Totals: back},
	}
}

// only has what an event of its kind says: the rest is what was there before.
func only(e *Event) Event {
	o := Event{Loop: e.Loop, Kind: e.Kind}
	switch e.Kind {
	case Left:
		o.Tag, o.At = e.Tag, e.At
	case Expired:
		o.Tag = e.Tag
	case Learned:
		o.Tag, o.Reply = e.Tag, e.Reply
	case Counted:
		o.At, o.Totals = e.At, e.Totals
	default:
		o.At, o.By, o.Frame = e.At, e.By, bytes.Clone(e.Frame)
	}
	return o
}

func events(t testing.TB, checkpoint string, number uint64) ([]Event, int64) {
	var got []Event
	cut, err := Read(checkpoint, id, number, func(e *Event) error {
		got = append(got, only(e))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got, cut
}

var equal = cmp.Options{cmpopts.EquateComparable(netip.Addr{}), cmpopts.EquateEmpty()}

// What was written comes out again, in rounds: one that was cut off anywhere is
// dropped, and those before it are whole.
func TestJournal(t *testing.T) {
	checkpoint := filepath.Join(t.TempDir(), "run")
	w, want := written(t, checkpoint)
	got, cut := events(t, checkpoint, 1)
	if diff := cmp.Diff(want, got, equal); diff != "" || cut != 0 {
		t.Errorf("%d bytes cut off\n%s", cut, diff)
	}
	if at, whole := w.Until(); at != 4*time.Second || !whole {
		t.Errorf("until %v, whole: %v", at, whole)
	}
	whole, err := os.ReadFile(Path(checkpoint, 1))
	if err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if err := os.WriteFile(Path(checkpoint, 1), whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		got, cut := events(t, checkpoint, 1)
		if len(got) != 0 && len(got) != 3 && len(got) != 5 || cmp.Diff(want[:len(got)], got, equal) != "" || cut > int64(n) {
			t.Errorf("%d bytes: %d events, %d bytes cut off", n, len(got), cut)
		}
	}
	for n := range whole {
		bad := bytes.Clone(whole)
		bad[n] ^= 0x40
		if err := os.WriteFile(Path(checkpoint, 1), bad, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Read(checkpoint, id, 1, func(e *Event) error {
			if e.Loop > 1 {
				t.Errorf("byte %d: loop %d", n, e.Loop)
			}
			return nil
		})
		if n < len(magic)+16 && err == nil {
			t.Errorf("byte %d of the head is wrong, and all is well", n)
		}
	}
}

// Journals follow upon each other, also in a run that goes on from another.
func TestNext(t *testing.T) {
	dir := t.TempDir()
	checkpoint := filepath.Join(dir, "a[b")
	w, _ := written(t, checkpoint)
	other := filepath.Join(dir, "a[b.journal-x")
	if err := os.WriteFile(other, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if n, err := w.Next(); n != 2 || err != nil {
		t.Errorf("journal %d, %v", n, err)
	}
	w.Close()
	if n, err := w.Next(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("journal %d, %v", n, err)
	}
	w = NewWriter(checkpoint, id+1)
	if n, err := w.Next(); n != 3 || err != nil {
		t.Errorf("journal %d, %v", n, err)
	}
	if _, err := Read(checkpoint, id, 3, nil); !errors.Is(err, ErrOther) || !strings.Contains(err.Error(), Path(checkpoint, 3)) {
		t.Error(err)
	}
	if _, err := Read(checkpoint, id, 4, nil); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if _, err := Read(checkpoint, id, 1, func(*Event) error { return errors.ErrUnsupported }); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
	w.Forget(3)
	files, _ := os.ReadDir(dir)
	if len(files) != 2 || files[0].Name() != "a[b.journal-3" {
		t.Errorf("left: %v", files)
	}
	if _, err := NewWriter(filepath.Join(dir, "no", "such"), 1).Next(); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// Where nothing can be written any more, what is there stays and nothing follows.
func TestFull(t *testing.T) {
	checkpoint := filepath.Join(t.TempDir(), "run")
	w := NewWriter(checkpoint, id)
	if _, err := w.Next(); err != nil {
		t.Fatal(err)
	}
	l := w.Log(0)
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skipf("no device that is full: %v", err)
	}
	file := w.file
	w.file = full
	l.Left(1, time.Second)
	if err := l.Flush(time.Second, &Totals{}); err == nil || !strings.HasSuffix(err.Error(), ": no space left on device") {
		t.Error(err)
	}
	w.file = file
	l.Left(2, time.Second)
	if err := l.Flush(2*time.Second, &Totals{}); err == nil {
		t.Error("it goes on behind a gap")
	}
	if _, whole := w.Until(); whole {
		t.Error("it is said to be whole")
	}
	if got, cut := events(t, checkpoint, 1); len(got) != 0 || cut != 0 {
		t.Errorf("%d events, %d bytes cut off", len(got), cut)
	}
}

// Writing down a round allocates nothing.
func TestNoAllocations(t *testing.T) {
	w := NewWriter(filepath.Join(t.TempDir(), "run"), id)
	if _, err := w.Next(); err != nil {
		t.Fatal(err)
	}
	l := w.Log(0)
	n := testing.AllocsPerRun(100, func() {
		l.Left(5, time.Second)
		l.Learned(5, &reply)
		if err := l.Flush(time.Second, &l.last); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Files may have anything in them.
func FuzzRead(f *testing.F) {
	checkpoint := filepath.Join(f.TempDir(), "run")
	written(f, checkpoint)
	b, err := os.ReadFile(Path(checkpoint, 1))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b, b[len(magic)+16+headerLen:])
	f.Fuzz(func(t *testing.T, file, batch []byte) {
		_, _ = read(bytes.NewReader(file), int64(len(file)), id, 1, func(*Event) error { return nil })
		var e Event
		n := 0
		_ = e.each(batch, func(*Event) error { n++; return nil })
		if n > len(batch) {
			t.Errorf("%d events in %d bytes", n, len(batch))
		}
	})
}

// One probe and its reply, 64 to a round.
func BenchmarkLog(b *testing.B) {
	w := NewWriter(filepath.Join(b.TempDir(), "run"), id)
	if _, err := w.Next(); err != nil {
		b.Fatal(err)
	}
	l := w.Log(0)
	var totals Totals
	plain := reply
	plain.Ext = nil
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		at := time.Duration(i) * 3 * time.Microsecond
		l.Left(i, at)
		plain.At = at
		l.Learned(i, &plain)
		totals.Counts.Sent++
		if i++; i%64 == 0 {
			if err := l.Flush(at, &totals); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(w.Size())/float64(max(i, 1)), "B/probe")
}
