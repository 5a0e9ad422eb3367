package survey

import (
	"errors"
	"time"

	"github.com/hopquote/hopquote/cmd/internal/survey/checkpoint"
)

// close ends the outputs and notes what became of the run.
func (r *run) close(err error) {
	if err != nil {
		r.stopOnce.Do(func() { r.why = err })
	}
	r.end.At = time.Since(r.net.epoch)
	for _, w := range r.loops {
		w.note(r.end.At)
	}
	r.keeper.ending.Store(true)
	for _, w := range r.loops {
		_ = w.flush(r.end.At) // the last checkpoint has it too
	}
	r.keeper.wait()
	last := r.last()
	r.end.Counts, r.frames, r.end.KernelDrops, r.end.Complete = last.Counts, last.Frames, last.KernelDrops, last.Complete
	r.sink.Stop()
	if !last.Complete && r.keep(last) {
		r.held = r.sink.Hold()
	}
	if err := r.sink.Close(&r.end); err != nil {
		r.stopOnce.Do(func() { r.why = err })
		if last.Complete {
			last.Complete = false // an output is not
			r.keep(last)
		}
	} else if last.Complete {
		r.keep(last)
	}
	r.status.end()
	r.stopOnce.Do(func() {}) // a reason that comes from now on is none: why may be read
}

// keep writes the last checkpoint, and tells whether it is there.
func (r *run) keep(last *checkpoint.Checkpoint) bool {
	var err error
	if r.onward, err = r.finish(last); err != nil {
		r.stopOnce.Do(func() { r.why = err })
	}
	return err == nil
}

// abandon ends the outputs of a run that could not begin, and gives its error.
func (r *run) abandon(err error) error {
	r.sink.Hold()
	return errors.Join(err, r.sink.Close(&r.end))
}
