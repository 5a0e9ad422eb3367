package link_test

import (
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/frame/link"
)

func TestMain(m *testing.M) { os.Exit(lab.RunTests(m)) }

// openLine opens the topology "line" for one test:
//
//	h1 veth1-h1 .10 --- .20 veth1-r1 r1 veth2-r1 .10 --- .20 veth1-r2 r2 veth2-r2 .10 --- .20 veth1-h2 h2
//	   192.168.100.0/24              192.168.110.0/24               192.168.120.0/24
//	   fd00:100::/64                 fd00:110::/64                  fd00:120::/64
func openLine(t testing.TB) *lab.Net {
	t.Helper()
	lab.Skip(t)
	n, err := lab.Open("line")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n
}

// in runs f inside the host's namespace.
func in(t testing.TB, h *lab.Host, f func() error) {
	t.Helper()
	if err := h.Do(f); err != nil {
		t.Fatal(err)
	}
}

// ip runs iproute2's ip inside the host, for what lab does not offer.
func ip(t testing.TB, h *lab.Host, args string) {
	t.Helper()
	path, err := exec.LookPath("ip")
	if err != nil {
		t.Skip("needs the program ip (iproute2)")
	}
	var out strings.Builder
	cmd := exec.Command(path, strings.Fields(args)...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := h.Start(cmd); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("ip %s: %v: %s", args, err, out.String())
	}
}

func addr(s string) netip.Addr {
	if s == "" {
		return netip.Addr{}
	}
	return netip.MustParseAddr(s)
}

// lookup looks up inside the host and must succeed.
func lookup(t testing.TB, h *lab.Host, w link.Want) link.Envelope {
	t.Helper()
	var e link.Envelope
	in(t, h, func() (err error) { e, err = link.Lookup(w); return err })
	return e
}

// openSender opens a sender inside the host and closes it with the test.
func openSender(t testing.TB, h *lab.Host, e link.Envelope, c link.SenderConfig) *link.Sender {
	t.Helper()
	var s *link.Sender
	in(t, h, func() (err error) { s, err = link.OpenSender(e, c); return err })
	t.Cleanup(func() { s.Close() })
	return s
}
