package survey

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hopquote/hopquote/cmd/internal/survey/checkpoint"
	"github.com/hopquote/hopquote/cmd/internal/survey/journal"
	"github.com/hopquote/hopquote/cmd/internal/survey/sink"
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/scheduler"
	"github.com/hopquote/hopquote/scheduler/survey/pack"
)

// keeper writes checkpoints: now and then if that was asked for, and when a run
// ends before it is complete.
//
// The loops of a run meet for one: each notes what it knows when it comes by
// and waits for the last of them, so that nothing of what they do falls between.
type keeper struct {
	path string
	// from is another checkpoint that the run goes on from, until this one takes
	// its place; empty for none. stale is why it is still there after that.
	from  string
	stale error
	// elsewhere is where else the last checkpoint may be, if it has no room.
	elsewhere []string
	every     time.Duration // 0: only at the end
	snap      func(now time.Duration, parts []part) *checkpoint.Checkpoint
	sink      *sink.Sink
	fail      func(error)
	rouse     func()       // has loops that sleep come by
	next      atomic.Int64 // when the loops are to meet, in nanoseconds
	// journal has what happened since the last checkpoint; nil for none.
	journal *journal.Writer

	mu      sync.Mutex // guards parts, present, gone, met
	parts   []part     // by loop
	present int        // loops that wait
	gone    int        // loops that have ended
	met     chan struct{}

	busy    atomic.Bool // a checkpoint is on its way
	ending  atomic.Bool // the outputs are being closed: another checkpoint comes
	writing sync.WaitGroup
	last    time.Duration // of the run: up to where the file's checkpoint goes
	written bool          // there is one of this run
	claimed io.Closer     // the file, so that nobody goes on from it while the run lasts; nil for none
}

// part is what one loop knows.
type part struct {
	state  []byte
	done   bool
	gone   bool
	counts rx.Counts
	frames scheduler.FrameCounts
}

// patience is how long loops wait for the others. One that is held up that long
// is about to end, or the checkpoint can wait.
const patience = 200 * time.Millisecond

func newKeeper(path string, every time.Duration, loops int) *keeper {
	return &keeper{path: path, every: every, rouse: func() {}, parts: make([]part, loops)}
}

// wake is when the loops are to come by at the latest.
func (k *keeper) wake() time.Duration {
	if k.every == 0 || k.busy.Load() {
		return scheduler.Never
	}
	return time.Duration(k.next.Load())
}

// maxJournal is how many bytes a journal has, about, before a checkpoint begins
// another one.
const maxJournal = 256 << 20

// begin writes the checkpoint that a run begins with, before anything leaves.
func (k *keeper) begin(now time.Duration, loops []*watched) error {
	if k.every == 0 {
		return nil
	}
	begun := time.Now()
	for _, w := range loops {
		k.parts[w.loop] = w.part()
	}
	failed := k.fail
	var err error
	k.fail = func(e error) { err = e }
	k.take(now, begun)
	k.wait()
	k.fail = failed
	return err
}

// plan writes down what a loop did in its last round, and begins a checkpoint if
// it is time. A loop calls it between two steps of its strategy.
func (k *keeper) plan(w *watched, now time.Duration) {
	if k.every == 0 {
		return
	}
	if err := w.flush(now); err != nil && !k.ending.Load() {
		k.fail(err)
	}
	if k.busy.Load() || int64(now) < k.next.Load() && k.journal.Size() < maxJournal {
		return
	}
	begun := time.Now()
	p := w.part()
	k.mu.Lock()
	k.parts[w.loop] = p
	k.present++
	if k.present+k.gone == len(k.parts) {
		k.take(now, begun)
		k.mu.Unlock()
		return
	}
	if k.met == nil {
		k.met = make(chan struct{})
		k.rouse()
	}
	met := k.met
	k.mu.Unlock()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-met:
		return
	case <-timer.C:
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.met == met {
		k.next.Store(int64(now + k.every))
		k.part()
	}
}

// part lets the loops that met go on.
func (k *keeper) part() {
	k.present = 0
	if k.met != nil {
		close(k.met)
		k.met = nil
	}
}

