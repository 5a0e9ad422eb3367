package onpath

import (
	"slices"

	"github.com/hopquote/hopquote/rx/anomaly"
)

// Change is a field of the probe that came back as another value.
type Change struct {
	anomaly.Field
	// Since is the first hop of the unbroken row of hops that quote it so, up to
	// this one. What is a router's own is its own at every hop.
	Since int
	// New tells that the hop before quoted it otherwise.
	New bool
	// Before is what the hop before quoted, where that was neither this nor what
	// was sent.
	Before anomaly.Value

	value   string // what makes two changes of one name the same
	own     bool   // the responder's doing, not the path's
	follows bool   // follows from other changes
	bare    bool   // of a TOS that came back as 0, all of it
}

// Seen is what one answer tells.
type Seen struct {
	Changes []Change
	// Restored names the fields that the hop before quoted changed, and this one
	// as they were sent.
	Restored []string
	// Before is the nearest hop before this one that quoted anything, 0 for none.
	Before int
	// Flags are those of the comparison that name no field: a quote that is
	// Truncated, Malformed, a Fragment, Encapsulated or Translated, and FromTarget.
	Flags anomaly.Flag
	// Wrapping names what was taken off an Encapsulated quote.
	Wrapping string
}

// Path collects the answers of one trace.
type Path struct {
	hops   [maxTTL + 1][]seen // by TTL; those that had TTL to spare are in none
	names  []string           // of all fields that changed, in order of appearance
	report anomaly.Report
}

const maxTTL = 255

// wrapping is the name of the field that an encapsulated quote has changed.
const wrapping = "encapsulation"

// Add takes an answer in, and tells what it shows. Answers come by TTL; those
// of one TTL in any order, and those with TTL to spare last. Its slices are not
// kept. A TTL out of 1..255 is taken for 255.
func (p *Path) Add(a *Answer) Seen {
	s, probe, quote := look(a)
	if s.ttl < 1 || s.ttl > maxTTL {
		s.ttl = maxTTL
	}
	var out Seen
	if s.target && s.expired {
		out.Flags = anomaly.FromTarget
	}
	if s.quoted {
		p.report.Compare(a.Probe, a.Quote)
		out.Flags |= p.report.Flags & (anomaly.Truncated | anomaly.Malformed | anomaly.Fragment | anomaly.Encapsulated | anomaly.Translated)
		out.Wrapping = p.report.Wrapping
		s.collect(&p.report, a, &probe, &quote)
		s.sum = checksumSkew(&probe, &quote)
	} else if len(a.Quote) > 0 {
		out.Flags |= anomaly.Truncated
	}
	out.Before = p.before(s.ttl, "")
	for i := range s.changes {
		p.place(&s, &s.changes[i])
	}
	out.Restored = p.restored(&s)
	out.Changes = slices.Clone(s.changes)
	if s.beyond {
		return out
	}
	p.hops[s.ttl] = append(p.hops[s.ttl], s)
	for i := range s.changes {
		if c := &s.changes[i]; !c.own && !c.follows && !slices.Contains(p.names, c.Name) {
			p.names = append(p.names, c.Name)
		}
	}
	return out
}

// collect lists the fields of a comparison that are worth telling.
func (s *seen) collect(r *anomaly.Report, a *Answer, p, q *anomaly.Header) {
	for _, f := range r.Fields {
		switch {
		case f.Flag == anomaly.TTL && !s.oddTTL(p.TTL, q.TTL, a):
			continue
		case s.routed && isRouteField(f.Flag):
			continue
		}
		// The bytes are the caller's.
		f.Sent, f.Quoted = f.Sent.Clone(), f.Quoted.Clone()
		c := Change{Field: f, own: f.Flag&own != 0, follows: f.Flag&follows != 0, bare: q.TOS == 0, value: sameAs(f)}
		if f.Flag == anomaly.TTL && q.TTL > p.TTL {
			c.own = false // nothing on the way but a rewrite adds to it
		}
		if reassembled(p, q) && f.Flag&(anomaly.FragmentBits|anomaly.Length|anomaly.ExtensionHeaders) != 0 {
			c.own = true // who answers for the whole datagram sends fragments on
		}
		s.changes = append(s.changes, c)
	}
	if r.Wrapping != "" {
		s.changes = append(s.changes, Change{Field: anomaly.Field{
			Flag: anomaly.Encapsulated, Name: wrapping, Quoted: anomaly.Text(r.Wrapping),
		}, value: r.Wrapping})
	}
}

// reassembled tells that a first fragment was quoted as the whole datagram.
func reassembled(p, q *anomaly.Header) bool {
	return p.FlagBits&anomaly.FlagMF != 0 && q.FlagBits&anomaly.FlagMF == 0 && p.Offset == 0 && q.Offset == 0
}

