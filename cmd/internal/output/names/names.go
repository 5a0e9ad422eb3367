// Package names finds the host names of responders by reverse DNS: early, in
// parallel, each address once, and never for longer than a bound.
package names

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"github.com/hopquote/hopquote/cmd/internal/output/lookup"
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
	resolver Resolver
	cache    *lookup.Cache[string]
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
	c := &Cache{resolver: cfg.Resolver}
	c.cache = lookup.New(lookup.Config[string]{
		Ask: c.ask, None: netip.Addr.String, Parallel: cfg.Parallel, Timeout: cfg.Timeout,
	})
	return c
}

// Start begins the look-up of an address and returns at once. An address that
// was started before is left alone.
func (c *Cache) Start(addr netip.Addr) { c.cache.Start(addr) }

// Name gives the first host name of an address, without the final dot. It
// waits for the look-up, starting it if need be, and gives the address's own
// text when there is no name, no answer in time, or an answer that must not
// be printed. The same address always gets the same name.
func (c *Cache) Name(addr netip.Addr) string { return c.cache.Get(addr) }

// Close gives up what is under way and returns when nothing is left running.
// Names that were found remain; new ones are no longer looked up.
func (c *Cache) Close() { c.cache.Close() }

func (c *Cache) ask(ctx context.Context, addr netip.Addr) string {
	text := addr.String()
	// A partial answer comes with an error: whatever names there are count.
	found, _ := c.resolver.LookupAddr(ctx, text)
	if len(found) == 0 {
		return text
	}
	name := strings.TrimSuffix(found[0], ".")
	if !printable(name) {
		return text
	}
	return name
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
