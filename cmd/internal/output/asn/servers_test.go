package asn

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"testing"
)

// registry is a whois server on the loopback interface that answers whole
// queries from a map.
type registry struct {
	listener net.Listener
	replies  map[string]string
	wg       sync.WaitGroup

	mu      sync.Mutex
	queries []string
}

func serve(t *testing.T, replies map[string]string) *registry {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &registry{listener: l, replies: replies}
	r.wg.Go(r.run)
	t.Cleanup(func() {
		_ = l.Close()
		r.wg.Wait()
	})
	return r
}

func (r *registry) run() {
	for {
		conn, err := r.listener.Accept()
		if err != nil {
			return
		}
		r.wg.Go(func() {
			defer conn.Close()
			query, _ := bufio.NewReader(conn).ReadString('\n')
			r.mu.Lock()
			r.queries = append(r.queries, query)
			r.mu.Unlock()
			_, _ = conn.Write([]byte(r.replies[query]))
		})
	}
}

// env gives the variables that lead to an address.
func env(server string) func(string) string {
	host, port, _ := net.SplitHostPort(server)
	values := map[string]string{"RA_SERVER": host, "RA_SERVICE": port}
	return func(name string) string { return values[name] }
}

// piped connects to a server that is a function on the other end of a pipe.
// It refuses the addresses that it is told to.
type piped struct {
	server  func(net.Conn)
	refuses string

	wg     sync.WaitGroup // servers that run
	mu     sync.Mutex
	dialed []string
}

func (p *piped) DialContext(_ context.Context, network, address string) (net.Conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dialed = append(p.dialed, network+" "+address)
	if address == p.refuses {
		return nil, errors.New("refused")
	}
	near, far := net.Pipe()
	p.wg.Go(func() {
		defer far.Close()
		_, _ = bufio.NewReader(far).ReadString('\n')
		p.server(far)
	})
	return near, nil
}

type hosts map[string][]netip.Addr

var errUnknown = errors.New("Name or service not known")

func (h hosts) Lookup(_ context.Context, name string, _ int) ([]netip.Addr, error) {
	if found, ok := h[name]; ok {
		return found, nil
	}
	return nil, errUnknown
}

func noEnv(string) string { return "" }
