package trace

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/hopquote/hopquote/cmd/internal/option"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/frame/link"
	"github.com/hopquote/hopquote/scheduler"
	"github.com/hopquote/hopquote/scheduler/virtual"
)

var (
	source = netip.MustParseAddr("10.9.9.1")
	target = netip.MustParseAddr("10.2.2.2")
)

// counter hands out source ports without sockets.
type counter struct{ next uint16 }

func (c *counter) Hold() (uint16, error) { c.next++; return 40000 + c.next, nil }
func (c *counter) Release(uint16)        {}

// parse reads a command line of numbers only.
func parse(t *testing.T, args ...string) (*option.Options, []string) {
	t.Helper()
	argv := append([]string{"traceroute"}, args...)
	unset := func(string) (string, bool) { return "", false }
	opts, err := option.Parse(t.Context(), argv, unset, option.HostResolver{})
	if err != nil {
		t.Fatal(err)
	}
	return opts, argv
}

// newVirtual is a run over a network that answers as the function says.
func newVirtual(t *testing.T, std Std, respond func(virtual.Sent) []virtual.Reply, args ...string) (*run, *virtual.Net) {
	t.Helper()
	opts, argv := parse(t, args...)
	r, err := newRun(opts, argv, std)
	if err != nil {
		t.Fatal(err)
	}
	r.envelope = link.Envelope{
		Interface: link.Interface{Index: 7, Name: "veth7"}, Header: frame.Link{Type: frame.LinkRaw},
		Src: source, Dst: target, NextHop: target, MTU: 1500, LinkMTU: 1500,
	}
	r.start = time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)
	return r, &virtual.Net{Link: frame.LinkRaw, Respond: respond}
}

// probeOver prints the header and probes to the end.
func (r *run) probeOver(n *virtual.Net) error {
	if err := r.header(); err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(context.Background())
	defer stop(nil)
	return r.probe(ctx, stop, &network{
		envelope: &r.envelope, clock: n, sender: n, receiver: n, wake: func() {},
		identities: newIdentities(r),
	}, nil)
}

func newIdentities(r *run) scheduler.Identities { return scheduler.NewFresh(&counter{}, r.rand, nil) }

// rtt is every answer's time; shown is how it is printed. The texts of the
// tests have an X in its place.
const (
	rtt   = 1234567 * time.Nanosecond
	shown = "1.235 ms"
)

func withTimes(s string) string { return strings.ReplaceAll(s, "X ms", shown) }

// te is a router's time exceeded, un an unreachable, port the target's port
// unreachable, and lost is silence.
func te(from string) virtual.Step {
	return virtual.Step{Kind: frame.KindTimeExceeded, From: netip.MustParseAddr(from), After: rtt}
}

func un(from string, code uint8) virtual.Step {
	return virtual.Step{Kind: frame.KindUnreachable, Code: code, From: netip.MustParseAddr(from), After: rtt}
}

var (
	port = un("10.2.2.2", 3)
	lost = virtual.Step{}
)
