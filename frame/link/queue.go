package link

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// heldBytes bounds what a queue holds, in bytes of frames.
const heldBytes = 4 << 20

// flushPause is how long the queue waits when the wire takes no more frames.
const flushPause = time.Millisecond

// queue holds frames while their next hop resolves, one cycle at a time, and
// puts them on the wire in order when it has. After that it is out of the way:
// ready is set and stays so.
type queue struct {
	resolve     func(context.Context) (mac [6]byte, ok bool)
	put         func(mac [6]byte, frames [][]byte) (int, error)
	undelivered func(frame []byte)
	maxFrame    int // bytes; what the interface would refuse is refused here

	ready atomic.Bool
	lost  atomic.Uint64 // frames that were held and never left
	mac   [6]byte       // written before ready

	mu    sync.Mutex
	held  [][]byte
	bytes int
	cycle chan struct{} // closed when the running cycle ends; nil without one
	err   error         // of frames already reported as sent

	start  chan struct{}
	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{}
}

// open starts the queue's goroutine; close ends it.
func (q *queue) open() {
	q.start, q.done = make(chan struct{}, 1), make(chan struct{})
	q.ctx, q.cancel = context.WithCancel(context.Background())
	go q.run()
}

func (q *queue) close() {
	q.cancel()
	<-q.done
	q.mu.Lock()
	defer q.mu.Unlock()
	q.forget()
}

// forget empties the queue of frames that don't leave. The caller holds the
// mutex.
func (q *queue) forget() {
	q.lost.Add(uint64(len(q.held)))
	q.held, q.bytes = nil, 0
}

// hold takes copies of frames in, and tells whether the queue was still in the
// way. n and err are as Sender.Send wants them.
func (q *queue) hold(frames [][]byte) (n int, inWay bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := q.err; err != nil {
		q.err = nil
		q.ready.Store(true)
		return 0, true, err
	}
	if q.ready.Load() {
		return 0, false, nil
	}
	if q.ctx.Err() != nil {
		return 0, true, net.ErrClosed
	}
	for _, f := range frames {
		if len(f) > q.maxFrame {
			err = syscall.EMSGSIZE
			break
		}
		if q.bytes+len(f) > heldBytes {
			break
		}
		q.held = append(q.held, append([]byte(nil), f...))
		q.bytes += len(f)
		n++
	}
	if n > 0 {
		q.begin()
	}
	return n, true, err
}

// begin starts a cycle unless one runs, and gives the channel that its end
// closes. The caller holds the mutex.
func (q *queue) begin() <-chan struct{} {
	if q.cycle == nil {
		q.cycle = make(chan struct{})
		q.start <- struct{}{}
	}
	return q.cycle
}

// wait begins a cycle unless one runs, waits for its end or ctx's, and tells
// whether the next hop is resolved.
func (q *queue) wait(ctx context.Context) bool {
	q.mu.Lock()
	if q.ready.Load() || q.ctx.Err() != nil {
		q.mu.Unlock()
		return q.ready.Load()
	}
	end := q.begin()
	q.mu.Unlock()
	select {
	case <-end:
	case <-ctx.Done():
	case <-q.done:
	}
	return q.ready.Load()
}

func (q *queue) run() {
	defer close(q.done)
	for {
		select {
		case <-q.start:
		case <-q.ctx.Done():
			return
		}
		mac, ok := q.resolve(q.ctx)
		if q.ctx.Err() != nil {
			return
		}
		if ok {
			q.flush(mac)
			return
		}
		q.fail()
	}
}

// fail ends a cycle that found nobody.
func (q *queue) fail() {
	q.mu.Lock()
	held := q.held
	q.forget()
	q.endCycle()
	q.mu.Unlock()
	if q.undelivered == nil {
		return
	}
	for _, f := range held {
		q.undelivered(f)
	}
}

// flush puts the held frames on the wire, and those that come meanwhile.
func (q *queue) flush(mac [6]byte) {
	q.mac = mac
	for !q.flushSome() {
		select {
		case <-time.After(flushPause):
		case <-q.ctx.Done():
			return
		}
	}
}

// flushSome sends what the wire takes and tells whether that was all.
func (q *queue) flushSome() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, err := q.put(q.mac, q.held)
	q.held = q.held[n:]
	if err != nil {
		q.err = err
		q.forget()
	}
	if len(q.held) > 0 {
		return false
	}
	q.held, q.bytes = nil, 0
	// An error is first told by the next hold, which then clears the way.
	q.ready.Store(err == nil)
	q.endCycle()
	return true
}

// endCycle tells those who wait. The caller holds the mutex.
func (q *queue) endCycle() {
	close(q.cycle)
	q.cycle = nil
}
