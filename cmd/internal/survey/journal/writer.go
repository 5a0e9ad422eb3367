package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hopquote/hopquote/scheduler/survey/pack"
)

const (
	suffix    = ".journal-"
	magic     = "hopquote survey journal 3\n"
	headerLen = 12 // of a batch
)

var table = crc32.MakeTable(crc32.Castagnoli)

// Path is where the journal of a checkpoint is.
func Path(checkpoint string, number uint64) string {
	return checkpoint + suffix + strconv.FormatUint(number, 10)
}

// Writer writes the journals of a run, one after the other. It may be used by
// several loops at once.
type Writer struct {
	checkpoint string
	id         uint64

	mu     sync.Mutex
	file   *os.File
	number uint64 // of the one that is written
	size   int64
	until  time.Duration // of the run: up to where it is written down
	err    error         // the first one: nothing is written from there on
}

// NewWriter makes the writer of a run with an id that no other one has. There is
// no file before the first Next. Numbers go on from the files that are there.
func NewWriter(checkpoint string, id uint64) *Writer {
	w := &Writer{checkpoint: checkpoint, id: id}
	if n := numbersOf(checkpoint); len(n) > 0 {
		w.number = slices.Max(n)
	}
	return w
}

// numbersOf are those of the journals of a checkpoint that are there.
func numbersOf(checkpoint string) []uint64 {
	files, _ := os.ReadDir(filepath.Dir(checkpoint)) // if it can't be read, Next tells why
	var all []uint64
	for _, f := range files {
		name, ok := strings.CutPrefix(f.Name(), filepath.Base(checkpoint)+suffix)
		if n, err := strconv.ParseUint(name, 10, 63); ok && err == nil {
			all = append(all, n)
		}
	}
	return all
}

// ID is what was given to NewWriter.
func (w *Writer) ID() uint64 { return w.id }

// Next begins the journal of a checkpoint, whose number it gives.
func (w *Writer) Next() (uint64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return 0, w.err
	}
	f, err := os.Create(Path(w.checkpoint, w.number+1))
	if err == nil {
		head := pack.Fixed(pack.Fixed([]byte(magic), w.id), w.number+1)
		_, err = f.Write(head)
		w.size = int64(len(head))
	}
	if err != nil {
		w.fail(err)
		return 0, w.err
	}
	if w.file != nil {
		_ = w.file.Close() // all of it was written
	}
	w.file = f
	w.number++
	return w.number, nil
}

// write writes a batch, whose first bytes are free for its header.
func (w *Writer) write(loop int, batch []byte, now time.Duration) error {
	binary.LittleEndian.PutUint32(batch, uint32(len(batch)-headerLen))
	binary.LittleEndian.PutUint32(batch[4:], uint32(loop))
	binary.LittleEndian.PutUint32(batch[8:], checksum(batch))
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return w.err
	}
	if _, err := w.file.Write(batch); err != nil {
		w.fail(err)
		return w.err
	}
	w.size += int64(len(batch))
	w.until = max(w.until, now)
	return nil
}

// checksum is that of a batch, header included.
func checksum(batch []byte) uint32 {
	return crc32.Update(crc32.Checksum(batch[4:8], table), table, batch[headerLen:])
}

func (w *Writer) fail(err error) {
	var path *os.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	w.err = fmt.Errorf("journal %s: %w", Path(w.checkpoint, w.number), err)
}

// Size is how many bytes the journal has.
func (w *Writer) Size() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.size
}

// Until is up to where the run is written down, and whether that is all that
// there was.
func (w *Writer) Until() (time.Duration, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.until, w.err == nil
}

// Forget removes the journals before a number: there is a later checkpoint.
func (w *Writer) Forget(before uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range numbersOf(w.checkpoint) {
		if n < before {
			_ = os.Remove(Path(w.checkpoint, n)) // one that stays is in nobody's way
		}
	}
}

// Remove removes the journals of a checkpoint.
func Remove(checkpoint string) {
	for _, n := range numbersOf(checkpoint) {
		_ = os.Remove(Path(checkpoint, n))
	}
}

// Close ends writing.
func (w *Writer) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file != nil {
		_ = w.file.Close()
		w.file = nil
	}
	if w.err == nil {
		w.err = fmt.Errorf("journal %s: %w", w.checkpoint, os.ErrClosed)
	}
}
