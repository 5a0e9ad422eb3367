package sink

import (
	"compress/gzip"
	"io"

	"github.com/klauspost/compress/zstd"
)

// compressor is a format of compression whose files may be several one behind
// the other: members of gzip (RFC 1952 section 2.2), frames of zstd (RFC 8878
// section 3).
type compressor interface {
	io.WriteCloser
	Reset(io.Writer)
}

// packings are they, by the suffix of a file's name.
var packings = map[string]func(io.Writer) (compressor, error){
	".gz":  func(w io.Writer) (compressor, error) { return gzip.NewWriter(w), nil },
	".zst": func(w io.Writer) (compressor, error) { return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1)) },
}

// packer compresses into one member after the other: a new one begins with what
// is written after the end of the one before.
type packer struct {
	compressor
	out   io.Writer
	begun bool // a member has
	any   bool // there is a member
}

func newPacker(out io.Writer, pack func(io.Writer) (compressor, error)) (*packer, error) {
	c, err := pack(out)
	return &packer{compressor: c, out: out}, err
}

func (p *packer) Write(b []byte) (int, error) {
	p.begin()
	return p.compressor.Write(b)
}

func (p *packer) begin() {
	if !p.begun {
		p.Reset(p.out)
		p.begun, p.any = true, true
	}
}

// end ends the member under way. A file without any is none: always makes an
// empty one.
func (p *packer) end(always bool) error {
	if always && !p.any {
		p.begin()
	}
	if !p.begun {
		return nil
	}
	p.begun = false
	return p.Close()
}

// release lets go of what a compressor holds, and writes nothing more.
func (p *packer) release() {
	if p.begun {
		p.Reset(io.Discard)
		_ = p.Close()
	}
}
