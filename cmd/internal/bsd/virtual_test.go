package bsd

import (
	"bytes"
	"context"
	"net/netip"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/cmd/internal/option"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/scheduler/virtual"
)

const ident = 0xd431

var (
	us     = netip.MustParseAddr("10.9.9.1")
	target = netip.MustParseAddr("10.2.2.2")
	r1     = netip.MustParseAddr("10.1.1.1")
	r1b    = netip.MustParseAddr("10.1.1.2")
	r2     = netip.MustParseAddr("10.1.2.1")
)

// hosts resolves what the tests ask for: addresses, and dst.
type hosts struct{ option.HostResolver }

func (h hosts) Lookup(ctx context.Context, name string, family int) ([]netip.Addr, error) {
	switch name {
	case "dst":
		return []netip.Addr{target}, nil
	case "many":
		return []netip.Addr{target, r2}, nil
	}
	return h.HostResolver.Lookup(ctx, name, family)
}

func (hosts) LookupCNAME(context.Context, string) (string, error) { return "dst.example.net.", nil }

// outcome is what a run left behind, times shown as X.
type outcome struct {
	stdout, stderr string
	code           int
	sent           []virtual.Sent
}

var roundTrip = regexp.MustCompile(`[0-9]+\.[0-9]{3} ms`)

// play runs a command line on a scripted path.
func play(t *testing.T, script virtual.Script, args ...string) outcome {
	t.Helper()
	return playOn(t, &virtual.Net{Respond: script.Respond}, args...)
}

func playOn(t *testing.T, net *virtual.Net, args ...string) outcome {
	t.Helper()
	return playASN(t, net, nil, args...)
}

func playASN(t *testing.T, net *virtual.Net, asn func(netip.Addr) string, args ...string) outcome {
	t.Helper()
	var out, err bytes.Buffer
	code := run(args, &out, &err, hosts{}, func(s *session) error {
		s.ident, s.asn = ident, asn
		s.names = func(a netip.Addr) string { return "gw.example.net" }
		return s.probe(context.Background(), parts{
			clock: net, sender: net, receiver: net, mtu: 1500, src: us,
		})
	})
	return outcome{roundTrip.ReplaceAllString(out.String(), "X ms"), err.String(), code, net.Sent}
}

// wants compares what was printed.
func (o outcome) wants(t *testing.T, stdout, stderr string) {
	t.Helper()
	if diff := cmp.Diff(stdout, o.stdout); diff != "" {
		t.Errorf("standard output (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(stderr, o.stderr); diff != "" {
		t.Errorf("standard error (-want +got):\n%s", diff)
	}
	if o.code != 0 {
		t.Errorf("exit code %d", o.code)
	}
}

func header(size string) string {
	return "traceroute to 10.2.2.2 (10.2.2.2), 30 hops max, " + size + " byte packets\n"
}

const ms = time.Millisecond

// exceeded is a router's answer.
func exceeded(from netip.Addr) virtual.Step {
	return virtual.Step{Kind: frame.KindTimeExceeded, From: from, After: ms}
}

// unreachable comes from the target, as the code says; 3 is an arrival.
func unreachable(code uint8) virtual.Step {
	return virtual.Step{Kind: frame.KindUnreachable, Code: code, After: ms}
}

func arrival(ttl uint8) virtual.Step {
	s := unreachable(3)
	s.TTL = ttl
	return s
}

// path is one router and then the target's answers.
func path(rest ...virtual.Step) virtual.Script {
	return virtual.Script{TTL: map[int][]virtual.Step{1: {exceeded(r1)}}, Rest: rest}
}
