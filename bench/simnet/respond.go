package simnet

import (
	"math/rand/v2"
	"time"
)

// Frame is a frame to be sent a while after the one that it answers.
type Frame struct {
	After time.Duration
	Data  []byte
}

// Responder is a path that follows a script. It is for one goroutine.
type Responder struct {
	script   *Script
	mac      [6]byte
	random   *rand.Rand
	arrivals map[arrival]int
	buckets  map[int]bucket
	id       uint16 // of the next IPv4 reply
	counts   Counters
}

// arrival is what probes are counted by: a rule's choices are handed out in
// the order of the probes of one TTL.
type arrival struct{ rule, ttl int }

// bucket is the state of a rate limit.
type bucket struct {
	tokens float64
	at     time.Duration
}

// NewResponder starts a path with the link address mac, with no probe seen.
func NewResponder(s *Script, mac [6]byte) *Responder {
	return &Responder{
		script: s, mac: mac,
		random:   rand.New(rand.NewPCG(s.seed, 0)),
		arrivals: map[arrival]int{},
		buckets:  map[int]bucket{},
		counts:   newCounters(),
	}
}

// Respond appends to out what answers frame f, an Ethernet frame that arrives
// at time now of any clock that does not run backwards, in the order in which
// it is to be sent apart from the delays. It tells whether f was a probe: an
// IP packet between hosts. The result does not point into f.
func (r *Responder) Respond(now time.Duration, f []byte, out []Frame) (frames []Frame, isProbe bool) {
	if len(f) < ethernetLen {
		r.counts.Ignored["short"]++
		return out, false
	}
	v6 := false
	switch etherType(f) {
	case etherTypeARP:
		if reply := r.answerARP(f); reply != nil {
			r.counts.Neighbours++
			return append(out, Frame{Data: reply}), false
		}
		r.counts.Ignored["arp"]++
		return out, false
	case etherTypeIPv6:
		v6 = true
	case etherTypeIPv4:
	default:
		r.counts.Ignored["ethertype"]++
		return out, false
	}
	p, ok := parsePacket(f[ethernetLen:], v6)
	if !ok {
		r.counts.Ignored["malformed"]++
		return out, false
	}
	if reply := r.answerSolicitation(f, &p); reply != nil {
		r.counts.Neighbours++
		return append(out, Frame{Data: reply}), false
	}
	if !p.isUnicast() || isDiscovery(&p) {
		r.counts.Ignored["multicast"]++
		return out, false
	}
	r.counts.Asked[p.name()]++
	return r.route(now, f, &p, out), true
}

// route follows a probe down the path to whoever answers it.
func (r *Responder) route(now time.Duration, f []byte, p *ipPacket, out []Frame) []Frame {
	s := r.script
	if !s.isTarget(p.dst) {
		// Prohibited, not without a route: resolvers give up on the first at once.
		re := plainReply()
		re.kind, re.code, re.from = unreach, choose(p.v6, 13, 1), s.gateway(p.v6)
		return r.send(now, f, p, &re, 1, out)
	}
	if p.isLater {
		r.counts.Answered[lost.String()]++
		return out
	}
	rule, index := s.findHop(p, int(p.ttl))
	if m := s.tooSmall(p, rule != nil); m != nil {
		re := &m.reply[0]
		if p.v6 {
			re = &m.reply[1]
		}
		if m.silent || !re.from.IsValid() {
			r.counts.Answered[lost.String()]++
			return out
		}
		return r.send(now, f, p, re, m.hop, out)
	}
	if rule != nil {
		ch := r.next(rule, index, int(p.ttl))
		if ch[0].kind != arrive {
			return r.sendAll(now, f, p, ch, rule.low, out)
		}
	}
	distance := s.distance(p)
	if rule, i := s.findDest(p); rule != nil {
		return r.sendAll(now, f, p, r.next(rule, i, int(p.ttl)), distance, out)
	}
	re := plainReply()
	re.kind = defaultReply(p.protocol)
	return r.send(now, f, p, &re, distance, out)
}

// defaultReply is what a host does that no dest line describes: no port
// listens.
func defaultReply(protocol int) kind {
	switch protocol {
	case protoUDP, protoUDPLite:
		return portClosed
	case protoTCP:
		return reset
	case protoICMP:
		return echo
	}
	return noProtocol
}

// next gives the choice that a rule has for the next probe of a TTL.
func (r *Responder) next(rule *rule, index, ttl int) choice {
	key := arrival{index, ttl}
	n := r.arrivals[key]
	r.arrivals[key]++
	if rule.cycle {
		return rule.choices[n%len(rule.choices)]
	}
	return rule.choices[min(n, len(rule.choices)-1)]
}

func (r *Responder) sendAll(now time.Duration, f []byte, p *ipPacket, ch choice, hop int, out []Frame) []Frame {
	for i := range ch {
		out = r.send(now, f, p, &ch[i], hop, out)
	}
	return out
}

// send appends one reply and its copies, unless chance or a limit takes it.
func (r *Responder) send(now time.Duration, f []byte, p *ipPacket, re *reply, hop int, out []Frame) []Frame {
	if re.kind == lost {
		r.counts.Answered[lost.String()]++
		return out
	}
	if re.loss > 0 && r.random.Float64() < re.loss {
		r.counts.Suppressed["loss"]++
		return out
	}
	if re.rate > 0 && !r.allow(now, re) {
		r.counts.Suppressed["rate"]++
		return out
	}
	data := r.build(f, p, re, hop)
	if data == nil {
		r.counts.Suppressed["no reply to such a probe"]++
		return out
	}
	after := re.delay[0]
	if d := re.delay[1] - after; d > 0 {
		after += time.Duration(r.random.Int64N(int64(d) + 1))
	}
	for range 1 + re.copies {
		r.counts.Answered[re.kind.String()]++
		out = append(out, Frame{After: after, Data: data})
	}
	return out
}

// allow takes a token from the reply's bucket, which starts full.
func (r *Responder) allow(now time.Duration, re *reply) bool {
	b, seen := r.buckets[re.bucket]
	if !seen {
		b = bucket{tokens: re.burst, at: now}
	}
	b.tokens = min(re.burst, b.tokens+re.rate*(now-b.at).Seconds())
	b.at = now
	ok := b.tokens >= 1
	if ok {
		b.tokens--
	}
	r.buckets[re.bucket] = b
	return ok
}
