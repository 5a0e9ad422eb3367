package receive

import (
	"sync/atomic"
	"time"

	"github.com/hopquote/hopquote/bench/usage"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
)

// reader takes all packets off a ring, takes them apart and finds each one's
// place by the identification it quotes.
type reader struct {
	ring *rx.Ring
	slow time.Duration // sleep between two looks at the ring

	walked  atomic.Uint64
	strays  uint64 // that are no reply of the flood
	wakeups uint64
	cpu     time.Duration
	err     error

	seen  [idCount]uint32
	reply frame.Reply
	stop  atomic.Bool
	done  chan struct{}
}

// look bounds how long the reader waits at a time, so that it sees stop.
const look = 20 * time.Millisecond

func startReader(ring *rx.Ring, slow time.Duration) *reader {
	r := &reader{ring: ring, slow: slow, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		usage.OnThread(readCPU, r.run)
	}()
	return r
}

func (r *reader) run() {
	start := usage.Thread()
	defer func() { r.cpu = usage.Thread() - start }()
	for {
		last := r.stop.Load() // packets that came before are still taken
		if r.err = r.ring.Drain(r.take); r.err != nil || last {
			return
		}
		if r.slow > 0 {
			time.Sleep(r.slow)
			continue
		}
		if r.err = r.ring.Wait(time.Since(r.ring.Epoch()) + look); r.err != nil {
			return
		}
		r.wakeups++
	}
}

func (r *reader) take(p *rx.Packet) {
	frame.Decode(p.Data, frame.LinkEthernet, p.Offloaded, &r.reply)
	q := &r.reply.Quote
	if r.reply.Kind != frame.KindTimeExceeded || q.Dst != destination || q.SrcPort != srcPort || r.reply.Checksum == frame.ChecksumBad {
		r.strays++
		return
	}
	r.seen[q.ID]++
	r.walked.Add(1)
}

// end stops the reader once no more packets come.
func (r *reader) end() error {
	last := r.walked.Load()
	for {
		time.Sleep(r.ring.Lag() + 2*look + r.slow)
		now := r.walked.Load()
		if now == last {
			break
		}
		last = now
	}
	r.stop.Store(true)
	r.ring.Wake()
	<-r.done
	return r.err
}
