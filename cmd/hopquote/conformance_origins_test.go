package main

import (
	"bufio"
	"encoding/json"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/bench/simnet"
	"github.com/hopquote/hopquote/cmd/internal/output/jsonout"
)

const originsPath = `
source 10.9.9.1/24 gateway 10.9.9.254
target 10.2.2.2
hop 1 te from 10.1.1.1
dest udp port-unreachable
`

// routes is what the whois server knows of 10.1.1.1.
const routes = "route:      10.0.0.0/8\norigin:     AS100\n\n" +
	"route:      10.1.0.0/16\norigin:     AS200\n\nroute: 10.1.0.0/16\norigin: AS300\n\n" +
	"route:      10.1.0.0/16\norigin:     AS200\n\nroute:      10.0.0.0/9\norigin:     AS999\n"

// whois is a server of the routing registries in the probing host. A silent
// one takes queries and says nothing.
type whois struct {
	listener net.Listener
	silent   bool
	queried  chan struct{} // one for each query
	wg       sync.WaitGroup

	mu      sync.Mutex
	queries []string
}

func openWhois(t *testing.T, n *simnet.Net, silent bool) *whois {
	t.Helper()
	w := &whois{silent: silent, queried: make(chan struct{}, 100)}
	err := n.Host(simnet.Prober).Do(func() (err error) {
		w.listener, err = net.Listen("tcp", "127.0.0.1:0")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	w.wg.Go(w.serve)
	t.Cleanup(w.close)
	return w
}

func (w *whois) close() {
	_ = w.listener.Close()
	w.wg.Wait()
}

func (w *whois) serve() {
	for {
		conn, err := w.listener.Accept()
		if err != nil {
			return
		}
		w.wg.Go(func() {
			defer conn.Close()
			in := bufio.NewReader(conn)
			query, _ := in.ReadString('\n')
			w.mu.Lock()
			w.queries = append(w.queries, query)
			w.mu.Unlock()
			w.queried <- struct{}{}
			switch {
			case w.silent:
				_, _ = in.ReadByte() // until the client goes
			case query == "10.1.1.1\r\n":
				_, _ = conn.Write([]byte(routes))
			default:
				_, _ = conn.Write([]byte("%  No entries found for the selected source(s).\n"))
			}
		})
	}
}

// taken gives the queries up to now.
func (w *whois) taken() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	taken := w.queries
	w.queries = nil
	return taken
}

// env leads a program to the server.
func (w *whois) env(cmd *exec.Cmd) {
	port := w.listener.Addr().(*net.TCPAddr).Port
	cmd.Env = append(cmd.Environ(), "RA_SERVER=127.0.0.1", "RA_SERVICE="+strconv.Itoa(port))
}

func openOrigins(t *testing.T) *simnet.Net {
	t.Helper()
	s, err := simnet.Parse("origins", []byte(originsPath))
	if err != nil {
		t.Fatal(err)
	}
	return openScript(t, s)
}

// traceOrigins runs a program with -A; change may be nil.
func traceOrigins(t *testing.T, n *simnet.Net, program string, change func(*exec.Cmd), args ...string) result {
	t.Helper()
	cmd := exec.Command(program, append([]string{"-A", "-q2", "-w5"}, args...)...)
	if change != nil {
		change(cmd)
	}
	return finish(t, n.Host(simnet.Prober), cmd).timeless()
}

const originsHeader = "traceroute to 10.2.2.2 (10.2.2.2), 30 hops max, 60 byte packets\n"

func TestOrigins(t *testing.T) {
	t.Parallel()
	n := openOrigins(t)
	server := openWhois(t, n, false)
	refused := openWhois(t, n, false)
	refused.close()
	environment := func(vars ...string) func(*exec.Cmd) {
		return func(cmd *exec.Cmd) { cmd.Env = append(cmd.Environ(), vars...) }
	}
	for _, c := range []struct {
		name   string
		change func(*exec.Cmd)
		args   []string
		want   result
	}{
		{"89 origins", server.env, []string{"-n"},
			result{Stdout: originsHeader + " 1  10.1.1.1 [AS200/AS300]  X ms  X ms\n 2  10.2.2.2 [*]  X ms  X ms\n"}},
		{"89 with names", server.env, nil,
			result{Stdout: originsHeader + " 1  10.1.1.1 (10.1.1.1) [AS200/AS300]  X ms  X ms\n 2  10.2.2.2 (10.2.2.2) [*]  X ms  X ms\n"}},
		{"89 connection refused", refused.env, []string{"-n"},
			result{Stdout: originsHeader + " 1  10.1.1.1 [!!]  X ms  X ms\n 2  10.2.2.2 [!!]  X ms  X ms\n"}},
		{"89 all marks", server.env, []string{"-n", "-e", "--back"},
			result{Stdout: originsHeader + " 1  10.1.1.1 [AS200/AS300]  X ms  X ms\n 2  10.2.2.2 [*] '-1'  X ms  X ms\n"}},
		{"no such server", nil, []string{"-n"}, // the lab has no name server
			result{Stdout: originsHeader + " 1  10.1.1.1", Stderr: "whois.radb.net/nicname: Temporary failure in name resolution\n", Code: 2}},
		{"no such service", environment("RA_SERVER=127.0.0.1", "RA_SERVICE=nosuchservice"), []string{"-n"},
			result{Stdout: originsHeader + " 1  10.1.1.1", Stderr: "127.0.0.1/nosuchservice: Servname not supported for ai_socktype\n", Code: 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, program := range []string{theirs(t), ours()} {
				got := traceOrigins(t, n, program, c.change, append(c.args, "10.2.2.2")...)
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", program, diff)
				}
				queries := strings.Join(server.taken(), "")
				asked := strings.Contains(c.want.Stdout, "AS200")
				if asked && queries != "10.1.1.1\r\n10.2.2.2\r\n" && queries != "10.2.2.2\r\n10.1.1.1\r\n" || !asked && queries != "" {
					t.Errorf("%s asked %q", program, queries)
				}
			}
		})
	}
}

