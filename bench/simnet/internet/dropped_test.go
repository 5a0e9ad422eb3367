package internet

import (
	"testing"

	"github.com/hopquote/hopquote/rx"
)

// TestDropped overruns the user-space form: what it drops it says, and what it
// does not it answers.
func TestDropped(t *testing.T) {
	c := Config{UserSpace: true, Minimal: 100}
	n := open(t, c)
	w := newWire(t, n, c, rx.RingConfig{})
	const batches, batch = 1000, 64
	var frames [batch][]byte
	for i := range frames {
		frames[i], _ = w.frame(t, probeAt(i, 0))
	}
	u := n.body.(*user)
	u.mu.Lock() // the Internet is busy
	for range batches {
		w.send(t, frames[:]...)
	}
	u.mu.Unlock()
	done := func() bool {
		c := w.counters(t, 0)
		return c.Total().Asked+c.Dropped >= batches*batch
	}
	w.until(t, done, func([]byte, *rx.Match) {})
	got := w.counters(t, 0)
	total := got.Total()
	if total.Answered+got.Failed != total.Asked || got.Dropped == 0 {
		t.Errorf("%d frames sent, many too many at once: %+v", batches*batch, got)
	}
	// Of the few frames that the prober's kernel sends by itself some are
	// dropped too.
	const kernels = 100
	if sum := total.Asked + got.Dropped; sum > batches*batch+kernels {
		t.Errorf("%d frames sent, %d counted: %+v", batches*batch, sum, got)
	}
}
