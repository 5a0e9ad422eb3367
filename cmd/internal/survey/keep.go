package survey

import (
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hopquote/hopquote/cmd/internal/survey/checkpoint"
	"github.com/hopquote/hopquote/cmd/internal/survey/sink"
)

// keeper writes checkpoints: now and then if that was asked for, and when a run
// ends before it is complete.
type keeper struct {
	path  string
	every time.Duration // 0: only at the end
	snap  func(now time.Duration) *checkpoint.Checkpoint
	sink  *sink.Sink
	fail  func(error)

	next    time.Duration
	busy    chan struct{} // holds one while a checkpoint is on its way
	writing sync.WaitGroup
	last    time.Duration // of the run: up to where the file's checkpoint goes
	written bool          // there is one of this run
	ending  atomic.Bool   // the outputs are being closed: another checkpoint comes
}

func newKeeper(path string, every time.Duration) *keeper {
	return &keeper{path: path, every: every, busy: make(chan struct{}, 1)}
}

// plan begins a checkpoint if it is time. It is called between two steps of the
// strategy. A checkpoint that takes long makes the next ones rarer: no more than
// a twentieth of the time goes into what the strategy has to wait for.
func (k *keeper) plan(now time.Duration) {
	if k.every == 0 || now < k.next {
		return
	}
	select {
	case k.busy <- struct{}{}:
	default:
		return // the disk is behind
	}
	begun := time.Now()
	c := k.snap(now)
	k.next = now + max(k.every, 20*time.Since(begun))
	k.sink.Mark(func(cut *sink.Cut, err error) {
		k.writing.Go(func() {
			defer func() { <-k.busy }()
			if err == nil {
				err = k.write(c, cut, now)
			}
			if err != nil && !k.ending.Load() {
				k.fail(err)
			}
		})
	})
}

// write puts what the strategy and the outputs had at the same moment into the
// file.
func (k *keeper) write(c *checkpoint.Checkpoint, cut *sink.Cut, now time.Duration) error {
	if err := cut.Sync(); err != nil {
		return err
	}
	c.Outputs, c.Results = cut.Outputs, cut.State
	if err := checkpoint.Write(k.path, c); err != nil {
		return err
	}
	k.last, k.written = now, true
	return nil
}

// wait waits until no checkpoint is on its way.
func (k *keeper) wait() { k.writing.Wait() }

// keepAt is where a run that ends early leaves its checkpoint unless told
// otherwise: beside its first output that is a file.
func keepAt(outputs []sink.Target) string {
	for _, o := range outputs {
		if o.Path != "-" && filepath.Dir(o.Path) != "/dev" {
			return o.Path + ".checkpoint"
		}
	}
	return "hopquote-survey.checkpoint"
}

// snapshot is the run at a moment, but for its outputs.
func (r *run) snapshot(now time.Duration) *checkpoint.Checkpoint {
	var aloft []int
	r.book.EachInFlight(func(tag int) { aloft = append(aloft, tag) })
	drops, _ := r.net.ring.Drops()
	frames := r.engine.Frames()
	frames.Add(&r.before.Frames)
	c := &checkpoint.Checkpoint{
		Head: checkpoint.Head{
			Version: version(), Args: r.args, Settings: r.settings(), Complete: r.watched.surveyor.Done(),
			Start: r.net.epoch, Active: r.active(now), Runs: r.before.Runs + 1, Seed: r.o.seed,
			KeyIDs: append(r.before.KeyIDs[:len(r.before.KeyIDs):len(r.before.KeyIDs)], r.keyID),
			Src:    [2]string{addr(r.net, 0), addr(r.net, 1)}, SrcPort: r.net.srcPort, Sum: r.net.sum, Link: r.net.link(),
			Counts: r.counts(), Resent: r.before.Resent, Frames: frames, KernelDrops: r.before.KernelDrops + drops,
		},
	}
	if !c.Complete {
		c.State = r.watched.Save(nil, aloft)
	}
	return c
}

// finish writes the last checkpoint of a run whose outputs are closed, and gives
// the line that tells how to go on.
func (r *run) finish(c *checkpoint.Checkpoint) (string, error) {
	k := r.keeper
	k.wait()
	if c.Complete && k.every == 0 {
		return "", nil
	}
	cut, err := r.sink.Last()
	if err == nil {
		err = k.write(c, cut, r.end.At)
	}
	switch {
	case c.Complete:
		return "", err
	case err == nil:
		return "go on with: hopquote survey --resume " + k.path, nil
	case k.written || r.resumed != nil:
		return "go on from " + (r.end.At - k.last).Round(time.Millisecond).String() + " before the end with: hopquote survey --resume " + k.path, err
	}
	return "it can't be gone on with", err
}

// active is how long this run and those before it took.
func (r *run) active(now time.Duration) time.Duration { return r.before.Active + now - r.begun }
