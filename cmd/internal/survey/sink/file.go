package sink

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/hopquote/hopquote/cmd/internal/output/record"
)

// Target is where one output goes, as in -o KIND:PATH.
type Target struct {
	Kind record.Kind
	Path string // "-" is standard output; ".gz" at the end compresses
}

// stdout is the path of standard output.
const stdout = "-"

// file is one output. What the writer writes is collected and goes out between
// two records.
type file struct {
	target Target
	record.Writer
	replies record.ReplyWriter // nil where the writer is none, as the two below
	traces  record.TraceWriter
	frames  record.FrameWriter

	pending []byte
	out     io.Writer    // where pending goes
	zip     *gzip.Writer // nil: uncompressed
	closer  io.Closer    // nil for standard output
}

// Write collects.
func (f *file) Write(b []byte) (int, error) {
	f.pending = append(f.pending, b...)
	return len(b), nil
}

// flushAt is how much is collected before it goes out.
const flushAt = 64 << 10

// ready sends out what is collected once it is enough.
func (f *file) ready() error {
	if len(f.pending) < flushAt {
		return nil
	}
	return f.flush()
}

// flush sends out what is collected.
func (f *file) flush() error {
	if len(f.pending) == 0 {
		return nil
	}
	_, err := f.out.Write(f.pending)
	f.pending = f.pending[:0]
	return f.named(err)
}

// named says which output an error is of.
func (f *file) named(err error) error {
	if err == nil {
		return nil
	}
	name := f.target.Path
	if name == stdout {
		name = "standard output"
	}
	var path *os.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return fmt.Errorf("write %s: %w", name, err)
}

// open begins an output.
func open(t Target, run *record.Run, std io.Writer, overwrite bool) (*file, error) {
	f := &file{target: t, out: std}
	if t.Path != stdout {
		out, err := create(t.Path, overwrite)
		if err != nil {
			return nil, err
		}
		f.out, f.closer = out, out
	}
	if strings.HasSuffix(t.Path, ".gz") {
		f.zip = gzip.NewWriter(f.out)
		f.out = f.zip
	}
	var err error
	if f.Writer, err = t.Kind.New(f, run); err != nil {
		_ = f.shut()
		return nil, fmt.Errorf("output %s:%s: %w", t.Kind.Name, t.Path, err)
	}
	f.replies, _ = f.Writer.(record.ReplyWriter)
	f.traces, _ = f.Writer.(record.TraceWriter)
	f.frames, _ = f.Writer.(record.FrameWriter)
	return f, nil
}

// create makes a file. One with something in it is overwritten only if asked
// for: it may be the result of days.
func create(path string, overwrite bool) (*os.File, error) {
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Size() > 0 && !overwrite {
		return nil, fmt.Errorf("output %s: there is something in it, remove it or use --overwrite", path)
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("output: %w", err)
	}
	return f, nil
}

// finish writes what ends the file, and closes it.
func (f *file) finish(end *record.End) error {
	err := f.named(f.Writer.Close(end))
	if ferr := f.flush(); err == nil {
		err = ferr
	}
	if serr := f.shut(); err == nil {
		err = serr
	}
	return err
}

// shut closes what is open.
func (f *file) shut() error {
	var err error
	if f.zip != nil {
		err = f.named(f.zip.Close())
	}
	if f.closer != nil {
		if cerr := f.named(f.closer.Close()); err == nil {
			err = cerr
		}
	}
	return err
}
