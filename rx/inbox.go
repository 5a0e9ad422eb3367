package rx

import (
	"bytes"
	"sync"
	"sync/atomic"
	"time"
)

// inbox keeps the packets that this program injects until the next Drain, and
// the event that wakes a Wait.
type inbox struct {
	pending atomic.Int32 // len(packets), readable without mu
	mu      sync.Mutex
	packets []Packet
	spare   []Packet // emptied by the last take, to swap with packets
	event   event    // closed under mu
}

func (b *inbox) put(data []byte, at time.Duration) {
	p := Packet{Data: bytes.Clone(data), At: at, Local: true}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.event.signal() {
		b.packets = append(b.packets, p)
		b.pending.Add(1)
	}
}

func (b *inbox) wake() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.event.signal()
}

// take hands every packet to f, in the order of putting, through p. f may put
// further ones, which stay for the next time.
func (b *inbox) take(p *Packet, f func(*Packet)) {
	if b.pending.Load() == 0 {
		return
	}
	b.mu.Lock()
	taken := b.packets
	b.packets, b.spare = b.spare[:0], nil
	b.pending.Store(0)
	b.mu.Unlock()
	for i := range taken {
		*p = taken[i]
		f(p)
	}
	clear(taken)
	b.mu.Lock()
	b.spare = taken[:0]
	b.mu.Unlock()
}

// close drops what was not taken and makes put and wake do nothing.
func (b *inbox) close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.packets, b.spare = nil, nil
	b.pending.Store(0)
	return b.event.close()
}
