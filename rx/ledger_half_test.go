package rx

import (
	"testing"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx/anomaly"
)

// What bad quoting and rewriting leave of a token is enough where one probe fits.
func TestLedgerBlurredQuotes(t *testing.T) {
	l := newLedger(t, 64, false)
	p := ipv4.keyed(t, frame.UDP, ipv4.target, 7)
	other := ipv4.keyed(t, frame.UDP, ipv4.target, 8)
	wire := l.send(t, 7, &p, sent)
	l.send(t, 8, &other, sent)
	for _, c := range []struct {
		name  string
		wire  []byte
		flags anomaly.Flag
	}{
		{"identification zero", setID(wire, 0), anomaly.IDZero},
		{"identification swapped", setID(wire, p.ID>>8|p.ID<<8), anomaly.IDSwapped},
		{"identification one more", setID(wire, p.ID+1), anomaly.IDPlusOne},
		{"no checksum", func() []byte {
			b := setID(wire, p.ID)
			b[26], b[27] = 0, 0
			return b
		}(), anomaly.ChecksumZero},
	} {
		r := quoted(t, ipv4.router, ipv4.local, c.wire, 28)
		var m Match
		l.Match(&r, sent+rtt, &m)
		if m.Tag != 7 || m.Flags&anomaly.Rewrites != c.flags {
			t.Errorf("%s: %v (%v) for tag %d, rewritten %v; want tag 7, %v", c.name, m.Verdict, m.Reason, m.Tag, m.Flags, c.flags)
		}
	}
}

// Two probes that half a token fits are as good as none.
func TestLedgerAmbiguous(t *testing.T) {
	l := newLedger(t, 1<<17, false)
	seen := map[uint16]bool{}
	p := ipv4.keyed(t, frame.UDP, ipv4.target, 5)
	for tag := range mostAlike - 1 {
		l.send(t, tag, &p, sent)
		seen[p.ID] = true
	}
	// They rarely share the upper half of a token; leave out all that share none.
	for shared := false; !shared; {
		ticket, err := l.Take(100, &p, false)
		if err != nil {
			t.Fatal(err)
		}
		if shared = seen[p.ID]; shared {
			l.Enter(ticket, 100, &p, sent)
		}
	}
	wire := onWire(t, &p)
	wire[26], wire[27] = 0, 0 // no checksum: the lower half is not there
	r := quoted(t, ipv4.router, ipv4.local, wire, 28)
	var m Match
	l.Match(&r, sent+rtt, &m)
	if m.Verdict != Ambiguous || m.Reason != ReasonAmbiguous {
		t.Errorf("%v (%v), want ambiguous", m.Verdict, m.Reason)
	}
	r = quoted(t, ipv4.router, ipv4.local, onWire(t, &p), 28)
	l.Match(&r, sent+rtt, &m)
	if m.Verdict != Exact || m.Tag != 100 {
		t.Errorf("with a whole token: %v (%v) for tag %d, want exact for 100", m.Verdict, m.Reason, m.Tag)
	}
}

// Of a flow over IPv6 every probe is told by the lower half of its token, those
// that leave in one batch too.
func TestLedgerLowerHalves(t *testing.T) {
	const flows, batch = 80, 50
	for _, m := range []frame.Method{frame.UDP, frame.ICMP} {
		l := newLedger(t, 1<<15, true)
		left := 0
		for flow := range flows {
			p := ipv6.keyed(t, m, ipv6.target, 5)
			p.SrcPort = uint16(flow + 1)
			// A flow of as many as one walk looks at, many times over.
			seen := map[uint32]bool{}
			for range maxWalk / batch {
				var tickets [batch]Ticket
				var probes [batch]frame.Probe
				for i := range batch {
					var err error
					if tickets[i], err = l.Take(left+i, &p, false); err != nil {
						t.Fatal(err)
					}
					probes[i] = p
					if half := lowHalf(&p); seen[half] {
						t.Fatalf("%s: two probes of a flow share the lower half %#x", m, half)
					} else {
						seen[half] = true
					}
				}
				for i := range batch {
					l.Enter(tickets[i], left+i, &probes[i], sent)
				}
				left += batch
			}
			l.Overdue(sent+patience, nil)
		}
		for _, word := range l.pending {
			if word != 0 {
				t.Fatalf("%s: a half of a probe that left is still reserved", m)
			}
		}
	}
}
