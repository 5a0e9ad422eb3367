package asn

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	comparePrefixes = cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })
	addr            = netip.MustParseAddr
	prefix          = netip.MustParsePrefix
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

func open(t *testing.T, spec string, cfg Config) *Source {
	t.Helper()
	s, err := Open(spec, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func lookupOne(t *testing.T, s *Source, a string) Result {
	t.Helper()
	r, err := s.Lookup(addr(a))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const severalRoutes = `% comment: with a colon
route:      10.0.0.0/8
descr:      all of it
origin:     AS100

route:      10.1.0.0/16
origin:     AS200
route:      10.1.0.0/16
origin:     AS300
route:      10.1.0.0/16
origin:     AS200

route:      10.0.0.0/9
origin:     AS999
`

func TestWhois(t *testing.T) {
	r := serve(t, map[string]string{"10.1.1.1\r\n": severalRoutes})
	s := open(t, "whois", Config{Getenv: env(r.listener.Addr().String())})
	if s.Name() != "whois" || !s.Built().IsZero() {
		t.Errorf("got %q built %v, want whois without a time", s.Name(), s.Built())
	}
	s.Start(addr("10.1.1.1"))
	for range 2 {
		got := lookupOne(t, s, "10.1.1.1")
		want := Result{Origins: []string{"AS200", "AS300"}, Prefix: prefix("10.1.0.0/16")}
		if diff := cmp.Diff(want, got, comparePrefixes); diff != "" {
			t.Errorf("result (-want +got):\n%s", diff)
		}
		if got.String() != "AS200/AS300" {
			t.Errorf("got %q, want AS200/AS300", got)
		}
	}
	if got := lookupOne(t, s, "::ffff:10.2.2.2"); got.String() != "*" {
		t.Errorf("got %q, want *", got)
	}
	s.Close()
	if diff := cmp.Diff([]string{"10.1.1.1\r\n", "10.2.2.2\r\n"}, r.queries); diff != "" {
		t.Errorf("queries (-want +got):\n%s", diff)
	}
}

func TestWhoisRefused(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	s := open(t, "whois", Config{Getenv: env(l.Addr().String())})
	if got := lookupOne(t, s, "10.1.1.1"); got.String() != "!!" {
		t.Errorf("got %q, want !!", got)
	}
}

// piped connects to a server that is a function on the other end of a pipe.
// It refuses the addresses that it is told to.
type piped struct {
	server  func(net.Conn)
	refuses string

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
	go func() {
		defer far.Close()
		_, _ = bufio.NewReader(far).ReadString('\n')
		p.server(far)
	}()
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

var radb = hosts{"whois.radb.net": {addr("192.0.2.1"), addr("2001:db8::1")}}

func TestWhoisDefaultServer(t *testing.T) {
	d := &piped{refuses: "192.0.2.1:43", server: func(c net.Conn) {
		_, _ = c.Write([]byte("route6: fd00::/16\norigin: AS64500\n"))
	}}
	s := open(t, "whois", Config{Getenv: noEnv, Dialer: d, Hosts: radb})
	if got := lookupOne(t, s, "fd00::1%lo"); got.String() != "AS64500" {
		t.Errorf("got %q, want AS64500", got)
	}
	if diff := cmp.Diff([]string{"tcp 192.0.2.1:43", "tcp [2001:db8::1]:43"}, d.dialed); diff != "" {
		t.Errorf("connections (-want +got):\n%s", diff)
	}
}

func TestWhoisServerError(t *testing.T) {
	tests := []struct{ server, service, want string }{
		{"", "", "whois.radb.net/nicname: Name or service not known"},
		{"nowhere.example", "4321", "nowhere.example/4321: Name or service not known"},
		{"", "no-such-service", "whois.radb.net/no-such-service: Servname not supported for ai_socktype"},
		{"", "65536", "whois.radb.net/65536: Servname not supported for ai_socktype"},
	}
	for _, tt := range tests {
		values := map[string]string{"RA_SERVER": tt.server, "RA_SERVICE": tt.service}
		s := open(t, "whois", Config{Getenv: func(n string) string { return values[n] }, Dialer: &piped{}, Hosts: hosts{}})
		for _, a := range []string{"10.1.1.1", "10.2.2.2"} {
			_, err := s.Lookup(addr(a))
			var server *ServerError
			if !errors.As(err, &server) || err.Error() != tt.want {
				t.Errorf("got error %v, want a ServerError: %s", err, tt.want)
			}
		}
	}
}

// Servers that never come to an end, one way or another.
func TestWhoisIncompleteReplies(t *testing.T) {
	route := []byte("route: 10.0.0.0/8\norigin: AS100\n")
	tests := []struct {
		name   string
		server func(net.Conn)
		took   time.Duration
	}{
		{"silent", func(c net.Conn) { _, _ = c.Read(make([]byte, 1)) }, 10 * time.Second},
		{"silent after a route", func(c net.Conn) {
			_, _ = c.Write(route)
			_, _ = c.Read(make([]byte, 1))
		}, 10 * time.Second},
		{"dripping", func(c net.Conn) {
			for {
				if _, err := c.Write([]byte("\n")); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		}, 10 * time.Second},
		{"endless", func(c net.Conn) {
			for {
				if _, err := c.Write(route); err != nil {
					return
				}
			}
		}, 0},
		{"one endless line", func(c net.Conn) {
			for {
				if _, err := c.Write([]byte("route: 10.0.0.0/8 ")); err != nil {
					return
				}
			}
		}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t, "whois", Config{Getenv: noEnv, Dialer: &piped{server: tt.server}, Hosts: radb})
				began := time.Now()
				if got := lookupOne(t, s, "10.1.1.1"); got.String() != "!!" {
					t.Errorf("got %q, want !!", got)
				}
				if took := time.Since(began); took != tt.took {
					t.Errorf("took %v, want %v", took, tt.took)
				}
			})
		})
	}
}

func TestWhoisLargestReply(t *testing.T) {
	route := "route: 10.0.0.0/8\norigin: AS100\n"
	for extra, want := range map[int]string{0: "AS100", 1: "!!"} {
		reply := route + strings.Repeat("x", 65536-len(route)+extra)
		s := open(t, "whois", Config{Getenv: noEnv, Hosts: radb, Dialer: &piped{server: func(c net.Conn) {
			_, _ = c.Write([]byte(reply))
		}}})
		if got := lookupOne(t, s, "10.1.1.1"); got.String() != want {
			t.Errorf("%d bytes: got %q, want %q", len(reply), got, want)
		}
	}
}

// hung is a name server that never answers. The error that it leads to must
// come before the first address is given up as failed.
type hung struct{}

func (hung) Lookup(ctx context.Context, _ string, _ int) ([]netip.Addr, error) {
	<-ctx.Done()
	return nil, errUnknown
}

func TestWhoisHungNameServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, "whois", Config{Getenv: noEnv, Dialer: &piped{}, Hosts: hung{}})
		for i := range 9 {
			s.Start(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}))
		}
		for i := range 9 {
			var server *ServerError
			if r, err := s.Lookup(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)})); !errors.As(err, &server) {
				t.Errorf("got %v and error %v, want a ServerError", r, err)
			}
		}
	})
}
