package rx

import (
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/hopquote/hopquote/frame"
)

// inFlightProbe is a probe of a crowd, as it left.
type inFlightProbe struct {
	probe frame.Probe
	wire  []byte
	f     family
}

// crowded fills a table and a ledger with probes of every method that share
// targets, and in part ports.
func crowded(t *testing.T, seed uint64) (table, ledger []inFlightProbe, match [2]func(*frame.Reply, *Match)) {
	r := rand.New(rand.NewPCG(seed, 1))
	tb := NewTable(64)
	tb.Whole = seed%2 == 0
	l, err := NewLedger(LedgerConfig{Key: [8]byte{byte(seed), 3}, Timeout: patience, Slots: 256, IPv6: true})
	if err != nil {
		t.Fatal(err)
	}
	for tag := range 64 {
		f := [...]family{ipv4, ipv6}[tag%2]
		m := [...]frame.Method{frame.UDP, frame.ICMP, frame.TCP, frame.UDPLite}[tag/2%4]
		p := concealed(f, m, uint8(1+tag/8), r)
		if p.SrcPort += uint16(tag / 8 % 2); p.Method == frame.ICMP {
			p.Seq = uint32(tag)
		}
		tb.Add(tag, &p, sent)
		table = append(table, inFlightProbe{p, onWire(t, &p), f})
		k := f.keyed(t, m, f.target, uint8(1+tag/8))
		ledger = append(ledger, inFlightProbe{k, l.send(t, tag, &k, sent), f})
		ledger[tag].probe = k
	}
	return table, ledger, [2]func(*frame.Reply, *Match){
		func(r *frame.Reply, m *Match) { tb.Match(r, sent+rtt, m) },
		func(r *frame.Reply, m *Match) { l.Match(r, sent+rtt, m) },
	}
}

// Whatever is done to a quote on its way, it is the probe's that caused it or
// nobody's.
func TestNeverAnothers(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		table, ledger, match := crowded(t, rapid.Uint64Range(0, 1<<20).Draw(rt, "seed"))
		for range 20 {
			which := rapid.IntRange(0, 1).Draw(rt, "ledger")
			tag := rapid.IntRange(0, 63).Draw(rt, "tag")
			p := [][]inFlightProbe{table, ledger}[which][tag]
			q := append([]byte(nil), p.wire...)
			for range rapid.IntRange(0, 5).Draw(rt, "edits") {
				at := rapid.IntRange(0, len(q)-1).Draw(rt, "at")
				switch rapid.IntRange(0, 3).Draw(rt, "how") {
				case 0:
					q[at] = rapid.Byte().Draw(rt, "byte")
				case 1:
					q[at] = 0
				case 2:
					q[at]++
				default:
					other := rapid.IntRange(0, len(q)-1).Draw(rt, "with")
					q[at], q[other] = q[other], q[at]
				}
			}
			n := rapid.IntRange(0, len(q)).Draw(rt, "quoted")
			if rapid.Bool().Draw(rt, "mended") && len(q) >= 20 {
				mend(q)
			}
			r := quoted(t, p.f.router, p.f.local, q, n)
			var m Match
			match[which](&r, &m)
			if m.Verdict.Attributed() && m.Tag != tag {
				rt.Fatalf("a quote of probe %d is %v by %v (%v) for probe %d: % x", tag, m.Verdict, m.Rule, m.Evidence, m.Tag, q[:n])
			}
		}
	})
}
