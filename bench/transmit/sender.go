// Package transmit measures how many frames a sender puts on a link, and what
// that costs the thread that sends.
package transmit

import (
	"context"
	"fmt"
	"time"

	"github.com/hopquote/hopquote/frame/link"
)

// Batch is how many frames are flushed together.
const Batch = 64

// Sender is a way for frames to leave.
type Sender interface {
	link.Slots
	Close() error
}

// Kind is a sort of senders.
type Kind struct {
	Name string
	// Open opens a sender in the network namespace of the calling thread.
	Open func(link.Envelope) (Sender, error)
	// Null is for a sender that sends nothing: it measures all that is above it.
	Null bool
}

// Kinds are all there are.
func Kinds() []Kind {
	list := []Kind{}
	for _, k := range []struct {
		name   string
		config link.SenderConfig
	}{
		{"packet", link.SenderConfig{Tx: link.TxPacket}},
		{"packet-bypass", link.SenderConfig{Tx: link.TxPacket, Bypass: true}},
		{"xdp", link.SenderConfig{Tx: link.TxXDP}},
		{"null", link.SenderConfig{Tx: link.TxNull}},
	} {
		list = append(list, Kind{
			Name: k.name, Null: k.config.Tx == link.TxNull,
			Open: func(e link.Envelope) (Sender, error) { return open(e, k.config) },
		})
	}
	return list
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

// resolveTime bounds the search for the next hop's address.
const resolveTime = 5 * time.Second

// open opens a sender that is ready: what is measured is none other than what
// was asked for, and does not wait for its next hop.
func open(e link.Envelope, c link.SenderConfig) (Sender, error) {
	s, err := link.OpenSender(e, c)
	if err != nil {
		return nil, err
	}
	if err := s.Fallback(); err != nil {
		s.Close()
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), resolveTime)
	defer cancel()
	if !s.Resolve(ctx) {
		s.Close()
		return nil, fmt.Errorf("the next hop %v does not answer", e.NextHop)
	}
	return s, nil
}
