package scheduler

import (
	"context"
	"testing"
	"time"

	"github.com/hopquote/hopquote/frame"
)

// steady takes 2 us for each frame, and one of its calls much longer.
type steady struct {
	*echo
	calls int
}

const (
	perFrame = 2 * time.Microsecond
	heldCall = 3
	heldUp   = 20 * time.Millisecond
)

func (s *steady) Flush() (int, error) {
	n, err := s.echo.Flush()
	s.calls++
	s.now += time.Duration(n) * perFrame
	if s.calls == heldCall {
		s.now += heldUp
	}
	return n, err
}

// clocked notes when probes left.
type clocked struct {
	*sweep
	sent []time.Duration
}

func (c *clocked) Sent(_ int, _ *frame.Probe, at time.Duration) { c.sent = append(c.sent, at) }

// The frames of a batch left one after the other, and a sender that was held up
// does not change the steps between them.
func TestSteps(t *testing.T) {
	const batch, total = 8, 64
	s, net := &clocked{sweep: newSweep(total)}, &steady{echo: newEcho()}
	cfg := loopConfig(t, s, net.echo)
	cfg.Sender, cfg.Batch = net, batch
	if err := New(cfg).Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if len(s.sent) != total || net.calls < total/batch {
		t.Fatalf("%d probes in %d calls", len(s.sent), net.calls)
	}
	for i := range s.sent {
		if i%batch == 0 {
			if want := i == heldCall*batch; i > 0 && (s.sent[i]-s.sent[i-1] > heldUp) != want {
				t.Errorf("probe %d left %v after the one before", i, s.sent[i]-s.sent[i-1])
			}
			continue
		}
		// To look at the clock takes a while too, of which each frame has its share.
		if got := s.sent[i] - s.sent[i-1]; got < perFrame || got > perFrame+50 {
			t.Errorf("probe %d left %v after the one before, want %v", i, got, perFrame)
		}
	}
}