// oddTTL tells whether a quoted TTL is not what is left of the probe's at the
// responder.
func (s *seen) oddTTL(sent, quoted uint8, a *Answer) bool {
	switch {
	case quoted > sent:
		return true
	case s.expired:
		return quoted != 1
	case s.beyond:
		return false
	}
	return int(quoted) != int(sent)-a.TTL+1
}

// isRouteField tells the fields that change where a source route is followed.
func isRouteField(f anomaly.Flag) bool {
	return f&(anomaly.Destination|anomaly.IPOptions|anomaly.ExtensionHeaders|anomaly.ChecksumStale|anomaly.ChecksumUpdated|anomaly.Checksum) != 0
}

// own are the anomalies that a router makes in its quote, or that follow from
// others.
const own = anomaly.TTL | anomaly.LengthSwapped | anomaly.LengthShort | anomaly.IDSwapped | anomaly.IDPlusOne |
	anomaly.IPChecksum | anomaly.ChecksumPartial

// follows are the anomalies that follow from other changes, and tell nothing by
// themselves.
const follows = anomaly.ChecksumUpdated | anomaly.ChecksumStale

// perProbe are the fields that differ from probe to probe, so that their
// values say nothing.
const perProbe = anomaly.ID | anomaly.IDZero | anomaly.Length | anomaly.Label | anomaly.SourcePort |
	anomaly.DestinationPort | anomaly.UDPLength | anomaly.Checksum | anomaly.ChecksumZero | anomaly.ChecksumRestored | anomaly.ICMPSequence |
	anomaly.TCPSequence | anomaly.Payload

// sameAs gives equal texts for changes that are the same one, of two probes.
func sameAs(f anomaly.Field) string {
	isThere := !f.Quoted.IsAbsent() && !f.Sent.IsAbsent()
	if f.Flag&(own|follows|perProbe) != 0 || f.Flag == anomaly.TCPOptions && isThere {
		return f.Flag.String()
	}
	return f.Flag.String() + " " + f.Quoted.String()
}

// before gives the nearest hop before ttl that shows the field, or with no name
// any; 0 for none.
func (p *Path) before(ttl int, name string) int {
	for ttl--; ttl > 0; ttl-- {
		for i := range p.hops[ttl] {
			if s := &p.hops[ttl][i]; s.quoted && (name == "" || s.shows(name)) {
				return ttl
			}
		}
	}
	return 0
}

// at calls f for the answers of a hop that show the field, until f gives false.
// The change is nil for one that has it as it was sent.
func (p *Path) at(ttl int, name string, f func(c *Change) bool) {
	for i := range p.hops[ttl] {
		if s := &p.hops[ttl][i]; s.quoted && s.shows(name) && !f(s.change(name)) {
			return
		}
	}
}

// change gives the change of the field, nil where it is as sent.
func (s *seen) change(name string) *Change {
	for i := range s.changes {
		if s.changes[i].Name == name {
			return &s.changes[i]
		}
	}
	return nil
}

// place compares a change with those of the hops before.
func (p *Path) place(s *seen, c *Change) {
	c.Since, c.New = s.ttl, true
	if c.own {
		return
	}
	for ttl := p.before(s.ttl, c.Name); ttl != 0; ttl = p.before(ttl, c.Name) {
		same := false
		p.at(ttl, c.Name, func(old *Change) bool {
			if old != nil && !old.own && old.value == c.value {
				same = true
			} else if old != nil && !old.own && c.New {
				c.Before = old.Quoted
			}
			return !same
		})
		if !same {
			return
		}
		c.Since, c.New, c.Before = ttl, false, anomaly.Value{}
	}
}

// restored names what every answer of the hop before had changed, and s has not.
func (p *Path) restored(s *seen) []string {
	var names []string
	if !s.quoted || s.beyond {
		return nil
	}
	for _, name := range p.names {
		if s.change(name) == nil && s.shows(name) && p.isChanged(p.before(s.ttl, name), name) {
			names = append(names, name)
		}
	}
	return names
}

// isChanged tells whether all answers of a hop that show the field have it
// changed, not by themselves.
func (p *Path) isChanged(ttl int, name string) bool {
	all, any := true, false
	p.at(ttl, name, func(c *Change) bool {
		all = all && c != nil && !c.own
		any = true
		return all
	})
	return any && all
}

// Key is equal for changes that are the same one in different probes.
func (c *Change) Key() string { return c.Name + " " + c.value }

// IsLeft tells a quoted TTL that is no more than was sent, and not what should
// be left of it.
func (c *Change) IsLeft() bool { return c.Flag == anomaly.TTL && c.own }

// Quoting is how many hops quoted anything.
func (p *Path) Quoting() int {
	n := 0
	for ttl := range p.hops {
		if slices.ContainsFunc(p.hops[ttl], func(s seen) bool { return s.quoted }) {
			n++
		}
	}
	return n
}
