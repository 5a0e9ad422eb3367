package link_test

import (
	"errors"
	"net"
	"testing"

	"github.com/hopquote/hopquote/frame/link"
)

// TestSlotsRunOut lends all slots there are.
func TestSlotsRunOut(t *testing.T) {
	n := openLine(t)
	for _, tt := range senders {
		s := openSlots(t, n.Host("h1"), tt.SenderConfig)
		want := 256
		if tt.Tx == link.TxXDP {
			want = 1024
		}
		for round := range 3 {
			lent := 0
			for f := s.Slot(60); f != nil; f = s.Slot(60) {
				random(f, lent)
				lent++
			}
			if lent != want {
				t.Errorf("%s: %d slots lent, want %d", tt.name, lent, want)
			}
			if round == 1 {
				s.Drop()
			}
			if _, err := s.Flush(); err != nil {
				t.Error(err)
			}
		}
		if c := s.Counts(); c.NoRoom < 3 || c.Sent != uint64(2*want) || c.Dropped != uint64(want) {
			t.Errorf("%s: %+v", tt.name, c)
		}
	}
}

func TestSlotsClosed(t *testing.T) {
	n := openLine(t)
	for _, tt := range senders {
		s := openSlots(t, n.Host("h1"), tt.SenderConfig)
		clear(s.Slot(60))
		if err := s.Close(); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if n, err := s.Flush(); n != 0 || !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: flush: %d, %v; want %v", tt.name, n, err, net.ErrClosed)
		}
		s.Drop()
		if n, err := s.Send([][]byte{make([]byte, 60)}); n != 0 || !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: send: %d, %v; want %v", tt.name, n, err, net.ErrClosed)
		}
		s.Close()
		if c := s.Counts(); c != (link.Counts{Dropped: 1, Refused: 2}) {
			t.Errorf("%s: %+v", tt.name, c)
		}
	}
}

func TestSlotsAllocateNothing(t *testing.T) {
	h1 := openLine(t).Host("h1")
	for _, tt := range senders {
		s := openSlots(t, h1, tt.SenderConfig)
		allocs := testing.AllocsPerRun(50, func() {
			for range 70 {
				blank(s.Slot(60))
			}
			if n, err := s.Flush(); n != 70 || err != nil {
				t.Errorf("%s: %d left, %v", tt.name, n, err)
			}
		})
		if allocs != 0 {
			t.Errorf("%s: %v allocations", tt.name, allocs)
		}
	}
}

// blank is a frame of testType without any work.
func blank(f []byte) { f[12], f[13] = testType>>8, testType&0xff }

// TestSlotsNull looks at the sender that sends nothing, which needs nothing.
func TestSlotsNull(t *testing.T) {
	s, err := link.OpenSender(link.Envelope{}, link.SenderConfig{Tx: link.TxNull})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for range 100 {
		clear(s.Slot(60))
	}
	if n, err := s.Flush(); n != 100 || err != nil || s.Tx() != link.TxNull {
		t.Errorf("%d left, %v, %v", n, err, s.Tx())
	}
	if n, err := s.Send(make([][]byte, 7)); n != 7 || err != nil || s.Counts() != (link.Counts{Sent: 107}) {
		t.Errorf("%d sent, %v, %+v", n, err, s.Counts())
	}
}
