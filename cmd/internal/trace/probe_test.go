package trace

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hopquote/hopquote/scheduler"
	"github.com/hopquote/hopquote/scheduler/virtual"
)

// heldNames answers no look-up before it is let go.
type heldNames struct{ letGo chan struct{} }

func (h heldNames) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	select {
	case <-h.letGo:
		return []string{"host-" + strings.ReplaceAll(addr, ".", "-") + ".example."}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// TestNamesHoldUpNoProbe lets the first look-up wait for the last probe: a
// trace that waits for names before it sends never ends.
func TestNamesHoldUpNoProbe(t *testing.T) {
	script := path(3, nil)
	h := heldNames{make(chan struct{})}
	release := sync.OnceFunc(func() { close(h.letGo) })
	respond := func(s virtual.Sent) []virtual.Reply {
		if s.Probe.TTL == 4 {
			release()
		}
		return script.Respond(s)
	}
	var out bytes.Buffer
	r, n := newVirtual(t, Std{Out: &out, Names: h}, respond, "-N1", "-q1", "10.2.2.2")
	defer r.names.Close()
	if err := r.probeOver(n); err != nil {
		t.Fatal(err)
	}
	want := `traceroute to 10.2.2.2 (10.2.2.2), 30 hops max, 60 byte packets
 1  host-10-1-1-1.example (10.1.1.1)  X ms
 2  host-10-1-2-1.example (10.1.2.1)  X ms
 3  host-10-1-3-1.example (10.1.3.1)  X ms
 4  host-10-2-2-2.example (10.2.2.2)  X ms
`
	if got := out.String(); got != withTimes(want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// brokenAfter takes so many writes and fails then.
type brokenAfter struct {
	writes int
	bytes.Buffer
}

func (b *brokenAfter) Write(p []byte) (int, error) {
	if b.writes--; b.writes < 0 {
		return 0, syscall.EPIPE
	}
	return b.Buffer.Write(p)
}

// patient is a network whose receiver waits for ever when nothing will come,
// unless somebody wakes it.
type patient struct {
	*virtual.Net
	woken chan struct{}
}

func (p patient) Wait(until time.Duration) error {
	err := p.Net.Wait(until)
	if errors.Is(err, virtual.ErrStuck) {
		<-p.woken
		return nil
	}
	return err
}

// silentRun is a run whose first hop answers and nothing else does, with a
// window of probes that are waited for without end.
func silentRun(t *testing.T, std Std) (*run, *network) {
	t.Helper()
	script := virtual.Script{TTL: at(1, te("10.1.1.1"))}
	r, n := newVirtual(t, std, script.Respond, "-n", "-w", "inf", "10.2.2.2")
	p := patient{n, make(chan struct{})}
	return r, &network{
		envelope: &r.envelope, clock: n, sender: n, receiver: p, wake: sync.OnceFunc(func() { close(p.woken) }),
		identities: newIdentities(r),
	}
}

const (
	silentHeader = "traceroute to 10.2.2.2 (10.2.2.2), 30 hops max, 60 byte packets"
	firstHop     = "\n 1  10.1.1.1  X ms  X ms  X ms"
)

// TestBrokenOutputEndsTheRun lets standard output fail in the first hop's line
// while the window is full.
func TestBrokenOutputEndsTheRun(t *testing.T) {
	out := &brokenAfter{writes: 2}
	r, n := silentRun(t, Std{Out: out})
	if err := r.header(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancelCause(t.Context())
	err := r.probe(ctx, stop, n, nil)
	var broken *brokenOutput
	if !errors.As(err, &broken) || broken.Error() != "write standard output: Broken pipe" {
		t.Errorf("%v; want the broken pipe", err)
	}
	if r.counts.Sent != 19 || r.counts.InFlight != 16 {
		t.Errorf("%d sent, %d in flight; want 19 and 16", r.counts.Sent, r.counts.InFlight)
	}
	if got, want := out.String(), silentHeader+"\n 1  10.1.1.1  "+shown; got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
}

// TestInterrupted ends a run from outside while the window is full.
func TestInterrupted(t *testing.T) {
	var out bytes.Buffer
	r, n := silentRun(t, Std{Out: &out})
	if err := r.header(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancelCause(t.Context())
	idle := n.receiver.(patient)
	n.receiver = onIdle{idle, func() { stop(signalled{syscall.SIGTERM}) }}
	err := r.probe(ctx, stop, n, nil)
	if !errors.Is(err, signalled{syscall.SIGTERM}) {
		t.Errorf("%v; want the signal", err)
	}
	if got, want := out.String(), withTimes(silentHeader+firstHop+"\n"); got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
	if code := r.report(err); code != 128+15 {
		t.Errorf("exit code %d", code)
	}
}

// onIdle calls f before it waits without end.
type onIdle struct {
	patient
	f func()
}

func (o onIdle) Wait(until time.Duration) error {
	if until == scheduler.Never {
		o.f()
	}
	return o.patient.Wait(until)
}

// TestEndlessWaits never gives a probe up, and never sends the second one.
func TestEndlessWaits(t *testing.T) {
	for _, tt := range []struct {
		args string
		want string
	}{
		{"-w inf -N1 -q1", "\n 1  10.1.1.1  X ms\n"},
		{"-w 9e9 -N1 -q1", "\n 1  10.1.1.1  X ms\n"},
		{"-z inf -m 1", "\n 1  10.1.1.1  X ms\n"},
	} {
		script := virtual.Script{TTL: at(1, te("10.1.1.1"))}
		var out bytes.Buffer
		r, n := newVirtual(t, Std{Out: &out}, script.Respond, append(strings.Fields("-n "+tt.args), "10.2.2.2")...)
		if err := r.probeOver(n); !errors.Is(err, virtual.ErrStuck) {
			t.Errorf("%s: %v, want to wait for ever", tt.args, err)
		}
		if _, lines, _ := strings.Cut(out.String(), "packets"); lines != withTimes(tt.want) {
			t.Errorf("%s: printed %q, want %q", tt.args, lines, withTimes(tt.want))
		}
	}
}
