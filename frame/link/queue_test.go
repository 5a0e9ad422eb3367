package link

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

// cycle is what a test tells the queue's resolver.
type cycle struct {
	mac [6]byte
	ok  bool
}

// testQueue is a queue whose resolver waits to be told and whose wire keeps
// what it gets.
type testQueue struct {
	queue
	tell chan cycle
	room int // frames the wire takes at a time; 0 is all
	err  error

	wireMu sync.Mutex
	wire   []string
	dead   chan string
}

func newTestQueue(t *testing.T) *testQueue {
	t.Helper()
	tq := &testQueue{tell: make(chan cycle), dead: make(chan string, 100)}
	tq.resolve = func(ctx context.Context) (mac [6]byte, ok bool) {
		select {
		case c := <-tq.tell:
			return c.mac, c.ok
		case <-ctx.Done():
			return mac, false
		}
	}
	tq.put = func(mac [6]byte, frames [][]byte) (int, error) {
		tq.wireMu.Lock()
		defer tq.wireMu.Unlock()
		if tq.err != nil {
			return 0, tq.err
		}
		n := len(frames)
		if tq.room > 0 {
			n = min(n, tq.room)
		}
		for _, f := range frames[:n] {
			tq.wire = append(tq.wire, string(f))
		}
		return n, nil
	}
	tq.undelivered = func(f []byte) { tq.dead <- string(f) }
	tq.maxFrame = 1 << 20
	tq.open()
	t.Cleanup(func() { tq.close(); goleak.VerifyNone(t) })
	return tq
}

// send holds frames of the given names; none may be let past.
func (tq *testQueue) send(t *testing.T, names ...string) {
	t.Helper()
	var frames [][]byte
	for _, s := range names {
		frames = append(frames, []byte(s))
	}
	n, inWay, err := tq.hold(frames)
	if n != len(names) || !inWay || err != nil {
		t.Fatalf("hold: %d of %d frames, in the way %v, %v", n, len(names), inWay, err)
	}
	for _, f := range frames {
		clear(f) // the caller's again
	}
}

// wantLost looks how many frames were held and did not leave.
func (tq *testQueue) wantLost(t *testing.T, want uint64) {
	t.Helper()
	if got := tq.lost.Load(); got != want {
		t.Errorf("%d frames lost, want %d", got, want)
	}
}

func TestQueueKeepsOrder(t *testing.T) {
	for _, room := range []int{0, 1, 3} {
		t.Run(fmt.Sprintf("room %d", room), func(t *testing.T) {
			tq := newTestQueue(t)
			tq.room = room
			tq.send(t, "a", "b", "c", "d")
			tq.send(t, "e")
			tq.tell <- cycle{mac2, true}
			if !tq.wait(t.Context()) {
				t.Fatal("not resolved")
			}
			if _, inWay, err := tq.hold([][]byte{[]byte("f")}); inWay || err != nil {
				t.Errorf("after resolving: in the way %v, %v", inWay, err)
			}
			if diff := cmp.Diff([]string{"a", "b", "c", "d", "e"}, tq.wire); diff != "" {
				t.Errorf("wire (-want +got):\n%s", diff)
			}
			if tq.mac != mac2 {
				t.Errorf("mac %x, want %x", tq.mac, mac2)
			}
		})
	}
}

func TestQueueHandsBackUndelivered(t *testing.T) {
	tq := newTestQueue(t)
	tq.send(t, "a", "b")
	tq.tell <- cycle{}
	for _, want := range []string{"a", "b"} {
		if got := <-tq.dead; got != want {
			t.Errorf("undelivered %q, want %q", got, want)
		}
	}
	tq.wantLost(t, 2)
	// The next frame starts a cycle of its own, and this one has luck.
	tq.send(t, "c")
	tq.tell <- cycle{mac2, true}
	if !tq.wait(t.Context()) {
		t.Fatal("not resolved")
	}
	if diff := cmp.Diff([]string{"c"}, tq.wire); diff != "" {
		t.Errorf("wire (-want +got):\n%s", diff)
	}
}

func TestQueueIsBounded(t *testing.T) {
	tq := newTestQueue(t)
	const size = 1 << 20
	frames := make([][]byte, heldBytes/size+2)
	for i := range frames {
		frames[i] = make([]byte, size)
	}
	if n, _, err := tq.hold(frames); n != heldBytes/size || err != nil {
		t.Errorf("held %d frames, %v; want %d", n, err, heldBytes/size)
	}
	if n, _, err := tq.hold(frames); n != 0 || err != nil {
		t.Errorf("a full queue held %d frames, %v", n, err)
	}
	tq.tell <- cycle{}
	for range heldBytes / size {
		<-tq.dead
	}
	if n, _, _ := tq.hold(frames[:1]); n != 1 {
		t.Error("an emptied queue takes no frame")
	}
}

func TestQueueRefusesLongFrames(t *testing.T) {
	tq := newTestQueue(t)
	tq.maxFrame = 3
	n, inWay, err := tq.hold([][]byte{[]byte("abc"), []byte("abcd"), []byte("x")})
	if n != 1 || !inWay || !errors.Is(err, syscall.EMSGSIZE) {
		t.Errorf("held %d, in the way %v, %v; want 1, true, EMSGSIZE", n, inWay, err)
	}
}

func TestQueueTellsFlushErrorOnce(t *testing.T) {
	tq := newTestQueue(t)
	tq.err = syscall.ENETDOWN
	tq.send(t, "a")
	tq.tell <- cycle{mac2, true}
	<-tq.done
	frames := [][]byte{[]byte("b")}
	if n, inWay, err := tq.hold(frames); n != 0 || !inWay || !errors.Is(err, syscall.ENETDOWN) {
		t.Errorf("hold: %d, %v, %v; want the flush's error", n, inWay, err)
	}
	if _, inWay, err := tq.hold(frames); inWay || err != nil {
		t.Errorf("second hold: in the way %v, %v", inWay, err)
	}
	tq.wantLost(t, 1)
}

func TestQueueWait(t *testing.T) {
	tq := newTestQueue(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if tq.wait(ctx) {
		t.Error("resolved without an answer")
	}
	tq.mu.Lock()
	end := tq.cycle // wait began it
	tq.mu.Unlock()
	tq.tell <- cycle{}
	<-end
	tq.send(t, "a")
	tq.tell <- cycle{mac2, true}
	if !tq.wait(t.Context()) {
		t.Error("not resolved")
	}
}

func TestQueueClosed(t *testing.T) {
	tq := newTestQueue(t)
	tq.send(t, "a")
	tq.close()
	if tq.wait(t.Context()) {
		t.Error("a closed queue resolved")
	}
	if _, inWay, err := tq.hold([][]byte{[]byte("b")}); !inWay || !errors.Is(err, net.ErrClosed) {
		t.Errorf("hold on a closed queue: %v, %v", inWay, err)
	}
	if len(tq.dead) != 0 {
		t.Error("close handed frames back")
	}
	tq.wantLost(t, 1)
}
