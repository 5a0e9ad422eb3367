// Package asn finds the autonomous systems that announce a responder's
// address: early, in parallel, each address once, and never for longer than a
// bound. It asks one of three sources: a whois server of the routing
// registries, Team Cymru's DNS zones, or an MMDB file.
//
// None of them is trusted: what reaches the output are AS words of plain
// characters and prefixes, in bounded numbers.
package asn

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/hopquote/hopquote/cmd/internal/option"
	"github.com/hopquote/hopquote/cmd/internal/output/lookup"
)

// Dialer connects to the whois server; net.Dialer is one.
type Dialer interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// HostResolver gives a host name's addresses; the texts of its errors are
// printed.
type HostResolver interface {
	Lookup(ctx context.Context, name string, family int) ([]netip.Addr, error)
}

// TXTResolver gives the TXT records of a name; net.Resolver is one.
type TXTResolver interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
}

// Config says how the source is reached, and the bounds. The zero Config is
// the real thing.
type Config struct {
	Getenv   func(string) string // for RA_SERVER and RA_SERVICE; nil: os.Getenv
	Dialer   Dialer              // whois; nil: net.Dialer
	Hosts    HostResolver        // the whois server's name; nil: option.HostResolver
	TXT      TXTResolver         // cymru; nil: net.DefaultResolver
	Zone     string              // cymru, IPv4; empty: origin.asn.cymru.com
	Zone6    string              // cymru, IPv6; empty: origin6.asn.cymru.com
	Parallel int                 // look-ups at once; below 1: 4 for whois, 16 for cymru
	Timeout  time.Duration       // for one address, from Start on, its turn included; below 1: 10 s
}

const (
	parallelWhois  = 4 // public servers limit connections
	parallelCymru  = 16
	defaultTimeout = 10 * time.Second
)

// Source is an open source with the answers it gave. Its methods may be
// called from any goroutine.
type Source struct {
	name  string
	built time.Time
	cache *lookup.Cache[answer]
}

// answer is a source's word on one address. err is a *ServerError or nil.
type answer struct {
	Result
	err error
}

var failed = answer{Result: Result{Failed: true}}

// Open opens the source that spec names: whois, cymru or mmdb:FILE. Only an
// MMDB file is touched at once; a missing or damaged one, or one that has no
// AS numbers, is an error. Close ends the source.
func Open(spec string, cfg Config) (*Source, error) {
	if cfg.Timeout < 1 {
		cfg.Timeout = defaultTimeout
	}
	kind, file, hasFile := strings.Cut(spec, ":")
	switch {
	case spec == "whois":
		w := newWhois(cfg)
		return newSource(spec, w.ask, orDefault(cfg.Parallel, parallelWhois), cfg.Timeout), nil
	case spec == "cymru":
		c := newCymru(cfg)
		return newSource(spec, c.ask, orDefault(cfg.Parallel, parallelCymru), cfg.Timeout), nil
	case kind == "mmdb" && hasFile && file != "":
		db, err := openDatabase(file)
		if err != nil {
			return nil, err
		}
		s := newSource(kind, db.ask, 1, cfg.Timeout)
		s.built = db.built()
		return s, nil
	}
	return nil, fmt.Errorf("AS source %q: must be whois, cymru or mmdb:FILE", spec)
}

func newSource(name string, ask func(context.Context, netip.Addr) answer, parallel int, timeout time.Duration) *Source {
	return &Source{name: name, cache: lookup.New(lookup.Config[answer]{
		Ask:      ask,
		None:     func(netip.Addr) answer { return failed },
		Parallel: parallel,
		Timeout:  timeout,
	})}
}

// Name gives the kind of source: whois, cymru or mmdb.
func (s *Source) Name() string { return s.name }

// Built gives the time at which an MMDB file says it was made, in UTC; the
// zero Time for other sources.
func (s *Source) Built() time.Time { return s.built }

// Start begins the look-up of an address and returns at once. An address that
// was started before is left alone.
func (s *Source) Start(addr netip.Addr) { s.cache.Start(plain(addr)) }

// Lookup gives the origins of an address. It waits for the look-up, starting
// it if need be. The same address always gets the same Result. The only error
// is a *ServerError: a whois server that has no address, which ends a
// traceroute.
func (s *Source) Lookup(addr netip.Addr) (Result, error) {
	a := s.cache.Get(plain(addr))
	return a.Result, a.err
}

// Close gives up what is under way and returns when nothing is left running.
// Answers that came remain; new look-ups fail.
func (s *Source) Close() { s.cache.Close() }

// plain strips what no registry knows: the zone and the IPv4-in-IPv6 form.
func plain(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }

func orDefault(n, otherwise int) int {
	if n < 1 {
		return otherwise
	}
	return n
}

func (c *Config) getenv(name string) string {
	if c.Getenv != nil {
		return c.Getenv(name)
	}
	return os.Getenv(name)
}

func (c *Config) dialer() Dialer {
	if c.Dialer != nil {
		return c.Dialer
	}
	return &net.Dialer{}
}

func (c *Config) hosts() HostResolver {
	if c.Hosts != nil {
		return c.Hosts
	}
	return option.HostResolver{}
}

func (c *Config) txt() TXTResolver {
	if c.TXT != nil {
		return c.TXT
	}
	return net.DefaultResolver
}
