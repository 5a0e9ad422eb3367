package trace

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/cmd/internal/output/text"
	"github.com/hopquote/hopquote/cmd/internal/wire"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/frame/link"
	"github.com/hopquote/hopquote/scheduler"
	"github.com/hopquote/hopquote/scheduler/hops"
)

func TestSmoke(t *testing.T) {
	n, err := lab.Open("line")
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	for _, dst := range []string{"192.168.120.20", "fd00:120::20", "127.0.0.1", "192.168.100.10", "::1"} {
		for _, m := range []frame.Method{frame.UDP, frame.ICMP, frame.TCP} {
			err = n.Host("h1").Do(func() error {
				w, err := wire.Open(wire.Config{Want: link.Want{Dst: netip.MustParseAddr(dst)}, Method: m, EchoID: 77, Ready: 100 * time.Millisecond})
				if err != nil {
					return err
				}
				defer w.Close()
				fmt.Printf("%+v\n", w.Envelope)
				out := text.New(os.Stdout, text.Config{Numeric: true})
				h, err := hops.New(hops.Config{First: 1, Last: 30, Queries: 3, Wait: hops.Wait{Max: 2 * time.Second, Here: 3, Near: 10}, Count: hops.CountPort,
					Probe:  frame.Probe{Method: m, Src: w.Envelope.Src, Dst: w.Envelope.Dst, Size: 80, DstPort: 33434, SrcPort: 77, Seq: 1, TCP: frame.TCPHeader{Flags: frame.FlagSYN}},
					Settle: func(s hops.Settled) { out.Probe(s) }})
				if m == frame.TCP {
					h, err = hops.New(hops.Config{First: 1, Last: 30, Queries: 3, Wait: hops.Wait{Max: 2 * time.Second, Here: 3, Near: 10}, Count: hops.CountNothing,
						Probe:  frame.Probe{Method: m, Src: w.Envelope.Src, Dst: w.Envelope.Dst, DstPort: 80, TCP: frame.TCPHeader{Flags: frame.FlagSYN}},
						Settle: func(s hops.Settled) { out.Probe(s) }})
				}
				if m == frame.ICMP {
					h, err = hops.New(hops.Config{First: 1, Last: 30, Queries: 3, Wait: hops.Wait{Max: 2 * time.Second, Here: 3, Near: 10}, Count: hops.CountSeq,
						Probe:  frame.Probe{Method: m, Src: w.Envelope.Src, Dst: w.Envelope.Dst, SrcPort: 77, Seq: 1, Size: 60},
						Settle: func(s hops.Settled) { out.Probe(s) }})
				}
				if err != nil {
					return err
				}
				e := scheduler.New(scheduler.Config{Strategy: h, Clock: scheduler.Monotonic{Epoch: w.Epoch}, Sender: w.Sender, Receiver: w.Ring,
					Identities: scheduler.NewFresh(w.Ports, rand.New(rand.NewPCG(1, 2)), nil), Link: w.Envelope.Header, MTU: w.Envelope.MTU, Window: 16})
				out.Header(dst, netip.MustParseAddr(dst), 30, 60)
				err = e.Run(context.Background())
				out.End()
				fmt.Printf("%+v\n", e.Counts())
				return err
			})
			if err != nil {
				t.Error(dst, m, err)
			}
		}
	}
}