func TestOriginsJSON(t *testing.T) {
	t.Parallel()
	n := openOrigins(t)
	server := openWhois(t, n, false)
	got := traceOrigins(t, n, ours(), server.env, "-n", "--format=json", "10.2.2.2")
	if got.Code != 0 || got.Stderr != "" {
		t.Errorf("%+v", got)
	}
	var d jsonout.Document
	if err := json.Unmarshal([]byte(got.Stdout), &d); err != nil {
		t.Fatal(err)
	}
	want := &jsonout.AS{Origins: []string{"AS200", "AS300"}, Source: "whois"}
	as := d.Hops[0].Probes[0].AS
	if as == nil || as.Prefix == nil || as.Prefix.String() != "10.1.0.0/16" {
		t.Fatalf("%+v", as)
	}
	as.Prefix = nil
	if diff := cmp.Diff(want, as); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if as := d.Hops[1].Probes[0].AS; as == nil || as.Failed || len(as.Origins) != 0 {
		t.Errorf("of the target: %+v", as)
	}
	// Without a server the document is whole, and the exit code tells.
	got = traceOrigins(t, n, ours(), nil, "-n", "--format=json", "10.2.2.2")
	if got.Code != 2 || got.Stderr != "whois.radb.net/nicname: Temporary failure in name resolution\n" {
		t.Errorf("exit %d, stderr %q", got.Code, got.Stderr)
	}
	if err := json.Unmarshal([]byte(got.Stdout), &d); err != nil {
		t.Fatal(err)
	}
	if as := d.Hops[1].Probes[1].AS; d.StopReason != jsonout.Reached || as == nil || !as.Failed {
		t.Errorf("stop reason %s, AS %+v", d.StopReason, as)
	}
}

// TestInterruptedOrigins ends at once although the whois server is silent.
func TestInterruptedOrigins(t *testing.T) {
	t.Parallel()
	n := openOrigins(t)
	for _, format := range formats {
		server := openWhois(t, n, true)
		start := time.Now()
		p := startIn(t, n.Host(simnet.Prober), server.env, ours(), format, "-A", "-n", "-N1", "-q1", "-w5", "10.2.2.2")
		select {
		case <-server.queried:
		case <-time.After(limit):
			t.Fatal("nothing is asked")
		}
		p.signal(syscall.SIGINT)
		got := p.end().timeless()
		if took := time.Since(start); took > prompt {
			t.Errorf("%s: took %v", format, took)
		}
		if got.Code != 130 || got.Stderr != "" {
			t.Errorf("%s: %+v", format, got)
		}
		if format == "--format=json" {
			readDocument(t, got.Stdout)
		} else if !strings.HasPrefix(got.Stdout, originsHeader+" 1  10.1.1.1 [!!]  X ms\n") {
			t.Errorf("%s: %q", format, got.Stdout)
		}
	}
}

func TestOriginsFile(t *testing.T) {
	t.Parallel()
	n := openOrigins(t)
	for _, format := range formats {
		got := traceOrigins(t, n, ours(), nil, format, "--as-source=mmdb:/nonexistent/as.mmdb", "10.2.2.2")
		want := result{Stderr: "AS database: stat /nonexistent/as.mmdb: no such file or directory\n", Code: 2}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", format, diff)
		}
	}
}
