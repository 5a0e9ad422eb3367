// Package lookup asks a slow question about addresses, a name server's or a
// database's: early, in parallel, each address once, and never for longer
// than a bound.
package lookup

import (
	"context"
	"net/netip"
	"sync"
	"time"
)

// Config is the question and its bounds. All fields are required.
type Config[T any] struct {
	// Ask gives the answer for a valid address. It should heed its context;
	// what it gives after the context's end is not used.
	Ask func(context.Context, netip.Addr) T
	// None is the answer for an address that is not valid or that was not
	// answered in time.
	None func(netip.Addr) T

	Parallel int           // questions at once, at least 1
	Timeout  time.Duration // for one address, from Start on, its turn included
}

// Cache asks and remembers the answers. Its methods may be called from any
// goroutine.
type Cache[T any] struct {
	cfg    Config[T]
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu      sync.Mutex
	entries map[netip.Addr]*entry[T]
	queue   []*entry[T] // not yet taken by a worker, oldest first
	workers int
}

// entry is one address. answer is set before done is closed.
type entry[T any] struct {
	addr     netip.Addr
	deadline time.Time
	once     sync.Once
	done     chan struct{}
	answer   T
}

// New makes a Cache. Close ends it.
func New[T any](cfg Config[T]) *Cache[T] {
	c := &Cache[T]{cfg: cfg, entries: make(map[netip.Addr]*entry[T])}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// Start begins to ask about an address and returns at once. An address that
// was started before is left alone.
func (c *Cache[T]) Start(addr netip.Addr) { c.start(addr) }

// Get gives the answer for an address. It waits for it, starting to ask if
// need be. The same address always gets the same answer.
func (c *Cache[T]) Get(addr netip.Addr) T {
	e := c.start(addr)
	timer := time.NewTimer(time.Until(e.deadline))
	defer timer.Stop()
	select {
	case <-e.done:
	case <-timer.C:
		e.settle(c.cfg.None(addr))
	case <-c.ctx.Done():
		e.settle(c.cfg.None(addr))
	}
	<-e.done
	return e.answer
}

// Close gives up what is under way and returns when nothing is left running.
// Answers that came remain; nothing new is asked.
func (c *Cache[T]) Close() {
	c.mu.Lock()
	c.cancel()
	c.queue = nil
	c.mu.Unlock()
	c.wg.Wait()
}

func (c *Cache[T]) start(addr netip.Addr) *entry[T] {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.entries[addr]; ok {
		return e
	}
	e := &entry[T]{addr: addr, deadline: time.Now().Add(c.cfg.Timeout), done: make(chan struct{})}
	c.entries[addr] = e
	if c.ctx.Err() != nil || !addr.IsValid() {
		e.settle(c.cfg.None(addr))
		return e
	}
	c.queue = append(c.queue, e)
	if c.workers < c.cfg.Parallel {
		c.workers++
		c.wg.Go(c.work)
	}
	return e
}

// work asks about queued addresses until there are none.
func (c *Cache[T]) work() {
	for {
		c.mu.Lock()
		if len(c.queue) == 0 {
			c.workers--
			c.mu.Unlock()
			return
		}
		e := c.queue[0]
		c.queue = c.queue[1:]
		c.mu.Unlock()
		e.settle(c.ask(e))
	}
}

func (c *Cache[T]) ask(e *entry[T]) T {
	ctx, cancel := context.WithDeadline(c.ctx, e.deadline)
	defer cancel()
	if ctx.Err() != nil {
		return c.cfg.None(e.addr)
	}
	answer := c.cfg.Ask(ctx, e.addr)
	if ctx.Err() != nil {
		return c.cfg.None(e.addr)
	}
	return answer
}

func (e *entry[T]) settle(answer T) {
	e.once.Do(func() {
		e.answer = answer
		close(e.done)
	})
}
