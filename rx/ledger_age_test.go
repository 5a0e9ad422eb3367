package rx

import (
	"testing"
	"time"

	"github.com/hopquote/hopquote/frame"
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
	if l.Match(&r, sent+patience, &m); m.Verdict != Stray {
		t.Errorf("%v for tag %d, want a stray", m.Verdict, m.Tag)
	}
	// The same half of a token that never was whole is that probe's.
	r = quoted(t, ipv4.router, ipv4.local, setID(wire, 0), 28)
	if l.Match(&r, sent+patience, &m); m.Verdict != Late || m.Diff.Rewrites() != ID {
		t.Errorf("%v (%v), rewritten %v; want late, id", m.Verdict, m.Reason, m.Diff)
	}
}

func TestLedgerFlowLabel(t *testing.T) {
	l := newLedger(t, 8, true)
	p := ipv6.keyed(t, frame.UDP, ipv6.target, 5)
	wire := l.send(t, 0, &p, sent)
	wire[3]++
	for length, want := range map[int]Verdict{48: Stray, 52: Rewritten} {
		r := quoted(t, ipv6.router, ipv6.local, wire, length)
		var m Match
		if l.Match(&r, sent+rtt, &m); m.Verdict != want {
			t.Errorf("another label in a quote of %d bytes: %v (%v), want %v", length, m.Verdict, m.Reason, want)
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
