package scheduler

import (
	"context"
	"runtime"
	"sync"

	"github.com/hopquote/hopquote/rx"
)

// Shards are engines that run side by side, one to a core, each with a sender,
// a receiver, a book and a strategy of its own. Their targets must be divided so
// that no two send to the same flow, and replies should reach the receiver
// beside the sender of their probe. Those that come to another's are handed
// over, where all receivers are Wakers and all books rx.Ledgers: then all engines
// run until the last of the strategies is done. Else nobody else's replies are
// looked at, and each engine ends by itself.
type Shards []*Engine

// Run runs all of them to completion. The first that fails stops the others,
// and its error is Run's. Those whose receiver is a Waker are woken when they
// are stopped, by an error or by the context, the rest stop when they wake.
func (s Shards) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.join()
	stop := context.AfterFunc(ctx, s.wake)
	defer stop()
	var first error
	var failed sync.Once
	var running sync.WaitGroup
	for _, e := range s {
		running.Go(func() {
			// A loop that went from thread to thread would go from core to core.
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			if err := e.Run(ctx); err != nil {
				failed.Do(func() { first = err })
				cancel()
			}
		})
	}
	running.Wait()
	s.settle()
	return first
}

func (s Shards) wake() {
	for _, e := range s {
		e.wake()
	}
}

// Counts adds up the engines'. Call it after Run.
func (s Shards) Counts() rx.Counts {
	var sum rx.Counts
	for _, e := range s {
		c := e.Counts()
		sum.Add(&c)
	}
	return sum
}

// Handovers adds up the engines'. Call it after Run.
func (s Shards) Handovers() Handovers {
	var sum Handovers
	for _, e := range s {
		if b := e.beside; b != nil {
			sum.Offered += b.counts.Offered
			sum.Matched += b.counts.Matched
			sum.Lost += b.counts.Lost
		}
	}
	return sum
}

// Frames adds up the engines'. Call it after Run.
func (s Shards) Frames() FrameCounts {
	var sum FrameCounts
	for _, e := range s {
		c := e.Frames()
		sum.Add(&c)
	}
	return sum
}
