package capture

import (
	"cmp"
	"slices"
	"time"

	"github.com/hopquote/hopquote/cmd/internal/output/record"
)

// batch holds copies of frames, their data end to end.
type batch struct {
	entries []entry
	data    []byte
}

type entry struct {
	at        time.Duration
	off, size int // of the kept bytes in data
	length    int // of the frame, which may be longer than what is kept
	sent      bool
	by        string // interface, as record.Frame's
}

func (b *batch) add(f *record.Frame) {
	kept := f.Data[:min(len(f.Data), maxFrame)]
	b.entries = append(b.entries, entry{f.At, len(b.data), len(kept), len(f.Data), f.Sent, f.By})
	b.data = append(b.data, kept...)
}

// take moves an entry of another batch over.
func (b *batch) take(from *batch, e entry) {
	data := from.bytes(e)
	e.off = len(b.data)
	b.entries = append(b.entries, e)
	b.data = append(b.data, data...)
}

func (b *batch) bytes(e entry) []byte { return b.data[e.off : e.off+e.size] }

// size is the memory that the batch takes, roughly, in bytes.
func (b *batch) size() int { return len(b.data) + entryBytes*len(b.entries) }

func (b *batch) reset() { b.entries, b.data = b.entries[:0], b.data[:0] }

// sort puts the entries in order of time; frames of one time keep theirs.
func (b *batch) sort() {
	slices.SortStableFunc(b.entries, func(x, y entry) int { return cmp.Compare(x.at, y.at) })
}
