package frame

import (
	"fmt"
	"testing"
)

// A direct answer swaps the probe's ports and gives back its key.
func TestKeyOfAnswers(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		for _, m := range withHeader {
			p := quotedProbe(m, v6)
			a := answerToProbe(m, v6)
			r := decode(a.Append(nil), LinkRaw, false)
			if key, ok := r.Key(); !ok || key != p.Key() {
				t.Errorf("%s/%s: Key = %#x, %t, want %#x", m, familyName(v6), key, ok, p.Key())
			}
		}
	}
}

func TestKeysDiffer(t *testing.T) {
	base := quotedProbe(UDP, false)
	seen := map[Key]string{}
	add := func(name string, edit func(p *Probe)) {
		p := base
		edit(&p)
		if other, ok := seen[p.Key()]; ok {
			t.Errorf("%s and %s share key %#x", name, other, p.Key())
		}
		seen[p.Key()] = name
	}
	for _, m := range withHeader {
		add(fmt.Sprint(m), func(p *Probe) { p.Method = m })
		add(fmt.Sprint(m, " source port"), func(p *Probe) { p.Method = m; p.SrcPort++ })
	}
	add("UDP destination port", func(p *Probe) { p.DstPort++ })
	add("TCP destination port", func(p *Probe) { p.Method = TCP; p.DstPort++ })
	add("ICMP sequence", func(p *Probe) { p.Method = ICMP; p.Seq++ })
}

func TestNoKey(t *testing.T) {
	whole := Quote{Bytes: 28, Transport: 8, Method: UDP, SrcPort: 1, DstPort: 2}
	quote := func(edit func(q *Quote)) Reply {
		r := Reply{Kind: KindTimeExceeded, Quote: whole}
		edit(&r.Quote)
		return r
	}
	for name, r := range map[string]Reply{
		"no reply":        {},
		"malformed frame": {Kind: KindMalformed, Quote: whole},
		"later fragment":  {Kind: KindFragment, Quote: whole},
		"other ICMP":      {Kind: KindICMPOther, Quote: whole},
		"no quote":        {Kind: KindTimeExceeded},
		"seven bytes":     quote(func(q *Quote) { q.Transport = 7 }),
		"no method":       quote(func(q *Quote) { q.Method = 0 }),
		"malformed quote": quote(func(q *Quote) { q.Malformed = true }),
		"quoted fragment": quote(func(q *Quote) { q.Fragment = true }),
	} {
		if key, ok := r.Key(); ok {
			t.Errorf("%s: Key = %#x", name, key)
		}
	}
	r := quote(func(*Quote) {})
	if _, ok := r.Key(); !ok {
		t.Error("eight quoted bytes give no key")
	}
}
