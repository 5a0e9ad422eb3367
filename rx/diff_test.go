package rx

import (
	"testing"

	"github.com/hopquote/hopquote/frame"
)

func TestMatchDiff(t *testing.T) {
	for _, c := range []struct {
		name   string
		family family
		method frame.Method
		quote  func(*frame.Quote)
		want   Diff
	}{
		{"nothing", ipv4, frame.UDP, func(q *frame.Quote) {}, 0},
		{"nothing", ipv6, frame.UDP, func(q *frame.Quote) {}, 0},
		{"TTL 0", ipv4, frame.UDP, func(q *frame.Quote) { q.TTL = 0 }, QuotedTTL},
		{"TTL 3", ipv6, frame.ICMP, func(q *frame.Quote) { q.TTL = 3 }, QuotedTTL},
		{"TOS", ipv4, frame.TCP, func(q *frame.Quote) { q.TOS = 0 }, TOS},
		{"traffic class", ipv6, frame.TCP, func(q *frame.Quote) { q.TOS |= 3 }, TOS},
		{"ID", ipv4, frame.UDP, func(q *frame.Quote) { q.ID++ }, ID},
		{"ID zeroed", ipv4, frame.UDP, func(q *frame.Quote) { q.ID = 0 }, ID},
		{"ID swapped", ipv4, frame.UDP, func(q *frame.Quote) { q.ID = 0x0012 }, IDSwapped},
		{"ID has no meaning", ipv6, frame.UDP, func(q *frame.Quote) { q.ID++ }, 0},
		{"length", ipv4, frame.ICMP, func(q *frame.Quote) { q.Length -= 20 }, Length},
		{"length", ipv6, frame.ICMP, func(q *frame.Quote) { q.Length++ }, Length},
		{"length swapped", ipv4, frame.UDP, func(q *frame.Quote) { q.Length = 60 << 8 }, LengthSwapped},
		{"length swapped", ipv6, frame.UDP, func(q *frame.Quote) { q.Length = 60 << 8 }, Length},
		{"DF", ipv4, frame.UDP, func(q *frame.Quote) { q.DF = false }, DF},
		{"DF has no meaning", ipv6, frame.UDP, func(q *frame.Quote) { q.DF = true }, 0},
		{"label", ipv6, frame.TCP, func(q *frame.Quote) { q.Label = 0 }, Label},
		{"label has no meaning", ipv4, frame.TCP, func(q *frame.Quote) { q.Label = 1 }, 0},
		{"checksum", ipv4, frame.UDP, func(q *frame.Quote) { q.Checksum = 0 }, Checksum},
		{"no checksum came back", ipv4, frame.TCP, func(q *frame.Quote) { q.Checksum = 0 }, 0},
		{"echo checksum may be zero", ipv4, frame.ICMP, func(q *frame.Quote) { q.Checksum = 0 }, 0},
		{"UDP-Lite checksum", ipv4, frame.UDPLite, func(q *frame.Quote) { q.Checksum = 0 }, Checksum},
		{"no checksum of DCCP", ipv4, frame.DCCP, func(q *frame.Quote) { q.Checksum = 0 }, 0},
		{"several", ipv4, frame.UDP, func(q *frame.Quote) { q.TTL, q.TOS, q.DF = 2, 1, false }, QuotedTTL | TOS | DF},
	} {
		table := NewTable(1)
		p := c.family.sampleProbe(c.method, 0)
		p.Size = 60
		table.Add(0, &p, sent)
		r := exceeded(&p, c.family.router)
		c.quote(&r.Quote)
		var m Match
		table.Match(&r, sent+rtt, &m)
		if m.Diff != c.want {
			t.Errorf("%s, %v %s: diff %v, want %v", c.name, p.Dst, c.method, m.Diff, c.want)
		}
		want := Exact
		if c.want != 0 && c.want != QuotedTTL {
			want = Rewritten
		}
		if m.Verdict != want {
			t.Errorf("%s, %v %s: %v, want %v", c.name, p.Dst, c.method, m.Verdict, want)
		}
		// A second reply is told by what it differs in all the same.
		table.Match(&r, sent+rtt, &m)
		if m.Verdict != Duplicate || m.Diff != c.want {
			t.Errorf("%s, %v %s again: %v, diff %v; want duplicate, diff %v", c.name, p.Dst, c.method, m.Verdict, m.Diff, c.want)
		}
	}
}

// A length that isn't known is not compared: fragments are quoted with their
// own.
func TestMatchDiffUnknownSize(t *testing.T) {
	for _, f := range []family{ipv4, ipv6} {
		p := f.sampleProbe(frame.UDP, 0)
		r := exceeded(&p, f.router)
		p.Size = 0
		table := NewTable(1)
		table.Add(0, &p, sent)
		var m Match
		if table.Match(&r, sent+rtt, &m); m.Verdict != Exact {
			t.Errorf("%v: %v, diff %v; want exact", f.local, m.Verdict, m.Diff)
		}
	}
}

// A TCP probe may leave its size to the template.
func TestMatchDiffTCPSize(t *testing.T) {
	p := ipv4.sampleProbe(frame.TCP, 0)
	r := exceeded(&p, ipv4.router)
	p.Size = 0
	table := NewTable(1)
	table.Add(0, &p, sent)
	var m Match
	if table.Match(&r, sent+rtt, &m); m.Verdict != Exact {
		t.Errorf("%v, diff %v; want exact", m.Verdict, m.Diff)
	}
}

func TestStrings(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Stray.String(), "stray"},
		{Late.String(), "late"},
		{Verdict(9).String(), "invalid"},
		{ReasonNone.String(), "none"},
		{ReasonSequence.String(), "sequence"},
		{Reason(200).String(), "invalid"},
		{Diff(0).String(), "none"},
		{QuotedTTL.String(), "ttl"},
		{(TOS | IDSwapped | Checksum).String(), "tos,id-swapped,checksum"},
		{Diff(1 << 15).String(), "invalid"},
	} {
		if c.got != c.want {
			t.Errorf("string %q, want %q", c.got, c.want)
		}
	}
	for r := ReasonNone; int(r) < Reasons; r++ {
		if r.String() == "" {
			t.Errorf("reason %d has no name", r)
		}
	}
	if len(diffNames) != 9 || Checksum != 1<<8 {
		t.Errorf("%d names for differences up to %#x", len(diffNames), uint16(Checksum))
	}
}