// take makes a checkpoint, with all loops there. One that takes long makes the
// next ones rarer: no more than a twentieth of the time goes into what the loops
// wait for.
func (k *keeper) take(now time.Duration, begun time.Time) {
	c := k.snap(now, k.parts)
	for i := range k.parts {
		p := &k.parts[i]
		c.State = pack.Bytes(slices.Grow(c.State, binary.MaxVarintLen64+len(p.state)), p.state)
		if !p.gone {
			p.state = nil // there will be another one
		}
	}
	var err error
	if c.Journal, err = k.journal.Next(); err != nil {
		k.next.Store(int64(now + k.every))
		k.fail(err)
		k.part()
		return
	}
	c.JournalID = k.journal.ID()
	k.busy.Store(true)
	k.next.Store(int64(now + max(k.every, 20*time.Since(begun))))
	k.writing.Add(1) // from here on: the outputs come by later
	k.sink.Mark(func(cut *sink.Cut, err error) {
		go func() {
			defer k.writing.Done()
			defer k.busy.Store(false)
			if err == nil {
				err = k.write(c, cut, now)
			}
			if err != nil && !k.ending.Load() {
				k.fail(err)
			}
		}()
	})
	k.part()
}

// leave notes what a loop knows that is about to end. The others no longer wait
// for it.
func (k *keeper) leave(w *watched, now time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.every == 0 || k.parts[w.loop].gone {
		return
	}
	if err := w.flush(now); err != nil && !k.ending.Load() {
		k.fail(err)
	}
	p := w.part()
	p.gone = true
	k.parts[w.loop] = p
	k.gone++
	if k.present > 0 && k.present+k.gone == len(k.parts) {
		k.take(time.Duration(k.next.Load()), time.Now())
	}
}

// write puts what the loops and the outputs had at the same moment into the
// file.
func (k *keeper) write(c *checkpoint.Checkpoint, cut *sink.Cut, now time.Duration) error {
	if err := cut.Sync(); err != nil {
		return err
	}
	c.Outputs, c.Results = cut.Outputs, cut.State
	claimed, err := checkpoint.Write(k.path, c)
	if err != nil {
		return err
	}
	if k.claimed != nil {
		_ = k.claimed.Close() // of the one before
	}
	k.claimed = claimed
	k.last, k.written = now, true
	if k.from != "" {
		if k.stale = checkpoint.Retire(k.from, k.path); k.stale == nil && !sameFile(k.from, k.path) {
			journal.Remove(k.from)
		}
		k.from = ""
	}
	if c.Journal > 0 {
		k.journal.Forget(c.Journal)
	}
	return nil
}

// until is up to where of the run the file can be gone on from.
func (k *keeper) until() time.Duration {
	if k.journal == nil {
		return k.last
	}
	at, _ := k.journal.Until()
	return max(at, k.last)
}

// whole tells that the file and the journal have all there is.
func (k *keeper) whole() bool {
	if k.journal == nil {
		return false
	}
	_, whole := k.journal.Until()
	return whole
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

// keepElse is where else it may: the disk of the outputs may be full.
func keepElse(path string) []string {
	name := filepath.Base(path)
	return []string{name, filepath.Join(os.TempDir(), fmt.Sprintf("%s-%d", name, os.Getpid()))}
}

// unused is a path, or that with a number behind it, where nothing is: another
// survey may want to be gone on with from there.
func unused(path string) string {
	name := path
	for n := 2; ; n++ {
		if info, err := os.Lstat(name); err != nil || info.Mode().IsRegular() && info.Size() == 0 {
			return name
		}
		name = fmt.Sprintf("%s.%d", path, n)
	}
}

// part is what the loop knows between two steps of its strategy.
func (w *watched) part() part {
	p := w.sums()
	p.state = w.state()
	return p
}

// sums is the part without the state, which may be large.
func (w *watched) sums() part {
	return part{done: w.surveyor.Done(), counts: w.counts(), frames: w.frames()}
}

func (w *watched) state() []byte {
	var aloft []int
	w.book.EachInFlight(func(tag int) { aloft = append(aloft, tag) })
	return w.Save(nil, aloft)
}
