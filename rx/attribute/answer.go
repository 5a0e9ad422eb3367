package attribute

import (
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx/anomaly"
)

// Rules of direct answers, which quote nothing.
const (
	ruleAnswer      = "answer"
	ruleOtherSource = "answer-other-address"
)

// answer attributes a direct answer, or takes the packet for a probe.
func (t *Tracker) answer(ip []byte, class Class, r *Result) {
	var own, asked fields
	own.read(&t.header)
	asked = own.question()
	seen := t.findAnswered(&asked, class)
	rule := ruleAnswer
	if len(t.found) == 0 && class == classAnswer {
		t.findElsewhere(&asked)
		rule = ruleOtherSource
	}
	var pos uint64
	verdict := Stray
	switch {
	case len(t.found) > 0:
		if asked.hasBody {
			t.prefer(func(e *entry) bool { return e.fields.body == asked.body })
			t.prefer(func(e *entry) bool { return [2]byte(e.fields.body[:2]) == [2]byte(asked.body[:2]) })
		}
		var resent, ok bool
		pos, resent, ok = t.chooseByTime()
		verdict = Ambiguous
		if ok {
			frame.Decode(ip, frame.LinkRaw, false, &r.Reply)
			if rule == ruleOtherSource {
				r.Flags |= anomaly.OtherAddress
			}
			r.Rule = rule
			verdict = t.attribute(r, pos, resent)
		}
	case class == classDatagram || t.sameFlow(&own):
		t.sent(ip, false, r)
		return
	case seen:
		verdict = Spoofed
	}
	frame.Decode(ip, frame.LinkRaw, false, &r.Reply)
	if t.header.Length > len(ip) {
		r.Flags |= anomaly.Cut
	}
	r.Target = own.src
	t.settle(r, verdict)
	t.judge(&asked, pos, r, false)
	t.sent(ip, true, r)
}

// question gives the fields of the packet that f would answer, as far as an
// answer tells them.
func (f *fields) question() fields {
	q := *f
	q.src, q.dst = f.dst, f.src
	q.have = f.have & (hasAddrs | hasPorts | hasWord)
	q.sum, q.id, q.length = 0, 0, 0
	switch f.protocol {
	case protoICMP:
		switch f.dport {
		case icmpEchoReply:
			q.dport = icmpEcho
		default: // each answer's type is one more than its question's
			q.dport = f.dport - 1
		}
	case protoTCP:
		q.sport, q.dport = f.dport, f.sport
		q.word = f.ack - 1
		if f.flags&frame.FlagACK == 0 {
			q.have &^= hasWord
		}
	default:
		q.sport, q.dport = f.dport, f.sport
		q.have &^= hasWord
	}
	return q
}

// findAnswered collects the probes that f, the question of an answer, may be,
// and tells whether there were any of the same flow.
func (t *Tracker) findAnswered(f *fields, class Class) (flow bool) {
	t.found = t.found[:0]
	hash, ok := indexHash(indexFlow, f)
	if !ok {
		return false
	}
	w := t.chains[indexFlow].walk(hash, &t.window)
	if f.protocol == protoICMP { // a flow of pings is long
		if hash, ok = indexHash(indexWord, f); !ok {
			return false
		}
		w = t.chains[indexWord].walk(hash, &t.window)
	}
	for range maxWalk {
		pos, ok := w.next()
		if !ok {
			break
		}
		e := t.window.at(pos)
		p := &e.fields
		if e.reply || p.protocol != f.protocol || p.dst != f.dst || p.src != f.src || p.ports() != f.ports() || p.offset != 0 {
			continue
		}
		if class == classDatagram && t.now-e.at > int64(t.config.Wait) {
			break // further traffic of a conversation
		}
		flow = true
		if answers(f, p) {
			t.found = append(t.found, pos)
		}
	}
	return flow
}

// findElsewhere collects probes to other addresses that the answer to f must
// be meant for: their whole sequence came back.
func (t *Tracker) findElsewhere(f *fields) {
	if f.have&hasWord == 0 {
		return
	}
	hash, _ := indexHash(indexBarePort, f)
	w := t.chains[indexBarePort].walk(hash, &t.window)
	for range maxWalk {
		pos, ok := w.next()
		if !ok {
			return
		}
		e := t.window.at(pos)
		p := &e.fields
		if !e.reply && p.protocol == f.protocol && p.src == f.src && p.ports() == f.ports() && answers(f, p) {
			t.found = append(t.found, pos)
		}
	}
}

// answers tells whether the probe p can be the question f. A TCP segment
// acknowledges what p sent, at most its length with SYN and FIN (RFC 9293
// section 3.4); a reset without ACK has p's acknowledgment for its sequence
// (section 3.10.7.1).
func answers(f, p *fields) bool {
	switch f.protocol {
	case protoICMP:
		return f.word == p.word
	case protoTCP:
		if f.have&hasWord == 0 {
			return f.word == p.ack || f.flags&frame.FlagRST != 0 && f.word == 0
		}
		return f.word+1-p.word <= uint32(p.length)
	}
	return true
}

// sameFlow tells whether a probe of the same flow and direction was seen: the
// reset that ends a connection is no answer to it.
func (t *Tracker) sameFlow(f *fields) bool {
	hash, ok := indexHash(indexFlow, f)
	if !ok || f.protocol != protoTCP {
		return false
	}
	w := t.chains[indexFlow].walk(hash, &t.window)
	for range maxWalk {
		pos, ok := w.next()
		if !ok {
			return false
		}
		e := t.window.at(pos)
		if p := &e.fields; !e.reply && p.protocol == f.protocol && p.src == f.src && p.dst == f.dst && p.ports() == f.ports() {
			return true
		}
	}
	return false
}
