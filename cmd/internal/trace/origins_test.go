package trace

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/cmd/internal/output/asn"
	"github.com/hopquote/hopquote/scheduler/virtual"
)

// heldWhois is a whois server that answers no query before it is let go.
type heldWhois struct {
	letGo chan struct{}

	mu      sync.Mutex
	queries []string
}

func (h *heldWhois) DialContext(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	go func() {
		defer server.Close()
		query := make([]byte, 100)
		n, _ := server.Read(query)
		h.mu.Lock()
		h.queries = append(h.queries, string(query[:n]))
		h.mu.Unlock()
		<-h.letGo
		fmt.Fprintf(server, "route: 10.0.0.0/8\norigin: AS%d\n", n)
	}()
	return client, nil
}

// whois leads to the server.
func whois(d asn.Dialer) asn.Config {
	values := map[string]string{"RA_SERVER": "192.0.2.1", "RA_SERVICE": "43"}
	return asn.Config{Dialer: d, Getenv: func(name string) string { return values[name] }}
}

// TestOriginsHoldUpNoProbe lets the first look-up wait for the last probe, and
// asks about each address once.
func TestOriginsHoldUpNoProbe(t *testing.T) {
	script := path(3, at(3, te("10.1.1.1")))
	h := &heldWhois{letGo: make(chan struct{})}
	release := sync.OnceFunc(func() { close(h.letGo) })
	respond := func(s virtual.Sent) []virtual.Reply {
		if s.Probe.TTL == 4 {
			release()
		}
		return script.Respond(s)
	}
	var out bytes.Buffer
	r, n := newVirtual(t, Std{Out: &out, Origins: whois(h)}, respond, "-A", "-n", "-N1", "-q2", "10.2.2.2")
	defer r.origins.Close()
	if err := r.probeOver(n); err != nil {
		t.Fatal(err)
	}
	want := `traceroute to 10.2.2.2 (10.2.2.2), 30 hops max, 60 byte packets
 1  10.1.1.1 [AS10]  X ms  X ms
 2  10.1.2.1 [AS10]  X ms  X ms
 3  10.1.1.1 [AS10]  X ms  X ms
 4  10.2.2.2 [AS10]  X ms  X ms
`
	if diff := cmp.Diff(withTimes(want), out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	slices.Sort(h.queries)
	if diff := cmp.Diff([]string{"10.1.1.1\r\n", "10.1.2.1\r\n", "10.2.2.2\r\n"}, h.queries); diff != "" {
		t.Errorf("queries (-want +got):\n%s", diff)
	}
}

// TestNoWhoisServer ends in the middle of the first line.
func TestNoWhoisServer(t *testing.T) {
	values := map[string]string{"RA_SERVER": "192.0.2.1", "RA_SERVICE": "no such service"}
	script := path(3, nil)
	var out, stderr bytes.Buffer
	std := Std{Out: &out, Err: &stderr, Origins: asn.Config{Getenv: func(name string) string { return values[name] }}}
	r, n := newVirtual(t, std, script.Respond, "-A", "-n", "10.2.2.2")
	defer r.origins.Close()
	err := r.probeOver(n)
	var server *asn.ServerError
	if !errors.As(err, &server) {
		t.Fatalf("error %v", err)
	}
	if got, want := out.String(), "traceroute to 10.2.2.2 (10.2.2.2), 30 hops max, 60 byte packets\n 1  10.1.1.1"; got != want {
		t.Errorf("output %q, want %q", got, want)
	}
	if code := r.report(err); code != 2 || stderr.String() != "192.0.2.1/no such service: Servname not supported for ai_socktype\n" {
		t.Errorf("exit code %d, stderr %q", code, stderr.String())
	}
}
