package capturefile

import (
	"context"
	"io"
)

// chunkSize is how much of a stream is read at once, in bytes.
const chunkSize = 64 << 10

// stream reads what may keep its reader waiting, such as a pipe: until the context
// ends, whose cause is then the error.
type stream struct {
	ctx  context.Context
	got  chan chunk
	free chan []byte
	now  chunk
	rest []byte // of now
}

type chunk struct {
	b   []byte
	err error
}

func newStream(ctx context.Context, src io.Reader) *stream {
	const chunks = 2 // one is read while the other is filled
	s := &stream{ctx: ctx, got: make(chan chunk, chunks), free: make(chan []byte, chunks)}
	for range chunks {
		s.free <- make([]byte, chunkSize)
	}
	go s.fill(src)
	return s
}

// fill ends with the stream or the context, but for a read that hangs: that lasts
// as long as the process.
func (s *stream) fill(src io.Reader) {
	for {
		var b []byte
		select {
		case b = <-s.free:
		case <-s.ctx.Done():
			return
		}
		n, err := src.Read(b)
		s.got <- chunk{b[:n], err} // there is room for every chunk
		if err != nil {
			return
		}
	}
}

// Read implements io.Reader. What was read before the context ended comes first.
func (s *stream) Read(p []byte) (int, error) {
	for len(s.rest) == 0 {
		if s.now.err != nil {
			return 0, s.now.err
		}
		if s.now.b != nil {
			s.free <- s.now.b[:cap(s.now.b)]
			s.now.b = nil
		}
		select {
		case s.now = <-s.got:
		case <-s.ctx.Done():
			return 0, context.Cause(s.ctx)
		}
		s.rest = s.now.b
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}
