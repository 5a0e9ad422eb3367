package attribute

import (
	"time"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx/anomaly"
)

// Counts is what became of all packets.
//
// Packets == Probes + Copies + the sums of Other and of Replies.
type Counts struct {
	Packets uint64
	Probes  uint64
	Copies  uint64
	Other   [Reasons]uint64  // by Reason
	Replies [Verdicts]uint64 // by Verdict
	// Crowded is how many packets were forgotten before their age because
	// there were too many: replies to them count as foreign.
	Crowded uint64
}

// Balanced tells whether the sum holds. Anything else is a bug here.
func (c *Counts) Balanced() bool {
	sum := c.Probes + c.Copies
	for _, n := range c.Other {
		sum += n
	}
	return sum+c.Received() == c.Packets
}

// Received is the number of replies of every verdict.
func (c *Counts) Received() uint64 {
	var sum uint64
	for _, n := range c.Replies {
		sum += n
	}
	return sum
}

// Tracker attributes replies.
type Tracker struct {
	config Config
	window window
	chains [indexes]chain
	copies copies
	keys   []keyState
	counts Counts
	now    int64 // the latest time so far
	at     int64 // of the packet
	stamp  uint64
	seen   []uint64 // by slot: the stamp of the reply that looked at it last
	found  []uint64 // candidates
	header anomaly.Header
	fields fields
}

// New makes a Tracker. It reserves the memory for all that config allows.
func New(config Config) *Tracker {
	config = config.withDefaults()
	t := &Tracker{config: config, window: newWindow(config.Packets, config.Bytes)}
	n := len(t.window.entries)
	for i := range t.chains {
		t.chains[i] = newChain(n)
	}
	t.seen = make([]uint64, n)
	t.copies = newCopies()
	for i := range config.Keys {
		t.keys = append(t.keys, keyState{key: config.Keys[i], chain: newChain(n)})
	}
	return t
}

// Counts gives the counts so far.
func (t *Tracker) Counts() Counts {
	c := t.counts
	c.Crowded = t.window.crowded
	return c
}

// Packet takes the next packet in, from its IP header on, and fills r. at is
// its time since any fixed moment. link is any number that tells the link and
// direction it was captured in from others: the same packet in two links is a
// Copy the second time. Packets may come in another order than their times have:
// captures of probers write what left before what came meanwhile. Times that run
// back by more than half of Config.Wait are taken as standing still there.
func (t *Tracker) Packet(at time.Duration, link uint64, ip []byte, r *Result) {
	t.now = max(t.now, int64(at))
	t.at = max(int64(at), t.now-int64(t.config.Wait)/2)
	t.counts.Packets++
	fields := r.Report.Fields[:0]
	*r = Result{Number: t.counts.Packets, At: at}
	r.Report.Fields = fields
	t.window.forget(t.now - int64(t.config.Age))

	h := &t.header
	h.Parse(ip)
	class, reason := classify(h)
	if class == Other {
		r.Reason = reason
		t.counts.Other[reason]++
		return
	}
	if h.Length >= 20 && h.Length < len(ip) {
		ip = ip[:h.Length] // what follows is the link's padding
		h.Parse(ip)
	}
	if t.copies.is(ip, h, t.now, link) {
		r.Class = Copy
		t.counts.Copies++
		return
	}
	switch class {
	case classError:
		t.error(ip, r)
	case classAnswer, classDatagram:
		t.answer(ip, class, r)
	default:
		t.sent(ip, false, r)
	}
}

// sent remembers a packet that may be quoted.
func (t *Tracker) sent(ip []byte, reply bool, r *Result) {
	if !reply {
		r.Class = Probe
		t.counts.Probes++
	}
	if !t.fields.read(&t.header) {
		return
	}
	pos, e := t.window.add(ip[:min(len(ip), t.config.Keep)])
	e.at, e.number, e.reply, e.fields = t.at, r.Number, reply, t.fields
	for i := range t.chains {
		if hash, ok := indexHash(i, &e.fields); ok {
			t.chains[i].add(hash, pos)
		}
	}
	if reply {
		return
	}
	for i := range t.keys {
		t.keys[i].add(&e.fields, pos)
	}
}

// settle finishes a reply: its verdict, and what it means for its cause.
func (t *Tracker) settle(r *Result, v Verdict) {
	r.Class, r.Verdict = Reply, v
	if !v.Attributed() {
		if k, ok := anomaly.Find(v.String()); ok {
			r.Flags |= k.Flag
		}
	}
	if r.Reply.Checksum == frame.ChecksumBad {
		r.Flags |= anomaly.ReplyChecksum
	}
	t.counts.Replies[v]++
}

// attribute notes the cause of a reply and gives its verdict.
func (t *Tracker) attribute(r *Result, pos uint64, resent bool) Verdict {
	e := t.window.at(pos)
	e.answered++
	r.Nth = int(e.answered)
	r.RTT = time.Duration(max(t.at-e.at, 0))
	r.Cause = Cause{
		Number: e.number, At: time.Duration(e.at), Src: e.fields.src, Dst: e.fields.dst,
		Protocol: e.fields.protocol, TTL: e.fields.ttl, SrcPort: e.fields.sport, DstPort: e.fields.dport,
		Size: int(e.fields.length), Bytes: t.window.bytes(e),
	}
	if resent {
		r.Flags |= anomaly.Resent
	}
	if r.Reply.Kind.IsError() {
		t.compare(r)
	}
	late := r.RTT > t.config.Wait
	if late {
		r.Flags |= anomaly.Late
	}
	switch {
	case e.answered > 1:
		r.Flags |= anomaly.Duplicate
		return Duplicate
	case late:
		return Late
	}
	for _, form := range [...]struct {
		flag    anomaly.Flag
		verdict Verdict
	}{
		{anomaly.Encapsulated, Encapsulated}, {anomaly.Translated, Translated},
		{anomaly.Fragment, Fragment}, {anomaly.Truncated, Truncated}, {anomaly.Rewrites, Rewritten},
	} {
		if r.Flags&form.flag != 0 {
			return form.verdict
		}
	}
	return Exact
}
