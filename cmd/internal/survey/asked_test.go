package survey

import (
	"errors"
	"io"
	"iter"
	"net/netip"
	"testing"

	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/cmd/internal/capturefile"
	"github.com/hopquote/hopquote/frame"
)

// packetsIn reads the packets out of the output "pcapng", from their IP header on,
// with their times in nanoseconds.
func packetsIn(t *testing.T, file string) iter.Seq2[[]byte, int64] {
	t.Helper()
	return func(yield func([]byte, int64) bool) {
		r, err := capturefile.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		for {
			var p capturefile.Packet
			if err := r.Next(&p); errors.Is(err, io.EOF) {
				return
			} else if err != nil {
				t.Fatal(err)
			}
			if ip, _ := p.IP(); !yield(ip, p.At) {
				return
			}
		}
	}
}

// asked are the probes that left in a survey of one attempt, by the frames
// themselves.
type asked struct {
	flows map[point]internet.Flow // by the probes
	of    map[netip.Addr][]internet.Flow
}

// readAsked reads the probes out of the output "pcapng" of a survey by a method.
// Flows are told apart, and numbered, by what they do not share: the source port,
// or the checksum of ICMP.
func readAsked(t *testing.T, file string, m frame.Method) asked {
	t.Helper()
	type sent struct {
		dst  netip.Addr
		ttl  int
		flow internet.Flow
	}
	var list []sent
	first := uint32(1 << 31)
	for ip := range packetsIn(t, file) {
		flow, ok := internet.FlowOf(ip)
		if !ok || flow.Src != prober4 && flow.Src != prober6 {
			continue // a reply
		}
		list = append(list, sent{addressAt(ip, true), ttlOf(ip), flow})
		first = min(first, head(flow, m))
	}
	a := asked{map[point]internet.Flow{}, map[netip.Addr][]internet.Flow{}}
	for _, s := range list {
		p := point{s.dst, s.ttl, int(head(s.flow, m) - first)}
		if _, ok := a.flows[p]; ok {
			t.Errorf("%v was asked twice", p)
		}
		a.flows[p] = s.flow
		for len(a.of[s.dst]) <= p.flow {
			a.of[s.dst] = append(a.of[s.dst], internet.Flow{})
		}
		if was := &a.of[s.dst][p.flow]; was.Head == 0 {
			*was = s.flow
		} else if *was != s.flow {
			t.Errorf("%v: a flow changed from %+v to %+v", p, *was, s.flow)
		}
	}
	return a
}

// head is what flows differ in.
func head(f internet.Flow, m frame.Method) uint32 {
	if m == frame.ICMP {
		return f.Head & 0xffff
	}
	return f.Head >> 16
}
