package record

import (
	"io"
	"time"
)

// Kind is one output format.
type Kind struct {
	Name string // as in -o NAME:PATH
	Help string // half a line
	// New begins a file. w is lent until Close.
	New func(w io.Writer, run *Run) (Writer, error)
	// Files, where set, takes the place of New for what goes to files, of which
	// there may be several: their names begin with path. State is what Keep gave,
	// if a run goes on that was cut short, and nil for a new one.
	Files func(path string, run *Run, state []byte) (Keeper, error)
}

// Keeper is a Writer with files of its own.
type Keeper interface {
	Writer
	// Keep brings all that it was given to the disk, in files that are whole, and
	// tells what to go on from.
	Keep() (state []byte, err error)
}

// Writer writes one file in one format. It also is a ReplyWriter, a
// TraceWriter, a FrameWriter, or several of them.
type Writer interface {
	// Close writes what ends the file.
	Close(end *End) error
}

// ReplyWriter gets every reply, in the order of their coming.
type ReplyWriter interface {
	Writer
	Reply(r *Reply) error
}

// TraceWriter gets every trace, once it is finished.
type TraceWriter interface {
	Writer
	Trace(t *Trace) error
}

// FrameWriter gets the frames themselves: probes and the replies to them.
type FrameWriter interface {
	Writer
	Frame(f *Frame) error
}

// Frame is a probe or a reply as it was on the wire.
type Frame struct {
	At   time.Duration
	Sent bool
	// By is the interface that it came by, where that is another than
	// Run.Interface: the kernel gives such packets without their link header, and
	// an Ethernet one is made up, whose destination is zero.
	By   string
	Data []byte // from the link header on, of type Run.Link
}

// Resumer is a Writer whose file may be gone on with, and that has to know then
// what is in it.
type Resumer interface {
	Writer
	// State is what to know of the file as it is.
	State() []byte
	// Resume takes what State gave, before the first record.
	Resume(state []byte) error
}
