package virtual

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
)

// sample is a probe of the method, over gateways if there are any.
func sample(t *testing.T, m frame.Method, v6 bool, gateways ...netip.Addr) frame.Probe {
	t.Helper()
	p := frame.Probe{
		Method: m, Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("198.51.100.7"), TTL: 1, ID: 7,
		SrcPort: 40000, DstPort: 33434, Seq: 99,
	}
	kind := frame.LSRR
	if v6 {
		kind = frame.Routing0
		p.Src, p.Dst = netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8:7::7")
		p.ID, p.Label = 0, 7
	}
	switch m {
	case frame.UDP, frame.UDPLite:
		p.Seq = 0
	case frame.ICMP:
		p.DstPort = 0
	case frame.Raw:
		p.SrcPort, p.DstPort, p.Seq, p.Protocol = 0, 0, 0, 253
	}
	if len(gateways) > 0 {
		route, err := frame.NewRoute(kind, gateways)
		if err != nil {
			t.Fatal(err)
		}
		p.Route = route
	}
	p.Size = p.HeaderLen()
	return p
}

// Every method's probe reaches the script, whose error and answer lead back to
// it.
func TestScriptOfEveryMethod(t *testing.T) {
	answers := map[frame.Method]frame.Kind{
		frame.UDP: frame.KindUDP, frame.ICMP: frame.KindEchoReply, frame.TCP: frame.KindTCP,
		frame.UDPLite: frame.KindUDPLite, frame.DCCP: frame.KindDCCP, frame.Raw: frame.KindRaw,
	}
	for m, kind := range answers {
		for _, v6 := range []bool{false, true} {
			router := netip.MustParseAddr("203.0.113.9")
			if v6 {
				router = netip.MustParseAddr("2001:db8:9::9")
			}
			for _, gateways := range [][]netip.Addr{nil, {router, router.Next()}} {
				t.Run(fmt.Sprintf("%s/%t/%d gateways", m, v6, len(gateways)), func(t *testing.T) {
					script := &Script{TTL: map[int][]Step{1: {{Kind: frame.KindTimeExceeded, From: router}}}, Rest: []Step{{Kind: kind}}}
					net := &Net{Respond: script.Respond}
					table := rx.NewTable(2)
					first := sample(t, m, v6, gateways...)
					second := first
					second.TTL = 2
					if m.HasPorts() || m == frame.ICMP {
						second.SrcPort++
					} else {
						second.ID, second.Label = 8, 8
					}
					for tag, p := range []*frame.Probe{&first, &second} {
						tmpl, err := frame.NewTemplate(frame.Link{}, p)
						if err != nil {
							t.Fatal(err)
						}
						f := make([]byte, tmpl.Len())
						tmpl.Put(f, p)
						table.Add(tag, p, 0)
						if n, err := net.Send([][]byte{f}); n != 1 || err != nil {
							t.Fatalf("sent %d, %v", n, err)
						}
					}
					tag := 0
					err := net.Drain(func(pkt *rx.Packet) {
						var r frame.Reply
						var got rx.Match
						frame.Decode(pkt.Data, frame.LinkRaw, false, &r)
						table.Match(&r, time.Millisecond, &got)
						want := []frame.Kind{frame.KindTimeExceeded, kind}[tag]
						if got.Tag != tag || got.Verdict != rx.Exact || r.Kind != want {
							t.Errorf("reply %d of kind %d is %v (%v) for tag %d", tag, r.Kind, got.Verdict, got.Reason, got.Tag)
						}
						tag++
					})
					if err != nil || tag != 2 {
						t.Errorf("%d replies, %v", tag, err)
					}
				})
			}
		}
	}
}
