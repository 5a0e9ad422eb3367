package wire

import (
	"fmt"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/frame/link"
	"github.com/hopquote/hopquote/rx"
)

func TestMain(m *testing.M) { os.Exit(lab.RunTests(m)) }

// path is what the probes of a test cross, in lab's "line" of Linux hosts:
//
//	h1 .10 --- .20 r1 .10 --- .20 r2 .10 --- .20 h2
//	   192.168.100.0/24, 110.0/24, 120.0/24; fd00:100::/64, 110, 120
type path struct {
	r1, r2, target string
	over           frame.RouteKind // of a source route over r1 and r2; 0 for none
}

var (
	path4 = path{"192.168.100.20", "192.168.110.20", "192.168.120.20", 0}
	path6 = path{"fd00:100::20", "fd00:110::20", "fd00:120::20", 0}
)

func openLine(t *testing.T) *lab.Net {
	t.Helper()
	lab.Skip(t)
	n, err := lab.Open("line")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n
}

// TestEveryMethodCrossesLinux sends three probes of each method and family at
// once, to both routers and the target, and wants their answers.
func TestEveryMethodCrossesLinux(t *testing.T) {
	n := openLine(t)
	for m := frame.UDP; m <= frame.Raw; m++ {
		for _, p := range []path{path4, path6} {
			t.Run(fmt.Sprintf("%s/%s", m, p.target), func(t *testing.T) { p.cross(t, n, m) })
		}
	}
}

// TestSourceRouteCrossesLinux has every host on the way let source routes pass.
func TestSourceRouteCrossesLinux(t *testing.T) {
	n := openLine(t)
	for _, host := range []string{"h1", "r1", "r2", "h2"} {
		if err := n.Host(host).Sysctl("net/ipv4/conf/all/accept_source_route", "1"); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []struct{ host, device string }{{"r1", "veth1-r1"}, {"r1", "veth2-r1"}, {"r2", "veth1-r2"}, {"r2", "veth2-r2"}, {"h2", "veth1-h2"}} {
		// An interface needs its own value beside "all" (ip-sysctl).
		if err := n.Host(dir.host).Sysctl("net/ipv4/conf/"+dir.device+"/accept_source_route", "1"); err != nil {
			t.Fatal(err)
		}
	}
	for _, kind := range []frame.RouteKind{frame.LSRR, frame.LSRROnce} {
		for m := frame.UDP; m <= frame.Raw; m++ {
			p := path4
			p.over = kind
			t.Run(fmt.Sprintf("%s/kind %d", m, kind), func(t *testing.T) { p.cross(t, n, m) })
		}
	}
}

func (p path) cross(t *testing.T, n *lab.Net, m frame.Method) {
	const protocol, echoID = 253, 4711
	target := netip.MustParseAddr(p.target)
	route := frame.Route{}
	cfg := Config{Want: link.Want{Dst: target}, Method: m, EchoID: echoID, Protocol: protocol, Ready: 5 * time.Second}
	if p.over != 0 {
		gateways := []netip.Addr{netip.MustParseAddr(p.r1), netip.MustParseAddr(p.r2)}
		var err error
		if route, err = frame.NewRoute(p.over, gateways); err != nil {
			t.Fatal(err)
		}
		cfg.Want.Dst, cfg.Target = gateways[0], target
	}
	var w *Wire
	if err := n.Host("h1").Do(func() (err error) { w, err = Open(cfg); return err }); err != nil {
		t.Fatal(err)
	}
	defer w.Close()

	table := rx.NewTable(3)
	for tag := range 3 {
		probe := frame.Probe{
			Method: m, Src: w.Envelope.Src, Dst: target, TTL: uint8(tag + 1), ID: uint16(100 + tag), Label: uint32(100 + tag),
			SrcPort: echoID, DstPort: 33434, Seq: uint32(7 + tag), Protocol: protocol, Route: route,
			Service: frame.DefaultService, TCP: frame.TCPHeader{Flags: frame.FlagSYN, Window: 5840},
		}
		probe.Size = probe.HeaderLen()
		if m != frame.TCP && m != frame.DCCP {
			probe.Size += 32
		}
		if w.Ports != nil {
			if err := n.Host("h1").Do(func() (err error) { probe.SrcPort, err = w.Ports.Hold(); return err }); err != nil {
				t.Fatal(err)
			}
		}
		tmpl, err := frame.NewTemplate(w.Envelope.Header, &probe)
		if err != nil {
			t.Fatal(err)
		}
		f := make([]byte, tmpl.Len())
		tmpl.Put(f, &probe)
		table.Add(tag, &probe, time.Since(w.Epoch))
		if n, err := w.Sender.Send([][]byte{f}); n != 1 || err != nil {
			t.Fatalf("sent %d, %v", n, err)
		}
	}

	got := map[int]string{}
	for deadline := time.Since(w.Epoch) + 10*time.Second; len(got) < 3 && time.Since(w.Epoch) < deadline; {
		if err := w.Receiver.Wait(deadline); err != nil {
			t.Fatal(err)
		}
		err := w.Receiver.Drain(func(pkt *rx.Packet) {
			var r frame.Reply
			var match rx.Match
			frame.Decode(pkt.Data, w.Envelope.Header.Type, pkt.Offloaded, &r)
			if table.Match(&r, pkt.At, &match); !match.Verdict.Attributed() {
				t.Errorf("stray of kind %d from %v: %v", r.Kind, r.From, match.Reason)
				return
			}
			if match.Verdict != rx.Exact {
				t.Errorf("%v, diff %v", match.Verdict, match.Flags)
			}
			got[match.Tag] = r.From.String()
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for tag, want := range []string{p.r1, p.r2, p.target} {
		if got[tag] != want {
			t.Errorf("TTL %d is answered by %q, want %s", tag+1, got[tag], want)
		}
	}
}
