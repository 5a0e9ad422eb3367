package transmit

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/bench/wire"
	"github.com/hopquote/hopquote/frame/link"
)

func TestMain(m *testing.M) { os.Exit(lab.RunTests(m)) }

func open(t *testing.T) *wire.Pair {
	t.Helper()
	lab.Skip(t)
	p, err := wire.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	if err := p.DropFar(); err != nil {
		t.Fatal(err)
	}
	return p
}

// Every sender's count is the link's.
func TestSuite(t *testing.T) {
	suite := Suite(open(t), Kinds(), 20*time.Millisecond)
	table, err := suite.Run(t.Context(), 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range table.Rows {
		if len(r.Problems) > 0 {
			t.Errorf("%s: %q", r.Labels, r.Problems)
		}
		sent, _ := r.Spread("sent_frames")
		counted, _ := r.Spread("counted_frames")
		isNull := r.Labels[0] == "null"
		if sent.Min < Batch || isNull != (counted.Max == 0) || !isNull && sent != counted {
			t.Errorf("%s sent %v, counted %v", r.Labels, sent, counted)
		}
		if cpu, _ := r.Spread("cpu_ns"); cpu.Min <= 0 {
			t.Errorf("%s costs %v ns a frame", r.Labels, cpu)
		}
	}
}

// liar counts a frame more than it sends in every flush.
type liar struct{ Sender }

func (l liar) Flush() (int, error) {
	if _, err := l.Sender.Flush(); err != nil {
		return 0, err
	}
	return Batch, nil
}

func TestWrongCountFails(t *testing.T) {
	p := open(t)
	kind := Kind{Name: "liar", Open: func(e link.Envelope) (Sender, error) { return liar{&null{}}, nil }}
	suite := Suite(p, []Kind{kind}, time.Millisecond)
	table, err := suite.Run(t.Context(), 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(table.Rows[0].Problems, "; "); !strings.Contains(got, "the link counted 0") {
		t.Errorf("problems %q, want that the link counted 0", got)
	}
}

func TestSlots(t *testing.T) {
	var s slots
	for i := range Batch {
		b := s.Slot(100)
		for j := range b {
			b[j] = byte(i)
		}
	}
	if s.Slot(100) != nil {
		t.Error("there is a slot more than there are")
	}
	s.sent(10)
	for range 10 {
		for j, b := 0, s.Slot(maxFrame); j < len(b); j++ {
			b[j] = 0xff
		}
	}
	for i, f := range s.frames[:Batch-10] {
		if len(f) != 100 || f[0] != byte(i+10) || f[99] != byte(i+10) {
			t.Fatalf("slot %d holds %x behind 10 that left", i, f)
		}
	}
	s.Drop()
	if len(s.frames) != 0 || s.Slot(maxFrame+1) != nil {
		t.Error("Drop left frames, or a slot is longer than it can be")
	}
}
