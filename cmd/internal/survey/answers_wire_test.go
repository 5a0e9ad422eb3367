package survey

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/frame"
)

// readWire reads who answered which probe, and after how long, out of the frames.
// Services say which TTL the probe had.
func readWire(t *testing.T, file string, m frame.Method) map[point]answer {
	t.Helper()
	type sent struct {
		ttl int
		at  int64
	}
	type back struct {
		key  string
		dst  netip.Addr
		ttl  int // where the answer tells
		at   int64
		what answer
	}
	probes, byTTL := map[string]sent{}, map[point]int64{}
	var list []back
	for ip, at := range packetsIn(t, file) {
		if flow, ok := internet.FlowOf(ip); ok && (flow.Src == prober4 || flow.Src == prober6) {
			dst, ttl := addressAt(ip, true), ttlOf(ip)
			probes[identityOf(ip, dst, m)] = sent{ttl, at}
			byTTL[point{dst: dst, ttl: ttl}] = at
			continue
		}
		var reply frame.Reply
		frame.Decode(ip, frame.LinkRaw, true, &reply)
		b := back{dst: reply.From, at: at, what: answer{from: reply.From, kind: record.KindName(reply.Kind)}}
		transport := ip[headerOf(ip):]
		switch {
		case reply.Kind.IsError():
			quote := transport[8:]
			b.dst, b.what.code = reply.Quote.Dst, int(reply.Code)
			b.key = identityOf(quote, b.dst, m)
		case reply.Kind == frame.KindUDP:
			b.ttl = int(transport[8])
		case reply.Kind == frame.KindTCP:
			b.what.code = int(reply.Flags)
			seq := reply.Ack - 1
			if reply.Flags&frame.FlagACK == 0 {
				seq = reply.Seq
			}
			b.key = identity(b.dst, binary.BigEndian.AppendUint32(nil, seq))
		default:
			b.key = identityOf(ip, b.dst, m)
		}
		list = append(list, b)
	}
	got := map[point]answer{}
	for _, b := range list { // a reply may stand before its probe
		p := point{dst: b.dst, ttl: b.ttl}
		at, ok := byTTL[p]
		if b.ttl == 0 {
			s, known := probes[b.key]
			p.ttl, at, ok = s.ttl, s.at, known
		}
		if _, again := got[p]; !ok || again {
			t.Fatalf("%+v: to no probe, or a second one", b)
		}
		b.what.rtt = time.Duration(b.at - at)
		got[p] = b.what
	}
	return got
}

var prober4, prober6 = netip.MustParseAddr("10.99.0.1"), netip.MustParseAddr("fd99::1")

func headerOf(ip []byte) int {
	if ip[0]>>4 == 6 {
		return 40
	}
	return 20
}

func ttlOf(ip []byte) int {
	if ip[0]>>4 == 6 {
		return int(ip[7])
	}
	return int(ip[8])
}

func addressAt(ip []byte, dst bool) netip.Addr {
	at4, at6 := 12, 8
	if dst {
		at4, at6 = 16, 24
	}
	if ip[0]>>4 == 6 {
		return netip.AddrFrom16([16]byte(ip[at6:]))
	}
	return netip.AddrFrom4([4]byte(ip[at4:]))
}

// identityOf is what tells a probe in all of its quotes and echo replies from
// others to its target.
func identityOf(ip []byte, dst netip.Addr, m frame.Method) string {
	b := ip[headerOf(ip):]
	if m == frame.TCP {
		return identity(dst, b[4:8])
	}
	id := append([]byte(nil), b[6:8]...) // the checksum, or the sequence
	if dst.Is4() {
		id = append(id, ip[4:6]...)
	}
	return identity(dst, id)
}

func identity(dst netip.Addr, b []byte) string { return dst.String() + " " + string(b) }
