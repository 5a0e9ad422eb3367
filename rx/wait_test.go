package rx_test

import (
	"errors"
	"math"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/hopquote/hopquote/rx"
)

const forever = time.Duration(math.MaxInt64)

func TestWaitUntil(t *testing.T) { eachWay(t, testWaitUntil) }

func testWaitUntil(t *testing.T, open opener) {
	ring := open(t, openLine(t), "lo", rx.RingConfig{})
	for _, until := range []time.Duration{math.MinInt64, 0, time.Since(ring.Epoch()) + 3*time.Millisecond} {
		if err := ring.Wait(until); err != nil {
			t.Errorf("wait until %v: %v", until, err)
		}
		if now := time.Since(ring.Epoch()); now < until {
			t.Errorf("waited until %v, asked for %v", now, until)
		}
	}
}

func TestWakeAndInject(t *testing.T) { eachWay(t, testWakeAndInject) }

func testWakeAndInject(t *testing.T, open opener) {
	ring := open(t, openLine(t), "lo", rx.RingConfig{})
	wait := func(why string) {
		t.Helper()
		if err := ring.Wait(forever); err != nil {
			t.Fatalf("%s: %v", why, err)
		}
	}
	// A wake before the wait is not lost, however many there were.
	ring.Wake()
	ring.Wake()
	wait("woken before")
	// That took all the wakes: the next wait is a whole one.
	until := time.Since(ring.Epoch()) + 3*time.Millisecond
	if err := ring.Wait(until); err != nil || time.Since(ring.Epoch()) < until {
		t.Errorf("the wait after it ended %v early, error %v", until-time.Since(ring.Epoch()), err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		ring.Wake()
	}()
	wait("woken from another goroutine")
	<-done

	data := []byte("made here")
	ring.Inject(data, 5*time.Second)
	copy(data, "overwritt")
	ring.Inject([]byte("second"), 4*time.Second)
	wait("injected")
	wait("injected and not drained yet")
	var packets []got
	drain := func() {
		t.Helper()
		packets = nil
		err := ring.Drain(func(p *rx.Packet) {
			if len(packets) == 0 {
				ring.Inject([]byte("from within"), 6*time.Second)
			}
			packets = append(packets, got{string(p.Data), p.At, p.Offloaded, p.Local, p.Interface})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	drain()
	want := []got{
		{Data: "made here", At: 5 * time.Second, Local: true},
		{Data: "second", At: 4 * time.Second, Local: true},
	}
	if d := cmp.Diff(want, packets); d != "" {
		t.Errorf("injected packets (-want +got):\n%s", d)
	}
	wait("injected from within the drain")
	drain()
	if len(packets) != 1 || packets[0].Data != "from within" {
		t.Errorf("injected from within a drain: %+v", packets)
	}
}

// A signal, such as the Go scheduler sends to take a thread back, does not end
// a wait.
func TestSignalDoesNotEndWait(t *testing.T) { eachWay(t, testSignalDoesNotEndWait) }

func testSignalDoesNotEndWait(t *testing.T, open opener) {
	ring := open(t, openLine(t), "lo", rx.RingConfig{})
	thread := make(chan int)
	ended := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		thread <- unix.Gettid()
		ended <- ring.Wait(forever)
	}()
	tid := <-thread
	for range 20 {
		select {
		case err := <-ended:
			t.Fatalf("a signal ended the wait, error %v", err)
		case <-time.After(time.Millisecond):
		}
		if err := unix.Tgkill(unix.Getpid(), tid, unix.SIGURG); err != nil {
			t.Fatal(err)
		}
	}
	ring.Wake()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestCloseEndsWait(t *testing.T) { eachWay(t, testCloseEndsWait) }

func testCloseEndsWait(t *testing.T, open opener) {
	ring := open(t, openLine(t), "lo", rx.RingConfig{})
	ended := make(chan error)
	go func() { ended <- ring.Wait(forever) }()
	if err := ring.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("wait ended with %v, want %v", err, net.ErrClosed)
		}
	case <-time.After(long):
		t.Fatal("close didn't end the wait")
	}
	if err := ring.Wait(forever); !errors.Is(err, net.ErrClosed) {
		t.Errorf("wait after close: %v, want %v", err, net.ErrClosed)
	}
	if err := ring.Drain(func(*rx.Packet) {}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("drain after close: %v, want %v", err, net.ErrClosed)
	}
	if err := ring.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
	ring.Wake()
	ring.Inject([]byte("nowhere"), 0)
}

// Everything but Wait and Drain may come from any goroutine, until after the
// close. The race detector judges.
func TestRingConcurrency(t *testing.T) { eachWay(t, testRingConcurrency) }

func testRingConcurrency(t *testing.T, open opener) {
	ring := open(t, openLine(t), "lo", rx.RingConfig{})
	const each = 200
	var others sync.WaitGroup
	for range 3 {
		others.Go(func() {
			for range each {
				ring.Inject([]byte("packet"), 0)
				ring.Wake()
				ring.Drops()
				if r, ok := ring.(*rx.Ring); ok {
					r.Frozen()
				}
			}
		})
	}
	packets := 0
	for packets < 3*each {
		if err := ring.Wait(time.Since(ring.Epoch()) + long); err != nil {
			t.Fatal(err)
		}
		if err := ring.Drain(func(*rx.Packet) { packets++ }); err != nil {
			t.Fatal(err)
		}
	}
	others.Go(func() { ring.Close() })
	others.Go(func() { ring.Close() })
	others.Go(ring.Wake)
	others.Wait()
}

func TestInterfaceGoesDown(t *testing.T) { eachWay(t, testInterfaceGoesDown) }

func testInterfaceGoesDown(t *testing.T, open opener) {
	n := openLine(t)
	ring := open(t, n, wire, lineConfig(t))
	send := sender(t, n)
	setLink := func(up bool) {
		t.Helper()
		if err := n.Host("h1").SetLink(wire, up); err != nil {
			t.Fatal(err)
		}
	}
	setLink(false)
	if err := waitError(ring); !errors.Is(err, unix.ENETDOWN) {
		t.Errorf("interface down: %v, want %v", err, unix.ENETDOWN)
	}
	// It was said once, and the ring goes on when the interface is back.
	setLink(true)
	b := datagram(target, 5, "answer")
	ring.Wake()
	if err := ring.Wait(forever); err != nil {
		t.Errorf("interface up again: %v", err)
	}
	for packets := 0; packets == 0; {
		// The link takes a moment until it carries frames.
		send(b)
		if err := ring.Wait(time.Since(ring.Epoch()) + 10*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		if err := ring.Drain(func(*rx.Packet) { packets++ }); err != nil {
			t.Fatal(err)
		}
	}
}

func TestInterfaceGoesAway(t *testing.T) { eachWay(t, testInterfaceGoesAway) }

func testInterfaceGoesAway(t *testing.T, open opener) {
	n := openLine(t)
	ring := open(t, n, wire, lineConfig(t))
	ended := make(chan error)
	go func() { ended <- waitError(ring) }()
	if err := n.Host("h1").DeleteLink(wire); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if !errors.Is(err, unix.ENETDOWN) {
			t.Errorf("interface gone: %v, want %v", err, unix.ENETDOWN)
		}
	case <-time.After(long):
		t.Fatal("the wait didn't end")
	}
}

// waitError is the first error of waits, which may also return early for none.
func waitError(ring receiver) error {
	for until := time.Since(ring.Epoch()) + long; time.Since(ring.Epoch()) < until; {
		if err := ring.Wait(until); err != nil {
			return err
		}
	}
	return nil
}
