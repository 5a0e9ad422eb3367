package capture

import (
	"fmt"
	"time"
)

const (
	// writeBytes is how much goes to the file at once.
	writeBytes = 256 << 10
	// heldBytes bounds what is held back for the sake of order.
	heldBytes = 4 << 20
)

// run is the writing goroutine: it takes what came in, holds the newest back
// until no older frame can follow, and writes the rest in order.
func (w *Writer) run() {
	defer close(w.done)
	var held, next batch
	tick := time.NewTicker(spread)
	defer tick.Stop()
	for {
		quiet := false
		select {
		case <-w.wake:
		case <-tick.C:
			quiet = true
		}
		taken, closing := w.takeIncoming()
		for _, e := range taken.entries {
			held.take(&taken, e)
		}
		quiet = quiet && len(taken.entries) == 0
		w.giveBack(taken)
		held.sort()
		w.write(&held, &next, quiet || closing)
		held, next = next, held
		if closing {
			w.fail(w.file.Close())
			return
		}
	}
}

// write writes the entries that are old enough, or all of them, and moves the
// others to next.
func (w *Writer) write(held, next *batch, all bool) {
	next.reset()
	if len(held.entries) == 0 || w.Err() != nil {
		return
	}
	newest := held.entries[len(held.entries)-1].at
	left := held.size()
	for _, e := range held.entries {
		if !all && e.at > newest-spread && left <= heldBytes {
			next.take(held, e)
			continue
		}
		left -= e.size + entryBytes
		if err := w.enc.packet(e.at, held.bytes(e), e.length, e.sent, e.by); err != nil {
			w.fail(err)
			return
		}
		if len(w.enc.out) >= writeBytes && !w.flush() {
			return
		}
	}
	w.flush()
}

func (w *Writer) flush() bool {
	err := w.enc.flush(w.file)
	w.fail(err)
	return err == nil
}

// takeIncoming swaps the incoming frames for an empty batch.
func (w *Writer) takeIncoming() (taken batch, closing bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	taken, w.incoming, w.spare = w.incoming, w.spare, batch{}
	w.room.Broadcast()
	return taken, w.closing
}

// giveBack returns the memory of a batch that was taken.
func (w *Writer) giveBack(b batch) {
	b.reset()
	w.mu.Lock()
	w.spare = b
	w.mu.Unlock()
}

// fail keeps the first error.
func (w *Writer) fail(err error) {
	if err == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = fmt.Errorf("capture: %w", err)
		w.room.Broadcast()
	}
}
