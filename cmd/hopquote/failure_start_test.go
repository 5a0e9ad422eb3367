package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/bench/lab"
)

// The addresses of h2 in the topology "line".
const (
	farHost  = "192.168.120.20"
	farHost6 = "fd00:120::20"
)

// openSilent opens the topology "line" with a last hop that swallows what is
// for the far host: r1 answers, everything behind it is silence.
func openSilent(t *testing.T) *lab.Net {
	t.Helper()
	n := openLab(t, "line")
	for _, dst := range []string{farHost + "/32", farHost6 + "/128"} {
		if err := n.Host("r2").AddRoute(lab.Route{Dst: netip.MustParsePrefix(dst), Type: lab.Blackhole}); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// screen is what a program has printed so far.
type screen struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

// running is a program under way.
type running struct {
	t              *testing.T
	cmd            *exec.Cmd
	stdout, stderr screen
	ended          chan struct{}
}

// startIn starts a program in the host; change may still change the command.
func startIn(t *testing.T, h *lab.Host, change func(*exec.Cmd), program string, args ...string) *running {
	t.Helper()
	p := &running{t: t, cmd: exec.Command(program, args...), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	if change != nil {
		change(p.cmd)
	}
	if err := start(h, p.cmd); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // the state tells
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.ended
	})
	return p
}

// prompt bounds what a program may take for a thing that it does at once.
// The probes of these tests may stay unanswered for twenty seconds: a program
// that sits them out fails.
const prompt = 10 * time.Second

// await waits until f gives "", or fails with what it gives.
func (p *running) await(f func() string) {
	p.t.Helper()
	deadline := time.Now().Add(prompt)
	for {
		missing := f()
		if missing == "" {
			return
		}
		select {
		case <-p.ended:
			p.t.Fatalf("ended too early: %s; exit code %d, stdout %q, stderr %q",
				missing, p.cmd.ProcessState.ExitCode(), p.stdout.String(), p.stderr.String())
		case <-time.After(5 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("%s; stdout %q, stderr %q", missing, p.stdout.String(), p.stderr.String())
		}
	}
}

// awaitText waits until the program has printed s.
func (p *running) awaitText(s string) {
	p.t.Helper()
	p.await(func() string {
		if strings.Contains(p.stdout.String(), s) {
			return ""
		}
		return fmt.Sprintf("does not print %q", s)
	})
}

// awaitFullWindow waits until r1 has answered the first hop's three probes and
// sixteen more are in flight: only silence lies ahead.
func (p *running) awaitFullWindow(n *lab.Net) {
	p.t.Helper()
	p.await(func() string {
		const want = 16
		got := 0
		err := n.Host("r1").Do(func() error {
			got = counter("net/snmp", "ForwDatagrams") + counter("net/snmp6", "Ip6OutForwDatagrams")
			return nil
		})
		if err != nil {
			return err.Error()
		}
		if got < want {
			return fmt.Sprintf("r1 has forwarded %d probes, not %d", got, want)
		}
		return ""
	})
}

// awaitLookup waits until the program asks a name server.
func (p *running) awaitLookup() {
	p.t.Helper()
	p.await(func() string {
		const domain = ":0035 " // port 53, of the peer
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/udp", p.cmd.Process.Pid))
		if err != nil {
			return err.Error()
		}
		if !strings.Contains(string(b), domain) {
			return "does not ask the name server"
		}
		return ""
	})
}

// awaitPorts waits until the number of UDP ports that the program holds is
// as wanted.
func (p *running) awaitPorts(want string, ok func(held int) bool) {
	p.t.Helper()
	p.await(func() string {
		held := 0
		for _, file := range []string{"udp", "udp6"} {
			b, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", p.cmd.Process.Pid, file))
			if err != nil {
				return err.Error()
			}
			held += max(0, strings.Count(string(b), "\n")-1)
		}
		if !ok(held) {
			return fmt.Sprintf("holds %d ports, want %s", held, want)
		}
		return ""
	})
}

// counter reads one of the kernel's counters in the thread's namespace.
func counter(file, name string) (n int) {
	b, err := os.ReadFile("/proc/thread-self/" + file)
	if err != nil {
		return 0
	}
	var keys []string
	for line := range strings.Lines(string(b)) {
		words := strings.Fields(line)
		switch {
		case len(words) == 2 && words[0] == name: // snmp6
			fmt.Sscan(words[1], &n)
		case len(keys) == len(words) && keys[0] == words[0]: // snmp: a line of names, a line of numbers
			for i, k := range keys {
				if k == name {
					fmt.Sscan(words[i], &n)
				}
			}
		}
		keys = words
	}
	return n
}

func (p *running) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// end waits until the program has ended by itself.
func (p *running) end() result {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(prompt):
		p.t.Fatalf("still there after %v; stdout %q, stderr %q", prompt, p.stdout.String(), p.stderr.String())
	}
	return result{p.stdout.String(), p.stderr.String(), p.cmd.ProcessState.ExitCode()}
}

// document is what the tests read of a JSON document.
type document struct {
	StopReason string  `json:"stop_reason"`
	Error      *string `json:"error"`
	Hops       []struct {
		TTL    int
		Probes []struct{ Outcome string }
	}
	Counts struct {
		Sent, Answered, Expired                   int
		InFlight                                  int `json:"in_flight"`
		Received, Matched, Duplicate, Late, Stray int
	}
}

// readDocument decodes the one document that the text must be, and checks that
// its counts balance.
func readDocument(t *testing.T, text string) document {
	t.Helper()
	var d document
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	c := d.Counts
	if c.Sent != c.Answered+c.Expired+c.InFlight {
		t.Errorf("sent %d, but answered %d + expired %d + in flight %d", c.Sent, c.Answered, c.Expired, c.InFlight)
	}
	if c.Received != c.Matched+c.Duplicate+c.Late+c.Stray {
		t.Errorf("received %d, but matched %d + duplicate %d + late %d + stray %d",
			c.Received, c.Matched, c.Duplicate, c.Late, c.Stray)
	}
	listed := 0
	for _, h := range d.Hops {
		listed += len(h.Probes)
	}
	if listed != c.Sent {
		t.Errorf("%d probes listed, %d counted as sent", listed, c.Sent)
	}
	return d
}

// same compares what a program left behind.
func same(t *testing.T, got, want result) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
