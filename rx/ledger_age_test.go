package rx

import (
	"testing"
	"time"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx/anomaly"
)

// The token of a probe whose slot was taken again is whole, so that half of it
// is no reason to take the reply for another's.
func TestLedgerForgottenProbe(t *testing.T) {
	l := newLedger(t, 8, false)
	old := ipv4.keyed(t, frame.UDP, ipv4.target, 5)
	wire := l.send(t, 0, &old, sent)
	for tag := 1; ; tag++ {
		p := ipv4.keyed(t, frame.UDP, ipv4.target, 6)
		ticket, err := l.Take(tag, &p, false)
		if err != nil {
			t.Fatal(err)
		}
		l.Enter(ticket, tag, &p, sent)
		l.Overdue(sent+patience, nil)
		if tag >= 8 && p.Sum == old.Sum {
			break
		}
	}
	r := quoted(t, ipv4.router, ipv4.local, wire, 28)
	var m Match
	if l.Match(&r, sent+patience, &m); m.Verdict != Foreign {
		t.Errorf("%v for tag %d, want foreign", m.Verdict, m.Tag)
	}
	// The same half of a token that never was whole is that probe's.
	r = quoted(t, ipv4.router, ipv4.local, setID(wire, 0), 28)
	if l.Match(&r, sent+patience, &m); m.Verdict != Late || m.Flags&anomaly.Rewrites != anomaly.IDZero {
		t.Errorf("%v (%v), rewritten %v; want late, id", m.Verdict, m.Reason, m.Flags)
	}
}

// Half a token under another flow label is enough for a probe that is alone in
// its flow.
func TestLedgerFlowLabel(t *testing.T) {
	for _, c := range []struct {
		probes, length int
		want           Verdict
	}{{1, 48, Rewritten}, {2, 48, Spoofed}, {2, 52, Rewritten}} {
		l := newLedger(t, 8, true)
		var wire []byte
		for tag := range c.probes {
			p := ipv6.keyed(t, frame.UDP, ipv6.target, 5)
			wire = l.send(t, tag, &p, sent)
		}
		wire[3]++
		r := quoted(t, ipv6.router, ipv6.local, wire, c.length)
		var m Match
		if l.Match(&r, sent+rtt, &m); m.Verdict != c.want {
			t.Errorf("another label in a quote of %d bytes, %d in flight: %v (%v), want %v", c.length, c.probes, m.Verdict, m.Reason, c.want)
		}
	}
}

// Slots hold the low bits of the send time only.
func TestLedgerTimes(t *testing.T) {
	l := newLedger(t, 8, false)
	for tag, at := range []time.Duration{0, time.Second, 77 * time.Hour, 79 * time.Hour, 10000 * time.Hour} {
		p := ipv4.keyed(t, frame.UDP, ipv4.target, 5)
		wire := l.send(t, tag, &p, at)
		if due := l.Overdue(at, nil); due != at+patience {
			t.Errorf("sent at %v and due at %v", at, due)
		}
		r := quoted(t, ipv4.router, ipv4.local, wire, 28)
		for _, d := range []time.Duration{10 * time.Second, 30 * time.Hour, -time.Microsecond} {
			var m Match
			if l.Match(&r, at+d, &m); m.RTT != max(d, 1) || m.Origin.Sent != at {
				t.Errorf("sent at %v, answered %v later: RTT %v, sent %v", at, d, m.RTT, m.Origin.Sent)
			}
		}
	}
}

// Probes that left since the index was last asked for are found all the same,
// also where more of them left than there are slots.
func TestLedgerIndexBehind(t *testing.T) {
	for _, between := range []int{1, 5, 8, 9, 100} {
		l := newLedger(t, 8, false)
		var wires [][]byte
		for tag := range 3 * between {
			p := ipv4.keyed(t, frame.UDP, ipv4.target, uint8(tag%30+1))
			wires = append(wires, l.send(t, tag, &p, sent))
			if tag%between != between-1 {
				l.Overdue(sent+patience, nil)
				continue
			}
			// Half a token, so that the destination must lead to the probe: the newest
			// and the oldest that there is a slot for.
			for _, of := range []int{tag, max(0, tag-7)} {
				r := quoted(t, ipv4.router, ipv4.local, setID(wires[of], 0), 28)
				var m Match
				if l.Match(&r, sent+rtt, &m); m.Tag != of {
					t.Fatalf("%d between, probe %d of %d: %v for tag %d (%v)", between, of, tag+1, m.Verdict, m.Tag, m.Reason)
				}
			}
		}
	}
}
