package rx

import (
	"testing"
	"time"

	"github.com/hopquote/hopquote/frame"
)

// A ledger beside others takes quotes whose source port is not the probe's where
// they bring enough back that nobody can guess, and no others.
func TestLedgerShared(t *testing.T) {
	translated := func(b []byte) []byte {
		b = append([]byte(nil), b...)
		copy(b[12:], []byte{192, 0, 2, 7})
		b[20], b[21] = 61000>>8, 61000&0xff
		return b
	}
	for _, c := range []struct {
		name          string
		quote         func(wire []byte) []byte
		alone, shared Verdict
	}{
		{"translated", translated, Rewritten, Rewritten},
		{"translated, no checksum", func(b []byte) []byte {
			b = translated(b)
			b[26], b[27] = 0, 0
			return b
		}, Rewritten, Foreign},
		{"no ports", func(b []byte) []byte { return b[:20] }, Truncated, Foreign},
		{"own port, no checksum", func(b []byte) []byte {
			b = append([]byte(nil), b...)
			b[26], b[27] = 0, 0
			return b
		}, Rewritten, Rewritten},
	} {
		for _, shared := range []bool{false, true} {
			l, err := NewLedger(LedgerConfig{Key: [8]byte{5}, Timeout: time.Second, Slots: 8, Shared: shared})
			if err != nil {
				t.Fatal(err)
			}
			p := ipv4.keyed(t, frame.UDP, ipv4.target, 7)
			r := quoted(t, ipv4.router, ipv4.local, c.quote(l.send(t, 7, &p, sent)), 28)
			want := c.alone
			if shared {
				want = c.shared
			}
			var m Match
			if l.Match(&r, sent+rtt, &m); m.Verdict != want {
				t.Errorf("%s, shared %v: %v (%v), want %v", c.name, shared, m.Verdict, m.Reason, want)
			}
		}
	}
}

// What was counted as a stray can be taken back, and be one for another reason.
func TestLedgerRecount(t *testing.T) {
	l := newLedger(t, 8, false)
	p := ipv4.keyed(t, frame.UDP, ipv4.target, 7)
	foreign := setID(onWire(t, &p), 1)
	r := quoted(t, ipv4.router, ipv4.local, foreign, 28)
	var m Match
	l.Match(&r, sent, &m)
	l.Recount(&m, ReasonCheck)
	if c := l.Counts(); m.Verdict != Spoofed || m.Reason != ReasonCheck || c.Verdicts[Spoofed] != 1 || c.Received != 1 || !c.Balanced() {
		t.Errorf("%v (%v), counts %+v", m.Verdict, m.Reason, c)
	}
	if l.Recount(&m, ReasonNone); l.Counts() != (Counts{}) {
		t.Errorf("counts %+v of what was taken back", l.Counts())
	}
}
