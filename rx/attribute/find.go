package attribute

import (
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx/anomaly"
)

// The indexes by which packets are found. Each leaves something out that may
// have been changed; the last 32 bits of the destination stand for all of it,
// so that translated packets are found too.
const (
	indexWhole    = iota // all of it
	indexFlow            // destination, ports
	indexID              // destination, identification
	indexWord            // destination, word
	indexBarePort        // ports, word
	indexBareID          // ports, identification
	indexService         // destination, destination port
	indexes
)

// indexHash gives the hash of an index, and whether the packet has what it is
// made of.
func indexHash(index int, f *fields) (uint64, bool) {
	base := mix(uint64(index), uint64(f.protocol))
	dst := mix(base, uint64(anomaly.Tail(f.dst)))
	const id, word = hasID, hasWord
	switch index {
	case indexWhole:
		h := mixAddr(mixAddr(base, f.src), f.dst)
		return mix(mix(h, f.ports()<<32|uint64(f.word)), uint64(f.id)), f.have&hasWord != 0
	case indexFlow:
		return mix(dst, f.ports()), f.have&hasPorts != 0
	case indexID:
		return mix(dst, uint64(f.id)), f.have&id != 0
	case indexWord:
		return mix(dst, uint64(f.word)), f.have&word != 0
	case indexBarePort:
		return mix(mix(base, f.ports()), uint64(f.word)), f.have&word != 0
	case indexBareID:
		return mix(mix(base, f.ports()), uint64(f.id)), f.have&id != 0 && f.have&hasPorts != 0
	}
	return mix(dst, uint64(f.dport)), f.have&hasPorts != 0 && f.protocol != protoICMP
}

// maxWalk is how many packets are looked at in one chain. Packets beyond it
// share a whole flow; if none nearer has what tells them apart, the reply is
// ambiguous.
const maxWalk = 64

// search is what a look for the cause of a quote brought.
type search struct {
	rule   int // index in rules, len(rules) for none
	flow   bool
	capped bool // chains were longer than what was looked at
}

// find collects in t.found the packets that the strongest rule allows for the
// quote.
func (t *Tracker) find(q *anomaly.Header, f *fields) search {
	t.found = t.found[:0]
	s := search{rule: len(rules)}
	if hash, ok := indexHash(indexWhole, f); ok && f.offset == 0 {
		t.findWhole(hash, f)
		if len(t.found) > 0 {
			s.rule = 0
			if f.have&hasID == 0 {
				s.rule = 1
			}
			return s
		}
	}
	t.stamp++
	var p anomaly.Header
	for i := indexFlow; i < indexes; i++ {
		hash, ok := indexHash(i, f)
		if !ok {
			continue
		}
		t.walkIndex(i, hash, &p, q, f, &s)
		if i == indexID {
			// One more or swapped is found under what was sent.
			near := *f
			for _, id := range [...]uint32{uint32(uint16(f.id - 1)), f.id>>8&0xff | f.id&0xff<<8} {
				near.id = id
				if hash, ok := indexHash(indexID, &near); ok && id != f.id {
					t.walkIndex(indexID, hash, &p, q, f, &s)
				}
			}
		}
	}
	return s
}

// findWhole collects what agrees in everything.
func (t *Tracker) findWhole(hash uint64, f *fields) {
	steps := 0
	for w := t.chains[indexWhole].walk(hash, &t.window); steps < maxWalk; steps++ {
		pos, ok := w.next()
		if !ok {
			return
		}
		e := &t.window.at(pos).fields
		if e.protocol == f.protocol && e.src == f.src && e.dst == f.dst && e.ports() == f.ports() &&
			e.word == f.word && e.id == f.id && e.offset == 0 && e.have&hasWord != 0 {
			t.found = append(t.found, pos)
		}
	}
}

