package rx_test

import (
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hopquote/hopquote/rx"
)

// room is how many packets of a length, link header included, a ring holds
// whose blocks are only handed over when full: a block's header takes 48
// bytes, and a packet 82 bytes before its own, rounded up to 8, of which a block
// fills less than its size (tpacket_rcv, __packet_lookup_frame_in_block).
func room(c rx.RingConfig, length int) int {
	slot := (82 + length + 7) &^ 7
	return c.Blocks * ((c.BlockSize - 48 - 1) / slot)
}

// A ring that nobody reads takes what it has room for, drops all the rest, and
// counts both.
func TestRingFull(t *testing.T) {
	n := openLine(t)
	c := lineConfig(t)
	c.BlockSize, c.Blocks, c.Retire = os.Getpagesize(), 4, time.Minute
	ring := openRing(t, n, wire, c)
	send := sender(t, n)
	b := datagram(target, 5, "answer")
	const extra = 77
	fits := room(c, len(b))
	for range fits + extra {
		send(b)
	}
	if p := collect(t, ring, fits); len(p) != fits {
		t.Errorf("%d packets, want %d", len(p), fits)
	}
	got, err := ring.Stats()
	want := rx.RingStats{Received: uint64(fits) + extra, Drops: extra, Frozen: 1, Handed: uint64(fits)}
	if got != want || err != nil {
		t.Errorf("counts %+v, error %v; want %+v", got, err, want)
	}
	ring.Close()
	if again, err := ring.Stats(); again != want || err != nil {
		t.Errorf("counts %+v after closing, error %v; want %+v", again, err, want)
	}
}

// stall sends 120,000 packets, 200,000 a second where the machine can, to a
// ring whose reader stands still for the middle third of them. Before and behind
// it the reader catches up, so that a slow machine is no part of the stall.
func stall(t *testing.T, c rx.RingConfig) (sent int, counts rx.RingStats, lasted time.Duration) {
	t.Helper()
	const count, rate, from, to = 120_000, 200_000, 40_000, 80_000
	n := openLine(t)
	ring := openRing(t, n, wire, c)
	send := sender(t, n)
	b := datagram(target, 5, "answer")
	stop, resume, result := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	var seen atomic.Uint64 // walked or dropped
	go func() { result <- readWithStop(ring, count, &seen, stop, resume) }()
	start, stopped := time.Now(), time.Time{}
	for i := range count {
		switch i {
		case from:
			await(t, &seen, from)
			select {
			case stop <- struct{}{}:
			case err := <-result:
				t.Fatal(err)
			}
			stopped = time.Now()
		case to:
			lasted = time.Since(stopped)
			close(resume)
			await(t, &seen, to)
			start = time.Now().Add(-to * time.Second / rate)
		}
		for time.Since(start) < time.Duration(i)*time.Second/rate {
			time.Sleep(50 * time.Microsecond)
		}
		send(b)
	}
	if err := <-result; err != nil {
		t.Fatal(err)
	}
	counts, err := ring.Stats()
	if err != nil {
		t.Fatal(err)
	}
	return count, counts, lasted
}

// await waits until the reader has seen n packets.
func await(t *testing.T, seen *atomic.Uint64, n uint64) {
	t.Helper()
	for deadline := time.Now().Add(long); seen.Load() < n; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d packets seen after %v, want %d", seen.Load(), long, n)
		}
	}
}

// readWithStop drains until all packets are walked or dropped. From a stop on it
// does nothing until it may resume.
func readWithStop(ring *rx.Ring, count uint64, seen *atomic.Uint64, stop, resume <-chan struct{}) error {
	for deadline := time.Now().Add(long); ; {
		select {
		case <-stop:
			<-resume
		default:
		}
		if err := ring.Wait(time.Since(ring.Epoch()) + 20*time.Millisecond); err != nil {
			return err
		}
		if err := ring.Drain(func(*rx.Packet) {}); err != nil {
			return err
		}
		counts, err := ring.Stats()
		seen.Store(counts.Handed + counts.Drops)
		if err != nil || counts.Handed+counts.Drops >= count {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("counts %+v after %v", counts, long)
		}
	}
}

// The dimensions of a survey's ring, see rx.Survey.
const (
	surveyBlocks = 64
	surveyRetire = 10 * time.Millisecond
)

// A survey's ring has room for what comes while its reader stands still for
// 200 ms at 200,000 packets a second.
func TestRingOutlastsStall(t *testing.T) {
	if testing.Short() {
		t.Skip("120,000 packets: not in short mode")
	}
	c := lineConfig(t)
	c.Profile = rx.Survey
	sent, counts, lasted := stall(t, c)
	want := rx.RingStats{Received: uint64(sent), Handed: uint64(sent)}
	if lasted > surveyBlocks*surveyRetire/2 {
		// So slow a machine fills the ring with blocks that are retired half
		// empty: then only the sum is certain.
		want.Handed, want.Drops, want.Frozen = counts.Handed, uint64(sent)-counts.Handed, counts.Frozen
	}
	if counts != want {
		t.Errorf("counts %+v, want %+v", counts, want)
	}
}

// A small ring has not, and counts every packet that it could not take.
func TestRingCountsStall(t *testing.T) {
	if testing.Short() {
		t.Skip("120,000 packets: not in short mode")
	}
	c := lineConfig(t)
	c.BlockSize, c.Blocks = os.Getpagesize(), 64
	sent, counts, _ := stall(t, c)
	// What came while the reader stood still, but for a full ring, is lost.
	least := 40_000 - room(c, len(datagram(target, 5, "answer")))
	if counts.Received != uint64(sent) || counts.Handed+counts.Drops != uint64(sent) || counts.Drops < uint64(least) || counts.Frozen == 0 {
		t.Errorf("%d sent, counts %+v; want %d drops or more", sent, counts, least)
	}
}
