package asn

import (
	"context"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const (
	defaultServer  = "whois.radb.net"
	defaultService = "nicname"
	nicnamePort    = 43        // RFC 3912
	maxReply       = 64 * 1024 // bytes of one whois reply
)

// ServerError tells that the whois server's name or service stands for no
// address. Its text is what traceroute prints on stderr before it exits with
// status 2, in mid-line.
type ServerError struct {
	Server, Service string
	Err             error // the resolver's
}

func (e *ServerError) Error() string { return e.Server + "/" + e.Service + ": " + e.Err.Error() }

func (e *ServerError) Unwrap() error { return e.Err }

// errService is the text of EAI_SERVICE.
type errService struct{}

func (errService) Error() string { return "Servname not supported for ai_socktype" }

// whois asks a server of the routing registries, a connection per address,
// RFC 3912.
type whois struct {
	cfg             Config
	server, service string

	asked    atomic.Bool      // by the first address
	resolved chan struct{}    // closed when the next two are set
	addrs    []netip.AddrPort // of the server
	err      error
}

func newWhois(cfg Config) *whois {
	w := &whois{
		cfg: cfg, server: cfg.getenv("RA_SERVER"), service: cfg.getenv("RA_SERVICE"),
		resolved: make(chan struct{}),
	}
	if w.server == "" {
		w.server = defaultServer
	}
	if w.service == "" {
		w.service = defaultService
	}
	return w
}

func (w *whois) ask(ctx context.Context, addr netip.Addr) answer {
	// The server's name is looked up once, by the first address. It gets half
	// of that one's time, so that its failure is known before the address has
	// to be given up.
	if w.asked.CompareAndSwap(false, true) {
		ctx, cancel := context.WithTimeout(ctx, w.cfg.Timeout/2)
		w.addrs, w.err = w.resolve(ctx)
		cancel()
		close(w.resolved)
	}
	select {
	case <-w.resolved:
	case <-ctx.Done():
		return failed
	}
	if w.err != nil {
		return answer{err: &ServerError{w.server, w.service, w.err}}
	}
	conn, ok := w.dial(ctx)
	if !ok {
		return failed
	}
	defer conn.Close()
	reply, err := exchange(ctx, conn, addr)
	if err != nil || len(reply) > maxReply {
		// What is missing may have had the longest prefix.
		return failed
	}
	return answer{Result: parseWhois(addr, string(reply))}
}

func (w *whois) resolve(ctx context.Context) ([]netip.AddrPort, error) {
	port, err := net.DefaultResolver.LookupPort(ctx, "tcp", w.service)
	if err != nil && w.service == defaultService {
		port, err = nicnamePort, nil // a system without a list of services
	}
	if err != nil {
		return nil, errService{}
	}
	found, err := w.cfg.hosts().Lookup(ctx, w.server, 0)
	if err != nil {
		return nil, err
	}
	addrs := make([]netip.AddrPort, len(found))
	for i, a := range found {
		addrs[i] = netip.AddrPortFrom(a, uint16(port))
	}
	return addrs, nil
}

// dial connects to the first of the server's addresses that lets it. Each
// gets its share of the time that is left.
func (w *whois) dial(ctx context.Context) (net.Conn, bool) {
	for i, a := range w.addrs {
		share := w.cfg.Timeout
		if deadline, ok := ctx.Deadline(); ok {
			share = time.Until(deadline) / time.Duration(len(w.addrs)-i)
		}
		one, cancel := context.WithTimeout(ctx, share)
		conn, err := w.cfg.dialer().DialContext(one, "tcp", a.String())
		cancel()
		if err == nil {
			return conn, true
		}
	}
	return nil, false
}

// exchange sends the query and reads to the end, though no more than a byte
// above maxReply and not beyond the context.
func exchange(ctx context.Context, conn net.Conn, addr netip.Addr) ([]byte, error) {
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := conn.Write([]byte(addr.String() + "\r\n")); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(conn, maxReply+1))
}

// parseWhois reads route objects (RFC 2622 section 4): an origin belongs to
// the route before it.
func parseWhois(addr netip.Addr, reply string) Result {
	best := longest{addr: addr}
	bits := -1 // no route yet, or one without a length
	var prefix netip.Prefix
	for line := range strings.Lines(reply) {
		attribute, value, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		word := firstWord(value)
		switch {
		case strings.EqualFold(attribute, "route"), strings.EqualFold(attribute, "route6"):
			bits = routeLength(word)
			prefix, _ = netip.ParsePrefix(word)
		case strings.EqualFold(attribute, "origin") && bits >= 0:
			best.add(bits, prefix, word)
		}
	}
	return best.result
}

// routeLength gives the bits of a route, -1 for none. Old objects shorten the
// address, as in 10.1/16, so only the length is read.
func routeLength(route string) int {
	_, length, ok := strings.Cut(route, "/")
	bits, err := strconv.ParseUint(length, 10, 8)
	if !ok || err != nil || bits > 128 {
		return -1
	}
	return int(bits)
}

// firstWord gives what stands before the first blank, without a comment.
func firstWord(s string) string {
	s = strings.TrimLeft(s, " \t")
	if i := strings.IndexAny(s, " \t\r\n#"); i >= 0 {
		s = s[:i]
	}
	return s
}
