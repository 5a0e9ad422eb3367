package sink

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/hopquote/hopquote/cmd/internal/claim"
	"github.com/hopquote/hopquote/cmd/internal/output/record"
)

// Target is where one output goes, as in -o KIND:PATH.
type Target struct {
	Kind record.Kind
	Path string // "-" is standard output; ".gz" or ".zst" at the end compresses
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
	keeper  record.Keeper // nil unless the writer has files of its own

	pending []byte
	ends    []int   // of what each call wrote, in pending
	out     counted // where pending goes
	zip     *packer // nil: uncompressed
	file    *os.File
	passes  bool // it can't be cut back: standard output, a pipe, a device
	held    bool // it is left as it is
	failed  bool // nothing goes out any more: pending keeps it
	broken  bool // what it has is not all that it was given
}

// counted counts what was written.
type counted struct {
	io.Writer
	size int64
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.Writer.Write(b)
	c.size += int64(n)
	return n, err
}

// Write collects.
func (f *file) Write(b []byte) (int, error) {
	f.pending = append(f.pending, b...)
	f.ends = append(f.ends, len(f.pending))
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

// flush sends out what is collected. What can't be written is kept, and what
// was written of it is taken back as far as it can be: files end with a whole
// record.
func (f *file) flush() error {
	if len(f.pending) == 0 || f.failed {
		return nil
	}
	if f.zip != nil {
		if _, err := f.zip.Write(f.pending); err != nil {
			f.failed, f.broken = true, true
			return f.named(err)
		}
		f.pending, f.ends = f.pending[:0], f.ends[:0]
		return nil
	}
	before := f.out.size
	if n, err := f.out.Write(f.pending); err != nil {
		whole := 0
		for _, end := range f.ends {
			if end <= n {
				whole = end
			}
		}
		before += int64(whole)
		f.pending = f.pending[whole:]
		f.failed, f.out.size = true, before
		if f.file != nil {
			_ = f.file.Truncate(before) // a device can't be cut; the first error is the one to tell
		}
		return f.named(err)
	}
	f.pending, f.ends = f.pending[:0], f.ends[:0]
	return nil
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

// open begins an output, or goes on with it.
func open(t Target, cfg *Config, on *Output) (*file, error) {
	f := &file{target: t, out: counted{Writer: cfg.Stdout}}
	if err := f.begin(cfg, on); err != nil {
		_ = f.shut()
		return nil, fmt.Errorf("output %s:%s: %w", t.Kind.Name, t.Path, err)
	}
	f.replies, _ = f.Writer.(record.ReplyWriter)
	f.traces, _ = f.Writer.(record.TraceWriter)
	f.frames, _ = f.Writer.(record.FrameWriter)
	return f, nil
}

func (f *file) begin(cfg *Config, on *Output) error {
	t := f.target
	pack := packing(t.Path)
	if t.Kind.Files != nil && isFile(t.Path) {
		if pack != nil {
			return errors.New("it is compressed already")
		}
		var state []byte
		if on != nil {
			state = on.State
		} else if err := free(t.Path, cfg.Overwrite); err != nil {
			return err
		}
		var err error
		f.keeper, err = t.Kind.Files(t.Path, cfg.Run, state)
		f.Writer = f.keeper
		return err
	}
	f.passes = !isFile(t.Path)
	if t.Path != stdout {
		if err := f.create(cfg, on); err != nil {
			return bare(err)
		}
		f.out.Writer = f.file
	}
	if pack != nil {
		var err error
		if f.zip, err = newPacker(&f.out, pack); err != nil {
			return err
		}
	}
	var err error
	if f.Writer, err = t.Kind.New(f, cfg.Run); err == nil && on != nil && t.Kind.Files == nil {
		// What begins the file is there already.
		f.pending = append(f.pending[:0], on.Rest...)
		f.ends = f.ends[:0]
		if r, ok := f.Writer.(record.Resumer); ok {
			err = r.Resume(on.State)
		}
	}
	return err
}

// create makes a file, or cuts one that is gone on with back to where it was.
func (f *file) create(cfg *Config, on *Output) error {
	how := os.O_WRONLY
	if on == nil {
		if err := free(f.target.Path, cfg.Overwrite); err != nil {
			return err
		}
		on, how = &Output{}, os.O_RDWR|os.O_CREATE
	}
	var err error
	if f.file, err = os.OpenFile(f.target.Path, how, 0o666); err != nil {
		return err
	}
	info, err := f.file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return err
	}
	if err := claim.File(f.file); err != nil {
		return err
	}
	if info.Size() < on.Size {
		return fmt.Errorf("it has %d bytes, and had %d at the checkpoint", info.Size(), on.Size)
	}
	if err := f.file.Truncate(on.Size); err != nil {
		return err
	}
	f.out.size, err = f.file.Seek(on.Size, io.SeekStart)
	return err
}

// free tells whether a file may be made. One with something in it is
// overwritten only if asked for: it may be the result of days.
func free(path string, overwrite bool) error {
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Size() > 0 && !overwrite {
		return errors.New("there is something in it, remove it or use --overwrite")
	}
	return nil
}

// isFile tells whether a path is of a file, if only of one to be made: others
// can't be replaced.
func isFile(path string) bool {
	if path == stdout {
		return false
	}
	info, err := os.Stat(path)
	return err != nil || info.Mode().IsRegular()
}

// bare is an error without the path, which is told anyway.
func bare(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// finish writes what ends the file, and closes it.
func (f *file) finish(end *record.End) error {
	var err error
	if !f.held {
		err = f.named(f.Writer.Close(end))
	}
	if ferr := f.flush(); err == nil {
		err = ferr
	}
	if f.zip != nil && !f.failed {
		if zerr := f.named(f.zip.end(true)); err == nil {
			err = zerr
		}
	}
	if serr := f.shut(); err == nil {
		err = serr
	}
	return err
}

// shut closes what is open.
func (f *file) shut() error {
	if f.zip != nil {
		f.zip.release()
	}
	if f.file == nil {
		return nil
	}
	return f.named(f.file.Close())
}

// packing tells how a path is to be compressed, nil for not at all.
func packing(path string) func(io.Writer) (compressor, error) {
	for suffix, pack := range packings {
		if strings.HasSuffix(path, suffix) {
			return pack
		}
	}
	return nil
}
