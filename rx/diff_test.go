package rx

import (
	"testing"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx/anomaly"
)

func TestMatchDiff(t *testing.T) {
	for _, c := range []struct {
		name   string
		family family
		method frame.Method
		quote  func(*frame.Quote)
		want   anomaly.Flag
	}{
		{"nothing", ipv4, frame.UDP, func(q *frame.Quote) {}, 0},
		{"nothing", ipv6, frame.UDP, func(q *frame.Quote) {}, 0},
		{"TTL 0", ipv4, frame.UDP, func(q *frame.Quote) { q.TTL = 0 }, anomaly.TTL},
		{"TTL 3", ipv6, frame.ICMP, func(q *frame.Quote) { q.TTL = 3 }, anomaly.TTL},
		{"TOS", ipv4, frame.TCP, func(q *frame.Quote) { q.TOS = 0 }, anomaly.DSCP},
		{"traffic class", ipv6, frame.TCP, func(q *frame.Quote) { q.TOS |= 3 }, anomaly.ECN},
		{"ID", ipv4, frame.UDP, func(q *frame.Quote) { q.ID++ }, anomaly.IDPlusOne},
		{"ID zeroed", ipv4, frame.UDP, func(q *frame.Quote) { q.ID = 0 }, anomaly.IDZero},
		{"ID swapped", ipv4, frame.UDP, func(q *frame.Quote) { q.ID = 0x0012 }, anomaly.IDSwapped},
		{"ID has no meaning", ipv6, frame.UDP, func(q *frame.Quote) { q.ID++ }, 0},
		{"length", ipv4, frame.ICMP, func(q *frame.Quote) { q.Length -= 12 }, anomaly.Length},
		{"length without header", ipv4, frame.ICMP, func(q *frame.Quote) { q.Length -= 20 }, anomaly.LengthShort},
		{"length", ipv6, frame.ICMP, func(q *frame.Quote) { q.Length++ }, anomaly.Length},
		{"length swapped", ipv4, frame.UDP, func(q *frame.Quote) { q.Length = 60 << 8 }, anomaly.LengthSwapped},
		{"length swapped", ipv6, frame.UDP, func(q *frame.Quote) { q.Length = 40 + 20<<8 }, anomaly.LengthSwapped},
		{"DF", ipv4, frame.UDP, func(q *frame.Quote) { q.DF = false }, anomaly.FragmentBits},
		{"DF has no meaning", ipv6, frame.UDP, func(q *frame.Quote) { q.DF = true }, 0},
		{"label", ipv6, frame.TCP, func(q *frame.Quote) { q.Label = 0 }, anomaly.Label},
		{"label has no meaning", ipv4, frame.TCP, func(q *frame.Quote) { q.Label = 1 }, 0},
		{"checksum", ipv4, frame.UDP, func(q *frame.Quote) { q.Checksum = 0 }, anomaly.ChecksumZero},
		{"no checksum came back", ipv4, frame.TCP, func(q *frame.Quote) { q.Checksum = 0 }, 0},
		{"echo checksum", ipv4, frame.ICMP, func(q *frame.Quote) { q.Checksum = 0 }, anomaly.ChecksumZero},
		{"UDP-Lite checksum", ipv4, frame.UDPLite, func(q *frame.Quote) { q.Checksum = 0 }, anomaly.ChecksumZero},
		{"DCCP checksum", ipv4, frame.DCCP, func(q *frame.Quote) { q.Checksum = 0 }, anomaly.ChecksumZero},
		{"several", ipv4, frame.UDP, func(q *frame.Quote) { q.TTL, q.TOS, q.DF = 2, 1, false }, anomaly.TTL | anomaly.DSCP | anomaly.ECN | anomaly.FragmentBits},
	} {
		table := NewTable(1)
		p := c.family.sampleProbe(c.method, 0)
		if c.method != frame.DCCP {
			p.Size = 60
		}
		table.Add(0, &p, sent)
		r := exceeded(&p, c.family.router)
		c.quote(&r.Quote)
		var m Match
		table.Match(&r, sent+rtt, &m)
		if m.Flags != c.want {
			t.Errorf("%s, %v %s: diff %v, want %v", c.name, p.Dst, c.method, m.Flags, c.want)
		}
		want := Exact
		if c.want != 0 && c.want != anomaly.TTL {
			want = Rewritten
		}
		if m.Verdict != want {
			t.Errorf("%s, %v %s: %v, want %v", c.name, p.Dst, c.method, m.Verdict, want)
		}
		// A second reply is told by what it differs in all the same.
		table.Match(&r, sent+rtt, &m)
		if m.Verdict != Duplicate || m.Nth != 2 || m.Flags != c.want|anomaly.Duplicate {
			t.Errorf("%s, %v %s again: %v, diff %v; want duplicate, diff %v", c.name, p.Dst, c.method, m.Verdict, m.Flags, c.want)
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
			t.Errorf("%v: %v, diff %v; want exact", f.local, m.Verdict, m.Flags)
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
		t.Errorf("%v, diff %v; want exact", m.Verdict, m.Flags)
	}
}
