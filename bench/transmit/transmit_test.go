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

func openPair(t *testing.T) *wire.Pair {
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
	suite := Suite(openPair(t), Kinds(), 20*time.Millisecond)
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

// liar counts frames that it drops.
type liar struct{ Sender }

func (l liar) Flush() (int, error) {
	l.Drop()
	return Batch, nil
}

func TestWrongCountFails(t *testing.T) {
	p := openPair(t)
	kind := Kind{Name: "liar", Open: func(e link.Envelope) (Sender, error) {
		s, err := open(e, link.SenderConfig{})
		return liar{s}, err
	}}
	suite := Suite(p, []Kind{kind}, time.Millisecond)
	table, err := suite.Run(t.Context(), 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(table.Rows[0].Problems, "; "); !strings.Contains(got, "the link counted 0") {
		t.Errorf("problems %q, want that the link counted 0", got)
	}
}
