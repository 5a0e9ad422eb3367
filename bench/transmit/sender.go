// Package transmit measures how many frames a sender puts on a link, and what
// that costs the thread that sends.
package transmit

import (
	"context"
	"errors"
	"time"

	"github.com/hopquote/hopquote/frame/link"
)

// Batch is how many slots a sender of this package has.
const Batch = 64

// Sender takes frames in slots and sends them together.
type Sender interface {
	// Slot gives n bytes for one more frame, nil when the slots are full. The
	// bytes are the sender's, and are filled in before Flush.
	Slot(n int) []byte
	// Flush sends what the slots hold, in order, and gives how many frames left.
	// Fewer than all without an error is back-pressure: the rest stays in the
	// slots for the next Flush. An error concerns the first of those that stay.
	Flush() (n int, err error)
	// Drop empties the slots without sending.
	Drop()
	Close() error
}

// Kind is a way of sending.
type Kind struct {
	Name string
	// Open opens a sender in the network namespace of the calling thread.
	Open func(link.Envelope) (Sender, error)
	// Null is for a sender that sends nothing: it measures all that is above it.
	Null bool
}

// Kinds are all there are.
func Kinds() []Kind {
	return []Kind{
		{Name: "packet", Open: func(e link.Envelope) (Sender, error) { return openPacket(e, false) }},
		{Name: "packet-bypass", Open: func(e link.Envelope) (Sender, error) { return openPacket(e, true) }},
		{Name: "null", Open: func(link.Envelope) (Sender, error) { return &null{}, nil }, Null: true},
	}
}

// Find gives the kind of a name.
func Find(name string) (Kind, bool) {
	for _, k := range Kinds() {
		if k.Name == name {
			return k, true
		}
	}
	return Kind{}, false
}

// slots keep the frames until they are sent.
type slots struct {
	memory [Batch][maxFrame]byte
	frames [][]byte
}

// maxFrame is the longest frame that a slot takes, in bytes.
const maxFrame = 2048

func (s *slots) Slot(n int) []byte {
	if len(s.frames) == Batch || n > maxFrame {
		return nil
	}
	f := s.memory[len(s.frames)][:n]
	s.frames = append(s.frames, f)
	return f
}

func (s *slots) Drop() { s.frames = s.frames[:0] }

// sent takes the first n frames out. What stays is copied to the front, so that
// no two slots ever share memory.
func (s *slots) sent(n int) {
	if n == len(s.frames) {
		s.frames = s.frames[:0]
		return
	}
	for i, f := range s.frames[n:] {
		s.frames[i] = s.memory[i][:len(f)]
		copy(s.frames[i], f)
	}
	s.frames = s.frames[:len(s.frames)-n]
}

// packetSender sends by link.Sender.
type packetSender struct {
	slots
	out *link.Sender
}

// resolveTime bounds the search for the next hop's address.
const resolveTime = 5 * time.Second

func openPacket(e link.Envelope, bypass bool) (Sender, error) {
	out, err := link.OpenSender(e, link.SenderConfig{Bypass: bypass})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), resolveTime)
	defer cancel()
	if !out.Resolve(ctx) {
		out.Close()
		return nil, errors.New("the next hop " + e.NextHop.String() + " does not answer")
	}
	return &packetSender{out: out}, nil
}

func (s *packetSender) Flush() (int, error) {
	n, err := s.out.Send(s.frames)
	s.sent(n)
	return n, err
}

func (s *packetSender) Close() error { return s.out.Close() }

// null takes frames and forgets them.
type null struct{ slots }

func (s *null) Flush() (int, error) {
	n := len(s.frames)
	s.sent(n)
	return n, nil
}

func (s *null) Close() error { return nil }
