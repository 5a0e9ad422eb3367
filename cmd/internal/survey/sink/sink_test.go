package sink

import (
	"compress/gzip"
	"errors"
	"io"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/cmd/internal/output/replies"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
)

// keeper is an output that keeps everything.
type keeper struct {
	gate    chan struct{} // nil: open
	replies []record.Reply
	traces  []record.Trace
	frames  []string
	end     *record.End
	err     error
}

func (k *keeper) kind() record.Kind {
	return record.Kind{Name: "keeper", New: func(io.Writer, *record.Run) (record.Writer, error) { return k, nil }}
}

func (k *keeper) Reply(r *record.Reply) error {
	if k.gate != nil {
		<-k.gate
	}
	c := *r
	c.Ext = append([]byte(nil), r.Ext...)
	k.replies = append(k.replies, c)
	return k.err
}

func (k *keeper) Trace(t *record.Trace) error {
	c := *t
	c.Probes, c.Replies = append([]record.Probe(nil), t.Probes...), append([]record.Reply(nil), t.Replies...)
	k.traces = append(k.traces, c)
	return nil
}

func (k *keeper) Frame(f *record.Frame) error {
	k.frames = append(k.frames, map[bool]string{true: ">", false: "<"}[f.Sent]+string(f.Data))
	return nil
}

func (k *keeper) Close(end *record.End) error { k.end = end; return nil }

