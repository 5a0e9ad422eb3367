package capturefile

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

const (
	// bufferSize is how much of the file is read ahead; shorter packets are
	// not copied.
	bufferSize = 1 << 20
	// maxPacket is the longest packet that is believed, in bytes. libpcap
	// stops at 256 KiB for the link types read here.
	maxPacket = 16 << 20
	// maxInterfaces bounds the interfaces of a pcapng section.
	maxInterfaces = 1 << 16
)

// Packet is one captured packet.
type Packet struct {
	Data      []byte // as much as was captured, link header included; valid until the next
	Length    int    // of the packet in the link, in bytes
	At        int64  // ns since 1970, UTC
	Link      LinkType
	Interface int // pcapng: in the order of the file
}

// Damage says that a capture can't be read to its end.
type Damage struct {
	Name   string
	Offset int64 // of the record that is damaged, in bytes after decompression
	Err    error
}

// Error gives one line.
func (d *Damage) Error() string {
	return fmt.Sprintf("%s: byte %d: %v", d.Name, d.Offset, d.Err)
}

// Unwrap gives what is wrong.
func (d *Damage) Unwrap() error { return d.Err }

// errShort is a file that ends inside a record.
var errShort = errors.New("the file ends in the middle of a record")

// Reader reads one capture.
type Reader struct {
	name    string
	b       *bufio.Reader
	closers []io.Closer
	order   binary.ByteOrder
	format  format
	large   []byte // packets that do not fit the buffer
	skip    int    // bytes to discard before the next record
	offset  int64  // of the next record
	last    int64  // time of the last packet
	packets uint64
	bytes   uint64
	dropped uint64
	err     error
}

// format reads the next packet of one file format.
type format interface {
	next(r *Reader, p *Packet) error
}

// Open opens a capture file; "-" is standard input. Files compressed by gzip
// or zstd are read as what is in them, whatever their name.
func Open(path string) (*Reader, error) { return OpenContext(context.Background(), path) }

// OpenContext is Open for who may be stopped: waiting for a pipe ends with the
// context, whose cause is then what is wrong with the capture.
func OpenContext(ctx context.Context, path string) (*Reader, error) {
	if path == "-" {
		return NewReader(patient(ctx, os.Stdin), "standard input")
	}
	f, err := os.Open(path)
	if err != nil {
		var pe *os.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	r, err := NewReader(patient(ctx, f), path)
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	r.closers = append(r.closers, f)
	return r, nil
}

// patient reads a file that is there as it is, and anything else as a stream.
func patient(ctx context.Context, f *os.File) io.Reader {
	if info, err := f.Stat(); err == nil && (info.Mode().IsRegular() || info.IsDir()) {
		return f
	}
	return newStream(ctx, f)
}

// NewReader reads a capture from any stream; name is for errors.
func NewReader(src io.Reader, name string) (*Reader, error) {
	r := &Reader{name: name, b: bufio.NewReaderSize(src, bufferSize)}
	if err := r.decompress(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if err := r.start(); err != nil {
		r.Close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return r, nil
}

// Name is the file's name.
func (r *Reader) Name() string { return r.name }

// Packets and Bytes tell how much has been read, of packets as captured.
func (r *Reader) Packets() uint64 { return r.packets }

// Bytes is the sum of their captured lengths.
func (r *Reader) Bytes() uint64 { return r.bytes }

// Dropped is how many packets the capturing host lost, as far as the file
// tells.
func (r *Reader) Dropped() uint64 { return r.dropped }

// Next reads the next packet. It gives io.EOF at the end of the file, and a
// *Damage where the rest of the file can't be read; then it gives that again.
func (r *Reader) Next(p *Packet) error {
	if r.err != nil {
		return r.err
	}
	err := r.format.next(r, p)
	switch {
	case err == nil:
		r.packets++
		r.bytes += uint64(len(p.Data))
		return nil
	case err == io.EOF:
		r.err = err
	default:
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = errShort
		}
		r.err = &Damage{r.name, r.offset, err}
	}
	return r.err
}

// Close closes the file.
func (r *Reader) Close() error {
	var first error
	for _, c := range r.closers {
		if err := c.Close(); err != nil && first == nil {
			first = err
		}
	}
	r.closers = nil
	return first
}

// start tells the format by the file's first bytes.
func (r *Reader) start() error {
	magic, err := r.b.Peek(4)
	switch {
	case len(magic) == 0 && err == io.EOF:
		return errors.New("the file is empty")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errShort
	case err != nil && err != io.EOF, len(magic) == 0:
		return err
	case len(magic) < 4:
		return errors.New("neither pcap nor pcapng")
	}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		r.order = order
		switch order.Uint32(magic) {
		case magicMicro, magicNano, magicModified:
			return r.startPcap()
		case blockSection:
			r.format = &pcapng{}
			return nil
		}
	}
	return fmt.Errorf("neither pcap nor pcapng: it begins with % x", magic)
}

// begin ends the last record and notes where the next one starts. It gives
// io.EOF at the proper end.
func (r *Reader) begin() error {
	if err := r.discard(r.skip); err != nil {
		return err
	}
	r.skip = 0
	if _, err := r.b.Peek(1); err != nil {
		return err
	}
	return nil
}

// take gives the next n bytes, which stay valid until the next call.
func (r *Reader) take(n int) ([]byte, error) {
	if err := r.discard(r.skip); err != nil {
		return nil, err
	}
	r.skip = 0
	if n <= bufferSize {
		b, err := r.b.Peek(n)
		if err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		r.skip = n
		return b, nil
	}
	if cap(r.large) < n {
		r.large = make([]byte, n)
	}
	_, err := io.ReadFull(r.b, r.large[:n])
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return r.large[:n], err
}

func (r *Reader) discard(n int) error {
	if n == 0 {
		return nil
	}
	_, err := r.b.Discard(n)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// oneLine keeps an error of a library on one line.
func oneLine(err error) error {
	if s := err.Error(); strings.ContainsAny(s, "\n\r") {
		return errors.New(strings.Join(strings.Fields(s), " "))
	}
	return err
}
