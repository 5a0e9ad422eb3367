package capturefile

import (
	"bufio"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// maxWindow bounds what a zstd stream may ask to remember: as much as the
// program zstd takes without being told more.
const maxWindow = 128 << 20

// decompress puts a decoder before the file if its first bytes ask for one.
func (r *Reader) decompress() error {
	magic, _ := r.b.Peek(4)
	var src io.Reader
	switch {
	case len(magic) >= 2 && magic[0] == 0x1f && magic[1] == 0x8b:
		z, err := gzip.NewReader(r.b)
		if err != nil {
			return fmt.Errorf("gzip: %w", oneLine(err))
		}
		r.closers = append(r.closers, z)
		src = z
	case len(magic) == 4 && string(magic) == "\x28\xb5\x2f\xfd":
		z, err := zstd.NewReader(r.b, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return fmt.Errorf("zstd: %w", oneLine(err))
		}
		r.closers = append(r.closers, z.IOReadCloser())
		src = z
	default:
		return nil
	}
	r.b = bufio.NewReaderSize(src, bufferSize)
	return nil
}
