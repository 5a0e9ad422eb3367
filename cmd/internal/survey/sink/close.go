package sink

import (
	"errors"

	"github.com/hopquote/hopquote/cmd/internal/output/record"
)

// Stop writes all that waits, and with Config.Keep makes the Cut that Last gives.
// Nothing must be given to the sink after that.
func (s *Sink) Stop() {
	s.mu.Lock()
	again := s.closed
	s.closed = true
	s.mu.Unlock()
	s.signal()
	<-s.done
	if again || !s.cfg.Keep {
		return
	}
	if s.last, s.lastErr = s.cut(); s.lastErr == nil {
		s.lastErr = s.last.Sync()
		s.last.files = nil // they are about to be closed
	}
}

// Hold has outputs that can't be cut back, such as standard output, end as they
// are: Close adds neither unfinished traces nor what ends a file. It is for a run
// that will be gone on with from the Cut of Stop, so that what its parts write,
// one behind the other, is what one run would have written. It gives the number
// of traces that are held back from such outputs. Parquet is one file for each
// run, and is ended.
func (s *Sink) Hold() (traces int) {
	s.Stop()
	for _, f := range s.files {
		if f.held = f.passes && f.target.Kind.Files == nil; f.held && f.traces != nil {
			traces, f.traces = len(s.trace.open), nil
		}
	}
	return traces
}

// Close writes what is left: all that waits, traces that never finished, and
// what ends each file. It gives the first error of an output.
func (s *Sink) Close(end *record.End) error {
	s.Stop()
	s.trace.rest(end.Complete)
	end.Traces = s.trace.written
	errs := []error{s.err}
	for _, f := range s.files {
		err := f.finish(end)
		if s.err == nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Last is the Cut that Stop made: what Close wrote after that is taken back by a
// run that goes on.
func (s *Sink) Last() (*Cut, error) { return s.last, s.lastErr }
