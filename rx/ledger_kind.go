package rx

import (
	"fmt"
	"time"

	"github.com/hopquote/hopquote/frame"
)

// kind is what many probes of a ledger share.
type kind struct {
	probe frame.Probe // shape and destination port; the rest is scratch
	cut   bool        // sent in fragments
	entry entry       // of the one that was expanded last
}

// kinds are those of a ledger, named by their place.
type kinds struct {
	list []kind
	seen [seenKinds]uint16 // by destination port: the one that was looked up last
}

const (
	maxKinds  = 1 << kindBits
	seenKinds = 64
)

// find gives p's kind, a new one if need be. cut says that p leaves in
// fragments, of which quotes tell another length.
func (k *kinds) find(p *frame.Probe, cut, v6 bool) (uint16, error) {
	seen := &k.seen[p.DstPort%seenKinds]
	if n := int(*seen); n < len(k.list) && k.list[n].is(p, cut) {
		return *seen, nil
	}
	for n := range k.list {
		if k.list[n].is(p, cut) {
			*seen = uint16(n)
			return *seen, nil
		}
	}
	switch {
	case len(k.list) == maxKinds:
		return 0, fmt.Errorf("give identity: more than %d kinds of probes (shapes and destination ports)", maxKinds)
	case p.IsIPv6() && !v6:
		return 0, fmt.Errorf("give identity: IPv6 probe to %s in a ledger for IPv4", p.Dst)
	case !p.Route.IsZero():
		return 0, fmt.Errorf("give identity: probe to %s by a source route", p.Dst)
	}
	n := kind{probe: *p, cut: cut, entry: entryOf(p)}
	if n.entry.cut = cut; cut {
		n.entry.size = 0
	}
	// The lower half of a token is in the checksum, of ICMP in the sequence: its
	// checksum is the flow's, and not remembered.
	switch s := &n.entry.secrets; p.Method {
	case frame.UDP, frame.UDPLite:
		s.word, n.entry.summed = 16, true
	case frame.ICMP:
		s.port, s.word, n.entry.summed = 16, 0, false
	}
	k.list = append(k.list, n)
	*seen = uint16(len(k.list) - 1)
	return *seen, nil
}

func (k *kind) is(p *frame.Probe, cut bool) bool {
	return k.probe.DstPort == p.DstPort && k.cut == cut && k.probe.SameShape(p)
}

// expand gives the probe with the given number and token, valid until the next
// call. now is any time within hours of its sending.
func (l *Ledger) expand(seq, token uint32, now time.Duration) *entry {
	w := l.ring.at(seq)
	k := &l.kinds.list[kindOf(w)]
	p, e := &k.probe, &k.entry
	p.Dst, p.TTL, p.SrcPort, p.Label = l.ring.addr(w), uint8(w[2]), uint16(w[0]), labelOf(w)
	p.SetToken(token) // it took this one before
	if p.Method == frame.TCP {
		p.ID = l.checkID(seq)
	}
	l.sent = p
	e.key, e.dst, e.ttl, e.id, e.seq, e.label = p.Key(), p.Dst, p.TTL, p.ID, p.Seq, p.Label
	e.sum, e.mark = p.Sum, p.Mark
	e.tag, e.sent, e.state = tagOf(w), sentAt(w[0]>>16, now), stateOf(w).asEntry()
	return e
}
