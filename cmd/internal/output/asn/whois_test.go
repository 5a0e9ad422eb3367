package asn

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
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
				d := &piped{server: tt.server}
				t.Cleanup(d.wg.Wait)
				s := open(t, "whois", Config{Getenv: noEnv, Dialer: d, Hosts: radb})
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
