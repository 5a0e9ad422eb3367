package journal

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// ErrOther is Read's error for a file that is of another run.
var ErrOther = errors.New("it is of another run")

// Read has take called for every event of a journal, in order. It gives how many
// bytes at the end are no whole batch: those were about to be written when the
// run ended, or did not come to the disk.
//
// Errors are of the file as a whole, of batches that are whole and make no sense,
// and take's.
func Read(checkpoint string, id, number uint64, take func(*Event) error) (cut int64, err error) {
	path := Path(checkpoint, number)
	defer func() {
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			err = fmt.Errorf("journal %s: %w", path, err)
		}
	}()
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if !info.Mode().IsRegular() {
		return 0, errors.New("it is none")
	}
	return read(bufio.NewReaderSize(f, 256<<10), info.Size(), id, number, take)
}

// read reads a journal of so many bytes.
func read(in io.Reader, left int64, id, number uint64, take func(*Event) error) (int64, error) {
	head := make([]byte, len(magic)+16)
	n, err := io.ReadFull(in, head)
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return int64(n), nil // it was about to begin
	case err != nil:
		return 0, err
	case string(head[:len(magic)]) != magic:
		return 0, errors.New("it is none, or of another version")
	case binary.LittleEndian.Uint64(head[len(magic):]) != id || binary.LittleEndian.Uint64(head[len(magic)+8:]) != number:
		return 0, ErrOther
	}
	left -= int64(n)
	var batch []byte
	var e Event
	for left >= headerLen {
		batch = append(batch[:0], make([]byte, headerLen)...)
		if _, err := io.ReadFull(in, batch); err != nil {
			return left, notEnd(err)
		}
		size := int64(binary.LittleEndian.Uint32(batch))
		if size > left-headerLen {
			return left, nil
		}
		batch = append(batch, make([]byte, size)...)
		if _, err := io.ReadFull(in, batch[headerLen:]); err != nil {
			return left, notEnd(err)
		}
		if binary.LittleEndian.Uint32(batch[8:]) != checksum(batch) {
			return left, nil
		}
		e.Loop = int(binary.LittleEndian.Uint32(batch[4:]))
		if err := e.each(batch[headerLen:], take); err != nil {
			return left, err
		}
		left -= headerLen + size
	}
	return left, nil
}

// notEnd is an error other than that the file ends early, as one may that was
// cut meanwhile.
func notEnd(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}