func start(t *testing.T, c Config) *Sink {
	t.Helper()
	if c.Run == nil {
		c.Run = &record.Run{}
	}
	s, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func replyOf(i int) *record.Reply {
	return &record.Reply{
		Target: netip.MustParseAddr("20.0.0.1"), Index: uint64(i), From: netip.AddrFrom4([4]byte{100, 64, byte(i >> 8), byte(i)}),
		TTL: 1, Verdict: rx.Exact, Kind: frame.KindTimeExceeded, Ext: []byte{byte(i)},
	}
}

// A writer that stands still makes the sink full, and loses nothing.
func TestSlowWriter(t *testing.T) {
	k := &keeper{gate: make(chan struct{})}
	s := start(t, Config{Targets: []Target{{Kind: k.kind(), Path: stdout}}})
	n := 0
	for ; !s.Full(); n++ {
		if n > 3*limit {
			t.Fatal("the sink is never full")
		}
		s.Reply(replyOf(n))
	}
	// What is in flight may still come.
	for range 100 {
		s.Reply(replyOf(n))
		n++
	}
	close(k.gate)
	if err := s.Close(&record.End{}); err != nil {
		t.Fatal(err)
	}
	if len(k.replies) != n || k.end == nil {
		t.Fatalf("%d replies written, want %d", len(k.replies), n)
	}
	for i := range k.replies {
		if diff := cmp.Diff(replyOf(i), &k.replies[i], cmpopts.EquateComparable(netip.Addr{})); diff != "" {
			t.Fatalf("reply %d: %s", i, diff)
		}
	}
	if found, exact := s.Found(); found != uint64(min(n, 1<<16)) || !exact {
		t.Errorf("%d responders, exactly: %v; want %d", found, exact, min(n, 1<<16))
	}
}

// A trace has its probes and replies in order, and what comes after its end
// does not begin another.
func TestTraces(t *testing.T) {
	k := &keeper{}
	s := start(t, Config{Targets: []Target{{Kind: k.kind(), Path: stdout}}})
	target := netip.MustParseAddr("20.0.0.1")
	for _, ttl := range []uint8{3, 1, 2} {
		s.Sent(7, 1, 0, &frame.Probe{Dst: target, TTL: ttl, SrcPort: 9}, time.Duration(ttl))
	}
	for _, ttl := range []uint8{3, 1} {
		r := replyOf(7)
		r.Flow, r.TTL, r.SrcPort = 1, ttl, 9
		if ttl == 3 {
			r.Kind, r.From = frame.KindUnreachable, target
		}
		s.Reply(r)
	}
	s.Finish(7, 1, record.MaxTTL)
	s.Sent(8, 0, 0, &frame.Probe{Dst: target, TTL: 1}, 5)
	s.Frame(&record.Frame{Sent: true, Data: []byte("probe")})
	s.Frame(&record.Frame{Data: []byte("reply")})
	end := &record.End{}
	if err := s.Close(end); err != nil {
		t.Fatal(err)
	}
	if len(k.traces) != 2 || end.Traces != 2 || s.Finished() != 1 {
		t.Fatalf("%d traces, %d counted, %d finished", len(k.traces), end.Traces, s.Finished())
	}
	got := k.traces[0]
	if got.Target != target || got.Stop != record.Reached || got.SrcPort != 9 || got.Hops() != 3 || got.Start() != 1 {
		t.Errorf("%+v", got)
	}
	for i, p := range got.Probes {
		if int(p.TTL) != i+1 {
			t.Errorf("probes out of order: %+v", got.Probes)
		}
	}
	if len(got.Replies) != 2 || got.Replies[0].TTL != 1 || got.Replies[1].TTL != 3 {
		t.Errorf("replies out of order: %+v", got.Replies)
	}
	if got := k.traces[1]; got.Target != target || got.Index != 8 || got.Stop != record.Unfinished || len(got.Replies) != 0 {
		t.Errorf("%+v", got)
	}
	if diff := cmp.Diff([]string{">probe", "<reply"}, k.frames); diff != "" {
		t.Error(diff)
	}
}

// A late reply may be all that is known of a trace; behind the end of one it is
// left out.
func TestLateReply(t *testing.T) {
	for _, known := range []bool{false, true} {
		k := &keeper{}
		s := start(t, Config{Targets: []Target{{Kind: k.kind(), Path: stdout}}, Known: known})
		if known {
			s.Sent(7, 0, 0, &frame.Probe{Dst: netip.MustParseAddr("20.0.0.1"), TTL: 1}, 0)
			s.Finish(7, 0, record.MaxTTL)
		}
		s.Mark(func(*Cut, error) {}) // the next batch
		r := replyOf(7)
		r.Verdict = rx.Late
		s.Reply(r)
		if err := s.Close(&record.End{Complete: true}); err != nil {
			t.Fatal(err)
		}
		if want := map[bool]int{false: 1}[known]; len(k.traces) != 1 || len(k.traces[0].Replies) != want {
			t.Errorf("all probes known %v: %d traces, want 1 with %d replies", known, len(k.traces), want)
		}
	}
}

// A writer that fails is told of once; the others go on.
func TestFailure(t *testing.T) {
	bad, good := &keeper{err: errors.New("no more")}, &keeper{}
	told := make(chan error, 10)
	s := start(t, Config{
		Targets: []Target{{Kind: bad.kind(), Path: stdout}, {Kind: good.kind(), Path: stdout}},
		Failed:  func(err error) { told <- err },
	})
	for i := range 10 {
		s.Reply(replyOf(i))
	}
	err := s.Close(&record.End{})
	if len(told) != 1 || err == nil || err.Error() != "write standard output: no more" {
		t.Errorf("told %d times, error %v", len(told), err)
	}
	if len(bad.replies) != 1 || len(good.replies) != 10 {
		t.Errorf("%d and %d replies, want 1 and 10", len(bad.replies), len(good.replies))
	}
}

// What is written to a file is there when the sink is closed, compressed if its
// name says so.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	s := start(t, Config{Targets: []Target{{Kind: replies.Kind, Path: dir + "/plain"}, {Kind: replies.Kind, Path: dir + "/packed.gz"}}})
	for i := range 5000 {
		s.Reply(replyOf(i))
	}
	if err := s.Close(&record.End{}); err != nil {
		t.Fatal(err)
	}
	plain, err := os.ReadFile(dir + "/plain")
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(dir + "/packed.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	zip, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	packed, err := io.ReadAll(zip)
	if err != nil || string(packed) != string(plain) || strings.Count(string(plain), "\n") != 5001 {
		t.Errorf("%d lines plain, equal compressed: %v (%v)", strings.Count(string(plain), "\n"), string(packed) == string(plain), err)
	}
}
