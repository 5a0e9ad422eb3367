// Package checkpoint is the file that a survey goes on from after it was
// stopped, however that came about.
//
//	line    "hopquote survey checkpoint 2"
//	Head    length, JSON
//	state   length, what the strategy keeps of itself
//	results length, what the outputs do
//	CRC     4 bytes of all before, CRC-32C, little-endian
//
// Lengths are binary.AppendUvarint's.
package checkpoint

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/hopquote/hopquote/cmd/internal/claim"
	"github.com/hopquote/hopquote/cmd/internal/survey/sink"
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/scheduler"
	"github.com/hopquote/hopquote/scheduler/survey/pack"
)

// Checkpoint is a survey at one moment.
type Checkpoint struct {
	Head
	State   []byte // of the strategy
	Results []byte // sink.Cut's State
}

// Head is what is known of the survey and of the run so far.
type Head struct {
	Version  string   // of the program
	Args     []string // the command line
	Dir      string   // where it was given: what its relative paths begin at
	Settings []Setting
	Names    []byte `json:",omitempty"` // the host names among the targets, and what they stand for
	Complete bool   // there is nothing left to do
	Stopped  bool   // the run ended here, and nothing was written since
	// Onward is the checkpoint that a run from here on has written; empty: none.
	// With it, there is nothing else here.
	Onward string `json:",omitempty"`

	// Journal is the number of the one that begins here, and JournalID the id of
	// the run that writes it. 0: there is none.
	Journal, JournalID uint64

	Start   time.Time     // of the first run
	At      time.Duration // of this moment, since then
	Active  time.Duration // how long the runs took together
	Runs    int           // how many there were
	Seed    uint64
	KeyIDs  []string  // of each run
	Src     [2]string // addresses, by family
	SrcPort uint16
	Sum     uint16
	Link    string // type and name of the interface

	Counts      rx.Counts // of all runs: those in flight will be sent again
	Resent      uint64    // probes that were sent again so far
	Frames      scheduler.FrameCounts
	KernelDrops uint64
	Outputs     []sink.Output
}

// Setting is an option that must be the same for a run that goes on.
type Setting struct{ Name, Value string }

// Differ tells of the first setting that is not the same.
func (h *Head) Differ(now []Setting) error {
	for i, s := range now {
		if i >= len(h.Settings) || h.Settings[i].Name != s.Name {
			return errors.New("the checkpoint is of another version")
		}
		if was := h.Settings[i].Value; was != s.Value {
			return fmt.Errorf("%s: %s, and the checkpoint has %s", s.Name, s.Value, was)
		}
	}
	return nil
}

const (
	magic = "hopquote survey checkpoint 2\n"
	// maxSize bounds what is read, in bytes.
	maxSize = 16 << 30
)

var table = crc32.MakeTable(crc32.Castagnoli)

// Write makes or replaces the file in one step. When it returns without an error
// the checkpoint is on the disk; with one, the file is what it was before. It is
// the caller's until what it gives is closed: nobody else can claim it.
func Write(path string, c *Checkpoint) (io.Closer, error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return nil, fmt.Errorf("checkpoint %s: %w", path, bare(err))
	}
	err = c.write(f)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = claim.File(f)
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = f.Close()
		_ = os.Remove(f.Name())
		return nil, fmt.Errorf("checkpoint %s: %w", path, bare(err))
	}
	if dir, err := os.Open(filepath.Dir(path)); err == nil {
		_ = dir.Sync() // not all file systems can
		_ = dir.Close()
	}
	return f, nil
}

// Claim makes a file that Write made the caller's, until what it gives is
// closed. Its error is of one that is somebody's: of a survey that still runs.
// What can't be opened is left to Read.
func Claim(path string) (io.Closer, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe would wait for its writer
	if err != nil {
		return io.NopCloser(nil), nil
	}
	if err := claim.File(f); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("checkpoint %s: its survey still runs: %w", path, err)
	}
	return f, nil
}

func bare(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

func (c *Checkpoint) write(w io.Writer) error {
	head, err := json.Marshal(&c.Head)
	if err != nil {
		return err
	}
	sum := crc32.New(table)
	out := io.MultiWriter(w, sum)
	if _, err := io.WriteString(out, magic); err != nil {
		return err
	}
	for _, part := range [][]byte{head, c.State, c.Results} {
		if _, err := out.Write(pack.Uint(nil, uint64(len(part)))); err != nil {
			return err
		}
		if _, err := out.Write(part); err != nil {
			return err
		}
	}
	_, err = w.Write(binary.LittleEndian.AppendUint32(nil, sum.Sum32()))
	return err
}

// Read reads a file that Write made.
func Read(path string) (*Checkpoint, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("checkpoint %s: %w", path, bare(err))
	}
	if !info.Mode().IsRegular() || info.Size() > maxSize {
		return nil, fmt.Errorf("checkpoint %s: it is none", path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("checkpoint %s: %w", path, bare(err))
	}
	c, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("checkpoint %s: %w", path, err)
	}
	return c, nil
}

func parse(data []byte) (*Checkpoint, error) {
	if !strings.HasPrefix(string(data[:min(len(data), len(magic))]), magic) {
		return nil, errors.New("it is none, or of another version")
	}
	end := len(data) - crc32.Size
	if end < len(magic) || binary.LittleEndian.Uint32(data[end:]) != crc32.Checksum(data[:end], table) {
		return nil, errors.New("it is damaged")
	}
	r := pack.NewReader(data[len(magic):end])
	head := r.Bytes()
	c := &Checkpoint{State: r.Bytes(), Results: r.Bytes()}
	if err := r.End(); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(head, &c.Head); err != nil {
		return nil, err
	}
	return c, nil
}
