package survey

import (
	"fmt"
	"math"
	"os"
	"slices"
	"time"

	"github.com/hopquote/hopquote/cmd/internal/option"
	"github.com/hopquote/hopquote/cmd/internal/survey/checkpoint"
	"github.com/hopquote/hopquote/cmd/internal/survey/journal"
	"github.com/hopquote/hopquote/scheduler/survey/pack"
)

// newKeeper makes what writes checkpoints.
func (r *run) newKeeper() *keeper {
	o := r.o
	path, every := o.checkpoint, o.every
	if path == "" && o.resume != "" {
		path = o.resume // it was asked for once
	}
	if path == "" {
		path, every = keepAt(o.outputs), 0
	}
	k := newKeeper(path, every, o.loops)
	if o.checkpoint == "" && o.resume == "" {
		k.elsewhere = keepElse(path)
	}
	k.from = o.resume
	k.snap, k.fail, k.rouse, k.sink = r.snapshot, r.stop, r.net.wake, r.sink
	if every > 0 {
		k.journal = journal.NewWriter(path, r.rand.Uint64())
	}
	return k
}

// snapshot is the run at a moment, but for its outputs and the loops' states.
func (r *run) snapshot(now time.Duration, parts []part) *checkpoint.Checkpoint {
	c := &checkpoint.Checkpoint{Head: checkpoint.Head{
		Version: option.Version, Args: r.args, Dir: workingDir(), Settings: r.settings(), Names: r.names.pack(), Complete: true,
		Start: r.net.epoch, At: now, Active: r.active(now), Runs: r.before.Runs + 1, Seed: r.o.seed,
		KeyIDs: slices.Concat(r.before.KeyIDs, r.keyIDs),
		Src:    [2]string{addr(r.net, 0), addr(r.net, 1)}, SrcPort: r.net.srcPort, Sum: r.net.sum, Link: r.net.link(),
		Counts: r.before.Counts, Resent: r.before.Resent, Frames: r.before.Frames, KernelDrops: r.before.KernelDrops + r.net.drops(),
	}}
	for i := range parts {
		p := &parts[i]
		c.Complete = c.Complete && p.done
		c.Counts.Add(&p.counts)
		c.Frames.Add(&p.frames)
	}
	return c
}

// workingDir is what relative paths begin at, empty if nobody knows.
func workingDir() string {
	dir, err := os.Getwd()
	if err != nil {
		return ""
	}
	return dir
}

// last is it at the end, when the loops have ended.
func (r *run) last() *checkpoint.Checkpoint {
	var parts []part
	for _, w := range r.loops {
		parts = append(parts, w.sums())
	}
	c := r.snapshot(r.end.At, parts)
	c.Stopped = true
	return c
}

// active is how long this run and those before it took.
func (r *run) active(now time.Duration) time.Duration { return r.before.Active + now - r.begun }

// finish writes the last checkpoint of a run whose outputs have stopped, and gives
// the line that tells how to go on.
func (r *run) finish(c *checkpoint.Checkpoint) (string, error) {
	k := r.keeper
	k.wait()
	if !c.Complete {
		for _, w := range r.loops {
			c.State = pack.Bytes(c.State, w.state())
		}
	}
	if c.Complete && k.every == 0 {
		return "", nil
	}
	cut, err := r.sink.Last()
	place := func(path string) string { return path }
	if k.elsewhere != nil && !r.o.overwrite {
		place = unused // nobody said where
	}
	if err == nil {
		k.path = place(k.path)
		err = k.write(c, cut, r.end.At)
		for _, path := range k.elsewhere {
			if err == nil || c.Complete {
				break
			}
			k.path = place(path)
			if k.write(c, cut, r.end.At) == nil {
				err = nil
			}
		}
	}
	if err == nil && k.journal != nil {
		k.journal.Close()
		k.journal.Forget(math.MaxUint64)
	}
	again := "hopquote survey --resume " + k.path
	switch {
	case c.Complete:
		return "", err
	case err == nil:
		return "go on with: " + again, nil
	case k.written && k.whole():
		return "go on with: " + again, err
	case k.written:
		return fmt.Sprintf("go on from %s before the end with: %s", (r.end.At - k.until()).Round(time.Millisecond), again), err
	case r.resumed != nil:
		return "go on from where this run began with: " + again, err
	}
	return fmt.Sprintf("it can't be gone on with: %v", err), err
}
