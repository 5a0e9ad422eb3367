package trace

import (
	"bytes"
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hopquote/hopquote/bench/lab"
)

// loseAfter calls f, once, when a text has been written.
type loseAfter struct {
	bytes.Buffer
	text string
	f    func()
}

func (l *loseAfter) Write(p []byte) (int, error) {
	n, err := l.Buffer.Write(p)
	if l.f != nil && strings.Contains(l.String(), l.text) {
		f := l.f
		l.f = nil
		f()
	}
	return n, err
}

// TestLostNetworkLeavesNothing runs in this process, over
//
//	h1 veth1-h1 .10 --- 192.168.100.0/24 --- .20 r1 --- … --- 192.168.120.20 h2
//
// with silence behind r1, takes the network away after the first hop, and
// looks for goroutines that are left.
func TestLostNetworkLeavesNothing(t *testing.T) {
	lab.Skip(t)
	for _, tt := range []struct {
		name string
		args string
		lose func(n *lab.Net) error
		want string
	}{
		{"down", "", func(n *lab.Net) error { return n.Host("h1").SetLink("veth1-h1", false) }, "interface veth1-h1 went down"},
		{"removed", "-T", func(n *lab.Net) error { return n.Host("r1").DeleteLink("veth1-r1") }, "interface veth1-h1 was removed"},
		{"address", "-I", func(n *lab.Net) error {
			return n.Host("h1").DeleteAddress("veth1-h1", netip.MustParsePrefix("192.168.100.10/24"))
		}, "source address 192.168.100.10 was removed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n, err := lab.Open("line")
			if err != nil {
				t.Fatal(err)
			}
			defer n.Close()
			silence := lab.Route{Dst: netip.MustParsePrefix("192.168.120.20/32"), Type: lab.Blackhole}
			if err := n.Host("r2").AddRoute(silence); err != nil {
				t.Fatal(err)
			}
			before := goleak.IgnoreCurrent()
			args := append([]string{"-n", "-w", "20", "--pcap=" + t.TempDir() + "/out"}, strings.Fields(tt.args)...)
			opts, argv := parse(t, append(args, "192.168.120.20")...)
			var stderr bytes.Buffer
			out := &loseAfter{text: "192.168.100.20", f: func() {
				if err := tt.lose(n); err != nil {
					t.Error(err)
				}
			}}
			start := time.Now()
			err = n.Host("h1").Do(func() error {
				r, err := newRun(opts, argv, Std{Out: out, Err: &stderr})
				if err != nil {
					return err
				}
				r.drop = func() error { return nil } // this process needs its capabilities
				ctx, stop := context.WithCancelCause(t.Context())
				defer stop(nil)
				if code := r.do(ctx, stop); code != exitFailed {
					t.Errorf("exit code %d", code)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if got, want := stderr.String(), "\n"+tt.want+"\n"; got != want {
				t.Errorf("stderr %q, want %q", got, want)
			}
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("took %v", took)
			}
			if err := goleak.Find(before); err != nil {
				t.Error(err)
			}
		})
	}
}
