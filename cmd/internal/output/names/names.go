// Package names finds the host names of responders by reverse DNS: early, in
// parallel, each address once, and never for longer than a bound.
package names

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// Resolver is the look-up; net.Resolver is one.
type Resolver interface {
	LookupAddr(ctx context.Context, addr string) ([]string, error)
}

// Config says who resolves, and the bounds. The zero Config is the system's
// resolver with the default bounds.
type Config struct {
	Resolver Resolver      // nil: the system's
	Parallel int           // look-ups at once; below 1: 16
	Timeout  time.Duration // for one address, from Start on, its turn included; below 1: 5 s
}

const (
	defaultParallel = 16
	defaultTimeout  = 5 * time.Second
	maxName         = 255 // bytes, RFC 1035 section 2.3.4
)

// Cache looks names up and remembers them. Its methods may be called from any
// goroutine.
type Cache struct {
	cfg    Config
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu      sync.Mutex
	entries map[netip.Addr]*entry
	queue   []*entry // not yet taken by a worker, oldest first
	workers int
}

// entry is one address. name is set before done is closed.
type entry struct {
	addr     netip.Addr
	deadline time.Time
	once     sync.Once
	done     chan struct{}
	name     string
}

// New makes a Cache. Close ends it.
func New(cfg Config) *Cache {
	if cfg.Resolver == nil {
		cfg.Resolver = system()
	}
	if cfg.Parallel < 1 {
		cfg.Parallel = defaultParallel
	}
	if cfg.Timeout < 1 {
		cfg.Timeout = defaultTimeout
	}
	c := &Cache{cfg: cfg, entries: make(map[netip.Addr]*entry)}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// Start begins the look-up of an address and returns at once. An address that
// was started before is left alone.
func (c *Cache) Start(addr netip.Addr) { c.start(addr) }

// Name gives the first host name of an address, without the final dot. It
// waits for the look-up, starting it if need be, and gives the address's own
// text when there is no name, no answer in time, or an answer that must not
// be printed. The same address always gets the same name.
func (c *Cache) Name(addr netip.Addr) string {
	e := c.start(addr)
	timer := time.NewTimer(time.Until(e.deadline))
	defer timer.Stop()
	select {
	case <-e.done:
	case <-timer.C:
		e.settle(addr.String())
	case <-c.ctx.Done():
		e.settle(addr.String())
	}
	<-e.done
	return e.name
}

// Close gives up what is under way and returns when nothing is left running.
// Names that were found remain; new ones are no longer looked up.
func (c *Cache) Close() {
	c.mu.Lock()
	c.cancel()
	c.queue = nil
	c.mu.Unlock()
	c.wg.Wait()
}

func (c *Cache) start(addr netip.Addr) *entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.entries[addr]; ok {
		return e
	}
	e := &entry{addr: addr, deadline: time.Now().Add(c.cfg.Timeout), done: make(chan struct{})}
	c.entries[addr] = e
	if c.ctx.Err() != nil || !addr.IsValid() {
		e.settle(addr.String())
		return e
	}
	c.queue = append(c.queue, e)
	if c.workers < c.cfg.Parallel {
		c.workers++
		c.wg.Go(c.work)
	}
	return e
}

// work looks up queued addresses until there are none.
func (c *Cache) work() {
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
		e.settle(c.lookup(e))
	}
}

func (c *Cache) lookup(e *entry) string {
	ctx, cancel := context.WithDeadline(c.ctx, e.deadline)
	defer cancel()
	text := e.addr.String()
	if ctx.Err() != nil {
		return text
	}
	// A partial answer comes with an error: whatever names there are count.
	found, _ := c.cfg.Resolver.LookupAddr(ctx, text)
	if len(found) == 0 || ctx.Err() != nil {
		return text
	}
	name := strings.TrimSuffix(found[0], ".")
	if !printable(name) {
		return text
	}
	return name
}

func (e *entry) settle(name string) {
	e.once.Do(func() {
		e.name = name
		close(e.done)
	})
}

// printable tells whether a name is safe to print: visible ASCII only, since
// whoever owns an address chooses its name, and a control character or a
// blank in it could forge output.
func printable(name string) bool {
	if name == "" || len(name) > maxName {
		return false
	}
	for i := range len(name) {
		if name[i] <= ' ' || name[i] > '~' {
			return false
		}
	}
	return true
}
