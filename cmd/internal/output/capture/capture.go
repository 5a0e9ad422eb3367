// Package capture writes the frames of a run to a pcapng file, in order of
// time, without holding up the loop that sends and receives them.
package capture

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/frame"
)

const (
	// fullBytes is how much may wait to be written before Full says so.
	fullBytes = 4 << 20
	// hardBytes is how much may wait before Frame does.
	hardBytes = 4 * fullBytes
	// wakeBytes is how much has to wait for it to be written before its time.
	wakeBytes = 1 << 20
	// spread is how far behind the newest frame a frame may come and still be
	// written in its place: frames are noted as sent before replies that were
	// received earlier have been drained from the ring. Once nothing new has
	// come for this long, everything is written.
	spread = 250 * time.Millisecond
	// entryBytes is what a waiting frame takes besides its data, roughly.
	entryBytes = 80
)

// Writer writes one capture file. Frame and Full are for one goroutine, Err
// and Close for any.
type Writer struct {
	enc  *encoder
	file output

	mu       sync.Mutex
	room     sync.Cond // signalled when incoming has been taken
	incoming batch
	spare    batch // memory for the next incoming
	closing  bool
	err      error

	wake chan struct{} // tells the writing goroutine of much to write or of closing
	done chan struct{} // closed when it has ended
}

// output is what the Writer needs of a file.
type output interface {
	io.WriteCloser
	Truncate(size int64) error
}

// Create makes the file, or empties it, and starts the Writer. Frames come
// with the link header that link names; epoch is the time that their times
// count from.
func Create(path string, link frame.LinkType, interfaceName string, epoch time.Time) (*Writer, error) {
	switch path {
	case "":
		return nil, errors.New("capture: no file name given")
	case "-":
		return nil, errors.New(`capture: "-" (standard output) is not possible, since the results go there; give a file name`)
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("capture: %w", err)
	}
	w, err := newWriter(f, link, interfaceName, epoch)
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return w, nil
}

func newWriter(f output, link frame.LinkType, interfaceName string, epoch time.Time) (*Writer, error) {
	enc, err := newEncoder(link, interfaceName, epoch)
	if err != nil {
		return nil, fmt.Errorf("capture: %w", err)
	}
	w := &Writer{enc: enc, file: f, wake: make(chan struct{}, 1), done: make(chan struct{})}
	w.room.L = &w.mu
	if err := enc.flush(f); err != nil {
		return nil, fmt.Errorf("capture: %w", err)
	}
	go w.run()
	return w, nil
}

// Frame takes a copy of a frame, whose time is since the epoch. It returns at once unless far more waits than makes Full
// true; then it waits for room. After a write error it does nothing.
func (w *Writer) Frame(f *record.Frame) {
	w.mu.Lock()
	for w.incoming.size() >= hardBytes && w.err == nil && !w.closing {
		w.room.Wait()
	}
	if w.err != nil || w.closing {
		w.mu.Unlock()
		return
	}
	w.incoming.add(f)
	much := w.incoming.size() >= wakeBytes
	w.mu.Unlock()
	if much {
		w.nudge()
	}
}

// Full tells that the file can't keep up: no new probes should be sent until
// it no longer is. It is never true after a write error.
func (w *Writer) Full() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err == nil && w.incoming.size() >= fullBytes
}

// Err gives the first write error, nil while there is none. The file then
// ends with the last packet that was written whole.
func (w *Writer) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// Close writes what waits, closes the file, and gives the first error of all.
func (w *Writer) Close() error {
	w.mu.Lock()
	w.closing = true
	w.room.Broadcast()
	w.mu.Unlock()
	w.nudge()
	<-w.done
	return w.Err()
}

func (w *Writer) nudge() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}
