package journal

import (
	"time"

	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/scheduler/survey/pack"
)

// Log is what one loop writes. It is the loop's own.
type Log struct {
	to    *Writer
	loop  int
	batch []byte // with room for its header
	prev  time.Duration

	now, last  Totals
	all, known *[numbers]*uint64 // of now and last
}

// Log makes that of a loop, by its number.
func (w *Writer) Log(loop int) *Log {
	l := &Log{to: w, loop: loop, batch: make([]byte, headerLen, 64<<10)}
	l.all, l.known = l.now.numbers(), l.last.numbers()
	return l
}

// Left notes that a probe left.
func (l *Log) Left(tag int, at time.Duration) {
	l.batch = pack.Uint(append(l.batch, uint8(Left)), uint64(tag))
	l.at(at)
}

// Learned notes a reply to a probe.
func (l *Log) Learned(tag int, r *record.Reply) {
	l.batch = pack.Uint(append(l.batch, uint8(Learned)), uint64(tag))
	l.batch = r.Append(l.batch)
}

// Expired notes that a probe was given up.
func (l *Log) Expired(tag int) {
	l.batch = pack.Uint(append(l.batch, uint8(Expired)), uint64(tag))
}

// Frame notes a frame, for outputs that want it.
func (l *Log) Frame(f *record.Frame) {
	kind := Received
	switch {
	case f.Sent:
		kind = Sent
	case f.By != "":
		kind = Elsewhere
	}
	l.batch = append(l.batch, uint8(kind))
	l.at(f.At)
	if kind == Elsewhere {
		l.batch = pack.Bytes(l.batch, []byte(f.By))
	}
	l.batch = pack.Bytes(l.batch, f.Data)
}

func (l *Log) at(at time.Duration) {
	l.batch = pack.Int(l.batch, int64(at-l.prev))
	l.prev = at
}

// Empty tells that there is nothing to flush.
func (l *Log) Empty() bool { return len(l.batch) == headerLen }

// Flush writes down what was noted since the last time, if there is any, with
// what the loop has counted by now.
func (l *Log) Flush(now time.Duration, totals *Totals) error {
	if l.Empty() {
		return nil
	}
	l.now = *totals
	l.batch = append(l.batch, uint8(Counted))
	l.at(now)
	changed := 0
	for i := range l.all {
		if *l.all[i] != *l.known[i] {
			changed++
		}
	}
	l.batch = pack.Uint(l.batch, uint64(changed))
	for i := range l.all {
		if d := *l.all[i] - *l.known[i]; d != 0 {
			l.batch = pack.Int(pack.Uint(l.batch, uint64(i)), int64(d))
		}
	}
	err := l.to.write(l.loop, l.batch, now)
	l.batch, l.prev, l.last = l.batch[:headerLen], 0, l.now
	return err
}
