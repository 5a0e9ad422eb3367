package trace

import "sync"

// queue carries results from the engine to a writer. Push never waits and
// never drops; Full asks the engine to stop sending new probes, so that the
// queue outgrows its limit only by what is in flight already.
type queue[T any] struct {
	limit int

	mu     sync.Mutex
	ready  sync.Cond
	items  []T
	closed bool
}

func newQueue[T any](limit int) *queue[T] {
	q := &queue[T]{limit: limit}
	q.ready.L = &q.mu
	return q
}

// Push adds one item.
func (q *queue[T]) Push(v T) {
	q.mu.Lock()
	q.items = append(q.items, v)
	q.mu.Unlock()
	q.ready.Signal()
}

// Full tells that the writer is behind by the limit.
func (q *queue[T]) Full() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items) >= q.limit
}

// Close says that nothing more will be pushed.
func (q *queue[T]) Close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.ready.Broadcast()
}

// Pop waits for the next item; false means that the queue is closed and empty.
func (q *queue[T]) Pop() (T, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.items) == 0 && !q.closed {
		q.ready.Wait()
	}
	var v T
	if len(q.items) == 0 {
		return v, false
	}
	v = q.items[0]
	q.items = q.items[1:]
	return v, true
}
