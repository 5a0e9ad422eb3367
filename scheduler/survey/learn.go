package survey

import "github.com/hopquote/hopquote/rx"

// Whether a hop is known, or how far a target's neighbours are, is each in
// memory that no other is near of, which takes longer to come than all else that
// is done about a probe. So it is asked for together, and comes together.

// together is how many replies or targets that is.
const together = 32

// waiting are replies that were told of and have not been learned from.
type waiting struct {
	list [together]learned
	n    int
	read uint64 // has the reads done that begin to fetch
}

// learned is what a trace learns from a reply.
type learned struct {
	Trace
	tag      int
	hop      uint64 // key in the stop set, 0 for none
	hash     uint64 // of it
	why      Stop
	settles  bool
	distance uint8 // of the target, as its answer tells; 0: it does not
}

// Learn passes the reply on. What it means for its trace waits for others, until
// somebody asks for what that depends on.
func (a *Adaptive) Learn(m *rx.Match) {
	trace, attempt, ttl := splitTag(m.Tag)
	t := a.split(trace)
	a.tell(t, attempt, ttl, m)
	if a.late.n == together {
		a.catchUp()
	}
	l := &a.late.list[a.late.n]
	a.late.n++
	*l = learned{Trace: t, tag: m.Tag, why: kindOf(m.Reply, m.Reply.From == a.reply.Addr), settles: settles(m)}
	switch l.why {
	case Unfinished:
		l.hop = stopKey(m.Reply.From, ttl, t.Flow)
		l.hash = a.known.hash(l.hop)
	case Reached:
		l.distance = distance(ttl, m.Reply)
	}
}

// catchUp learns from the replies that wait, in the order in which they came.
func (a *Adaptive) catchUp() {
	list := a.late.list[:a.late.n]
	if len(list) == 0 {
		return
	}
	a.late.n = 0
	a.late.read = a.known.fetch(list)
	for i := range list {
		a.learnFrom(&list[i])
	}
}

// learnFrom goes on with a reply's trace.
func (a *Adaptive) learnFrom(l *learned) {
	seen := l.hop != 0 && a.known.enter(l.hop, l.hash)
	trace, attempt, ttl := splitTag(l.tag)
	w := a.underWay(trace)
	if w == nil || !l.settles {
		return
	}
	d, ok := w.takes(ttl)
	if !ok || attempt != w.attempt(d) {
		return
	}
	w.settle(d)
	if l.why == Unfinished {
		w.hop(d, ttl, seen, a)
	} else {
		w.arrived(ttl, l.why)
		if d == backward {
			w.fromTarget(ttl, l.distance, a)
		}
	}
	a.goOn(trace, l.Trace, w)
}