func (t *Tracker) walkIndex(index int, hash uint64, p, q *anomaly.Header, f *fields, s *search) {
	w := t.chains[index].walk(hash, &t.window)
	for steps := 0; ; steps++ {
		pos, ok := w.next()
		if !ok {
			return
		}
		if steps == maxWalk {
			s.capped = true
			return
		}
		slot := &t.seen[pos&uint64(len(t.seen)-1)]
		if *slot == t.stamp {
			continue
		}
		*slot = t.stamp
		e := t.window.at(pos)
		p.Parse(t.window.bytes(e))
		have := weigh(p, q, &e.fields, f)
		if have&(addresses|ports) == addresses|ports {
			s.flow = true
		}
		for i := 0; i <= s.rule && i < len(rules); i++ {
			if have&rules[i].Need != rules[i].Need {
				continue
			}
			if i < s.rule {
				s.rule, t.found = i, t.found[:0]
			}
			t.found = append(t.found, pos)
			break
		}
	}
}

// sureRules are those that name what no other packet of the flow has.
const sureRules = 3

// error attributes an ICMP error.
func (t *Tracker) error(ip []byte, r *Result) {
	frame.Decode(ip, frame.LinkRaw, false, &r.Reply)
	if t.header.Length > len(ip) {
		r.Flags |= anomaly.Cut
	}
	t.extensions(r)
	q := &r.Reply.Quote
	quote := r.Reply.Body[:min(q.Bytes, len(r.Reply.Body))]
	var h anomaly.Header
	h.Parse(quote)
	verdict, pos, resent := t.quoted(&h, r)
	inner, wrapping := anomaly.Unwrap(quote)
	if !verdict.Attributed() && verdict != Ambiguous && wrapping != "" {
		outer := verdict
		h.Parse(inner)
		if verdict, pos, resent = t.quoted(&h, r); verdict.Attributed() || outer == Malformed {
			r.Flags |= anomaly.Encapsulated
		}
	}
	if verdict.Attributed() {
		verdict = t.attribute(r, pos, resent)
	}
	t.settle(r, verdict)
	if t.fields.read(&h) {
		r.Target = t.fields.dst
		t.judge(&t.fields, pos, r, true)
	}
}

// quoted finds the packet with the quoted header h. The verdict is Exact for
// one that was found.
func (t *Tracker) quoted(h *anomaly.Header, r *Result) (v Verdict, pos uint64, resent bool) {
	r.Rule = ""
	if h.Malformed && len(h.Bytes) >= 1 {
		return Malformed, 0, false
	}
	f := &t.fields
	if !f.read(h) {
		r.Flags |= anomaly.Truncated
		return Foreign, 0, false
	}
	s := t.find(h, f)
	switch {
	case len(t.found) == 0 && s.flow:
		return Spoofed, 0, false
	case len(t.found) == 0:
		return Foreign, 0, false
	case s.capped && s.rule >= sureRules:
		return Ambiguous, 0, false
	}
	pos, resent, ok := t.choose(h)
	if !ok {
		return Ambiguous, 0, false
	}
	r.Rule = rules[s.rule].Name
	return Exact, pos, resent
}

// compare fills the report of an attributed error and the flags that follow
// from it.
func (t *Tracker) compare(r *Result) {
	q := &r.Reply.Quote
	r.Report.Compare(r.Cause.Bytes, r.Reply.Body[:min(q.Bytes, len(r.Reply.Body))])
	r.Flags |= r.Report.Flags
	if r.Flags&anomaly.Cut != 0 && r.Flags&anomaly.Truncated != 0 {
		r.Flags &^= anomaly.Truncated // by the capture, not by the router
	}
	if r.Reply.Kind != frame.KindTimeExceeded {
		r.Flags &^= anomaly.TTL // it is what was left, as it should be
	}
	if r.Reply.Kind == frame.KindTimeExceeded && r.Reply.From == r.Cause.Dst {
		r.Flags |= anomaly.FromTarget
	}
}
