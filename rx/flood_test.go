package rx

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/hopquote/hopquote/frame"
)

// sameFlow is n probes in flight that share their addresses and ports, as --sport
// with a constant port makes them, in a table or a ledger.
func sameFlow(t testing.TB, f family, m frame.Method, n int, where string, seed uint64) *scene {
	r := rand.New(rand.NewPCG(seed, uint64(n)))
	s := &scene{f: f, m: m}
	if where == "ledger" {
		slots := 64
		for slots < 2*n {
			slots *= 2
		}
		l, err := NewLedger(LedgerConfig{Key: [8]byte{9, 8, 7, byte(seed), byte(seed >> 8)}, Timeout: patience, Slots: slots, IPv6: f.local.Is6()})
		if err != nil {
			t.Fatal(err)
		}
		s.book = l
		s.match = func(r *frame.Reply, m *Match) { l.Match(r, sent+rtt, m) }
		for i := range n {
			p := f.keyed(t, m, f.target, uint8(1+i%30))
			s.wire = l.send(t, i, &p, sent)
			s.probe = p
		}
		return s
	}
	s.table = NewTable(n)
	s.match = func(r *frame.Reply, m *Match) { s.table.Match(r, sent+rtt, m) }
	for i := range n {
		p := f.sampleProbe(m, 0)
		p.TTL = uint8(1 + i%30)
		p.Conceal()
		p.Sum, p.Mark, p.ID, p.Seq = uint16(1+r.Uint32N(0xfffe)), r.Uint32(), uint16(r.Uint32()), r.Uint32()
		s.table.Add(i, &p, sent)
		s.probe = p
		if i == n-1 {
			s.wire = onWire(t, &p)
		}
	}
	return s
}

// oneFlowForgeries are those and what rewrites as a NAT or translator does.
var oneFlowForgeries = append([]forgery{
	{"source changed, checksum zero, identification guessed", func(r *rand.Rand, q []byte, header int, m frame.Method) []byte {
		guess(r, q, header, m)
		setAddr(q, 12, 8, map[int]family{20: ipv4, 40: ipv6}[header].other)
		binary.BigEndian.PutUint16(q[header+sumAt(m):], 0)
		return q
	}},
	{"ports changed, the rest guessed", func(r *rand.Rand, q []byte, header int, m frame.Method) []byte {
		guess(r, q, header, m)
		q[header+1], q[header+3] = q[header+1]^1, q[header+3]^1
		return q
	}},
	{"identification one more, checksum guessed", func(r *rand.Rand, q []byte, header int, m frame.Method) []byte {
		guess(r, q, header, m)
		return put16(4, binary.BigEndian.Uint16(q[4:])+1)(nil, q)
	}},
}, forgeries...)

// flooded gives how many of n look-alikes are taken for a probe.
func flooded(t testing.TB, s *scene, forge *forgery, n int, seed uint64) (taken int) {
	r := rand.New(rand.NewPCG(seed, 7))
	var got Match
	var reply frame.Reply
	var quote []byte
	for range n {
		quote = append(quote[:0], s.wire...)
		if s.f.local.Is4() {
			quote[8] = 1
		} else {
			quote[7] = 1
		}
		reply = s.exceeded(t, mend(forge.make(r, quote, s.header(), s.m)))
		s.match(&reply, &got)
		if got.Verdict.Attributed() {
			taken++
		}
	}
	return taken
}

// TestFloodOfOneFlow has hundreds and thousands of probes in one flow, of which
// a guess is as good for each: 16 bits alone are then no proof, and the weak rules
// rest from the first look-alike on. Of 32 bits, some are guessed in the end, by
// odds of one in 12 for the whole test: the seeds are such that none is.
func TestFloodOfOneFlow(t *testing.T) {
	const flood = 1000
	for _, where := range []string{"table", "ledger"} {
		for _, probes := range []int{mostAlike + 1, 1000, 5000} {
			for seed := range uint64(3) {
				for k := range oneFlowForgeries {
					s := sameFlow(t, ipv4, frame.UDP, probes, where, seed)
					forge := &oneFlowForgeries[k]
					if n := flooded(t, s, forge, flood, seed); n != 0 {
						t.Errorf("%s, %d probes in a %s: %d of %d taken", forge.name, probes, where, n, flood)
					}
					reply := s.exceeded(t, mend(s.wire))
					var got Match
					if s.match(&reply, &got); got.Verdict != Exact || got.Tag != probes-1 {
						t.Errorf("%s, %d probes in a %s: the good reply is %v (%v)", forge.name, probes, where, got.Verdict, got.Reason)
					}
				}
			}
		}
	}
}

// BenchmarkLookAlikes tells how many look-alikes are taken for a probe, of which
// so many are in flight in one flow; 1000000x is the number that the README tells.
func BenchmarkLookAlikes(b *testing.B) {
	for _, where := range []string{"table", "ledger"} {
		for _, probes := range []int{1, 100, 1000, 5000} {
			for k := range oneFlowForgeries {
				b.Run(fmt.Sprintf("%s/%d/%s", where, probes, oneFlowForgeries[k].name), func(b *testing.B) {
					s := sameFlow(b, ipv4, frame.UDP, probes, where, 1)
					b.ReportAllocs()
					b.ResetTimer()
					b.ReportMetric(float64(flooded(b, s, &oneFlowForgeries[k], b.N, 2)), "taken")
				})
			}
		}
	}
}
