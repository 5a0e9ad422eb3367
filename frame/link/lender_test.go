package link

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"

	"golang.org/x/sys/unix"
)

// moody is an output that takes as many frames as it likes.
type moody struct {
	t     *testing.T
	rand  *rand.Rand
	taken uint32
}

var errMoody = unix.EIO

func (m *moody) send(frames [][]byte) (int, error) {
	n := m.rand.IntN(len(frames) + 1)
	for _, f := range frames[:n] {
		if got := binary.BigEndian.Uint32(f); got != m.taken {
			m.t.Fatalf("frame %d comes after %d frames", got, m.taken)
		}
		m.taken++
	}
	if n < len(frames) && m.rand.IntN(4) == 0 {
		return n, errMoody
	}
	return n, nil
}

func (m *moody) close() error { return nil }

// TestSlotsKeepOrder fills and flushes at random, by an output that takes some:
// every frame goes there once and in order, and what left stays as it was until
// the next slot is lent.
func TestSlotsKeepOrder(t *testing.T) {
	m := &moody{t: t, rand: rand.New(rand.NewPCG(3, 4))}
	s := &Sender{out: m}
	next, full, failed := uint32(0), 0, 0
	var waiting [][]byte
	for range 5000 {
		for range m.rand.IntN(200) {
			f := s.Slot(4 + m.rand.IntN(100))
			if f == nil {
				full++
				if len(waiting) != lenderSlots {
					t.Fatalf("no slot with %d waiting", len(waiting))
				}
				break
			}
			binary.BigEndian.PutUint32(f, next)
			next++
			waiting = append(waiting, f)
		}
		n, err := s.Flush()
		if err != nil {
			failed++
			if !errors.Is(err, errMoody) {
				t.Fatal(err)
			}
		}
		for i, f := range waiting {
			if got, want := binary.BigEndian.Uint32(f), next-uint32(len(waiting)-i); got != want {
				t.Fatalf("a slot holds frame %d, was filled with %d", got, want)
			}
		}
		waiting = waiting[n:]
		if m.taken != next-uint32(len(waiting)) {
			t.Fatalf("%d frames taken, %d filled of which %d wait", m.taken, next, len(waiting))
		}
	}
	waits := uint64(len(waiting))
	s.Drop()
	c := s.Counts()
	if c.Sent != uint64(m.taken) || c.Dropped != waits || c.Refused != uint64(failed) || full == 0 || failed == 0 {
		t.Errorf("%d taken, %d dropped, %d times full, %d failures: %+v", m.taken, waits, full, failed, c)
	}
}
