package onpath

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hopquote/hopquote/rx/anomaly"
)

// Finding is one place of the path where packets are changed.
type Finding struct {
	Kind Kind
	What string // in words: "NAT", "TOS cleared", "MSS clamped", …

	// After is the last hop that quotes the packet otherwise, 0 where none
	// before At tells. At is the first hop that shows the change, and Last the
	// last one that does.
	After, At, Last int
	// Until is the first hop behind that quotes it as it was sent again, 0 for
	// none.
	Until int

	Fields   []anomaly.Field // the first quote that shows them
	Evidence string          // beyond the fields; may be empty

	bare bool // all of the TOS came back as 0
}

// Where tells the place: "after hop 3" for a NAT that hop 4 is the first to
// show, "between 2 and 3" for other changes; "between 2 and 5" where those
// between are silent or quote too little; "at 4 or before" where no earlier hop
// quotes enough.
func (f *Finding) Where() string {
	switch {
	case f.After == 0:
		return fmt.Sprintf("at %d or before", f.At)
	case f.Kind == NAT && f.After == f.At-1:
		return fmt.Sprintf("after hop %d", f.After)
	}
	return fmt.Sprintf("between %d and %d", f.After, f.At)
}

// String gives the finding on one line: what, where, the fields and the other
// evidence, and the hops that show it.
func (f *Finding) String() string {
	var parts []string
	for _, x := range f.Fields {
		parts = append(parts, fmt.Sprintf("%s %s -> %s", x.Label(), x.Sent, x.Quoted))
	}
	if f.Evidence != "" {
		parts = append(parts, f.Evidence)
	}
	hops := fmt.Sprintf("hop %d", f.At)
	if f.Last > f.At {
		hops = fmt.Sprintf("hops %d to %d", f.At, f.Last)
	}
	if f.Until != 0 {
		hops += fmt.Sprintf("; as sent at %d", f.Until)
	}
	return fmt.Sprintf("%s %s: %s (%s)", f.What, f.Where(), strings.Join(parts, ", "), hops)
}

// row is a field's change along an unbroken row of the hops that show it.
type row struct {
	name                   string
	after, at, last, until int
	first                  Change
	alone                  bool // nothing else of the transport changed with it
	hops                   int
}

// Findings tells what the answers so far say about the path, in the order of
// the hops.
func (p *Path) Findings() []Finding {
	var found []Finding
	var rows, nat []row
	for _, name := range p.names {
		for _, r := range p.rows(name) {
			if r.isNAT() {
				nat = append(nat, r)
			} else {
				rows = append(rows, r)
			}
		}
	}
	for i := range rows {
		r := &rows[i]
		// A NAT that changes the ports and spoils the checksum is one finding.
		if r.first.Flag == anomaly.Checksum && slices.ContainsFunc(nat, func(n row) bool { return n.at == r.at }) {
			nat = append(nat, *r)
			continue
		}
		found = merge(found, r.finding())
	}
	found = append(found, p.nats(nat)...)
	if f, ok := p.stuck(); ok {
		found = append(found, f)
	}
	slices.SortStableFunc(found, func(a, b Finding) int {
		if a.At != b.At {
			return a.At - b.At
		}
		return int(a.Kind) - int(b.Kind)
	})
	return found
}

// rows gives the rows of hops in which the field came back changed. One hop
// whose successor quotes the field as it was sent is none: the packet was not
// changed, its quote was.
func (p *Path) rows(name string) []row {
	var rows []row
	var open []*row // those that the last hop showed
	after := 0
	for ttl := 1; ttl <= maxTTL; ttl++ {
		shown, plain := false, false
		var still []*row
		p.each(ttl, name, func(s *seen, c *Change) {
			shown = true
			if c == nil || c.own {
				plain = plain || c == nil
				return
			}
			if at := slices.IndexFunc(still, func(r *row) bool { return r.first.value == c.value }); at >= 0 {
				return
			}
			if at := slices.IndexFunc(open, func(r *row) bool { return r.first.value == c.value }); at >= 0 {
				open[at].last = ttl
				open[at].hops++
				still = append(still, open[at])
				return
			}
			still = append(still, &row{name: name, after: after, at: ttl, last: ttl, first: *c, alone: s.alone(c), hops: 1})
		})
		if !shown {
			continue
		}
		for _, r := range open {
			if slices.Contains(still, r) {
				continue
			}
			if plain && len(still) == 0 {
				r.until = ttl
			}
			rows = append(rows, *r)
		}
		open, after = still, ttl
	}
	for _, r := range open {
		rows = append(rows, *r)
	}
	return slices.DeleteFunc(rows, func(r row) bool { return r.hops == 1 && r.until != 0 })
}

// each calls f for every answer of a hop that shows the field.
func (p *Path) each(ttl int, name string, f func(s *seen, c *Change)) {
	for i := range p.hops[ttl] {
		if s := &p.hops[ttl][i]; s.quoted && s.shows(name) {
			f(s, s.change(name))
		}
	}
}

// alone tells that no other field that the transport checksum covers changed.
func (s *seen) alone(c *Change) bool {
	const uncovered = own | follows | anomaly.DSCP | anomaly.ECN | anomaly.Label | anomaly.ID | anomaly.IDZero | anomaly.FragmentBits |
		anomaly.IPOptions | anomaly.ExtensionHeaders | anomaly.Encapsulated
	for i := range s.changes {
		if o := &s.changes[i]; o.Name != c.Name && o.Flag&uncovered == 0 {
			return false
		}
	}
	return true
}

// merge adds a finding to one of the same kind and place.
func merge(found []Finding, f Finding) []Finding {
	for i := range found {
		g := &found[i]
		if g.Kind != f.Kind || g.At != f.At || g.After != f.After || g.Last != f.Last || f.Kind == Other {
			continue
		}
		g.Fields = append(g.Fields, f.Fields...)
		g.What = g.Kind.words(g.Fields, g.bare)
		return found
	}
	return append(found, f)
}

func (r *row) finding() Finding {
	f := Finding{
		Kind: kindOf(r.first.Flag), After: r.after, At: r.at, Last: r.last, Until: r.until,
		Fields: []anomaly.Field{r.first.Field}, bare: r.first.bare,
	}
	f.What = f.Kind.words(f.Fields, f.bare)
	return f
}
