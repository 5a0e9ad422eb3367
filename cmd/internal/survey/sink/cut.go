package sink

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/hopquote/hopquote/cmd/internal/output/record"
)

// Cut is what the outputs have at one moment of a run: enough to go on from
// there, whatever was written since.
type Cut struct {
	Outputs []Output
	State   []byte // of the traces under way, and of the counts
	files   []*os.File
}

// Output is a file of a Cut.
type Output struct {
	Kind  string
	Path  string
	Size  int64  // bytes, whole records
	Rest  []byte // what belongs behind them and could not be written
	State []byte // of the writer, if it has one
}

// Sync waits until the files are on the disk as far as the Cut goes.
func (c *Cut) Sync() error {
	for _, f := range c.files {
		if err := f.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOTSUP) {
			return err // of a pipe or a device the two tell that there is nothing to wait for
		}
	}
	return nil
}

// Mark has f called, from the writers' goroutine, once everything that was given
// to the sink before is written: with what the outputs have then, or why that is
// not all that they were given. It is for the goroutine that Reply is for.
func (s *Sink) Mark(f func(*Cut, error)) {
	s.mu.Lock()
	s.filling.mark = f
	s.begin()
	s.mu.Unlock()
	s.signal()
}

// cut brings all outputs to a state that can be gone on from.
func (s *Sink) cut() (*Cut, error) {
	c := &Cut{}
	for _, f := range s.files {
		o, err := f.cut()
		if err != nil {
			s.fail(err)
		}
		if f.broken {
			f.replies, f.traces, f.frames = nil, nil, nil
			return nil, fmt.Errorf("%s lacks something since it failed", f.target.Path)
		}
		c.Outputs = append(c.Outputs, o)
		if f.file != nil {
			c.files = append(c.files, f.file)
		}
	}
	c.State = s.save(nil)
	return c, nil
}

func (f *file) cut() (Output, error) {
	o := Output{Kind: f.target.Kind.Name, Path: f.target.Path}
	var err error
	if f.keeper != nil && !f.broken {
		if o.State, err = f.keeper.Keep(); err != nil {
			f.broken = true
			return o, f.named(err)
		}
		return o, nil
	}
	if err = f.flush(); err == nil && f.zip != nil && !f.failed {
		if err = f.named(f.zip.end(false)); err != nil {
			f.failed, f.broken = true, true
		}
	}
	if r, ok := f.Writer.(record.Resumer); ok {
		o.State = r.State()
	}
	o.Size, o.Rest = f.out.size, append([]byte(nil), f.pending...)
	return o, err
}

// on gives what a run before this one had of an output, nil for none.
func (c *Config) on(i int) (*Output, error) {
	if c.Resume == nil {
		return nil, nil
	}
	t := c.Targets[i]
	if i >= len(c.Resume.Outputs) || c.Resume.Outputs[i].Path != t.Path || c.Resume.Outputs[i].Kind != t.Kind.Name {
		return nil, fmt.Errorf("output %s:%s: the checkpoint has none such at this place", t.Kind.Name, t.Path)
	}
	return &c.Resume.Outputs[i], nil
}
