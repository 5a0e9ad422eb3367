package scheduler

import (
	"sync"
	"sync/atomic"

	"github.com/hopquote/hopquote/rx"
)

// A reply may come to another loop than its probe's: the kernel steers it by the
// source port that it quotes, which translators change, or can't see that at
// all. A loop that finds no probe for a reply hands a copy to the next loop, and
// that one to the next, until one of them knows it or all were asked. Whoever
// has it last counts it, nobody else: a reply is one reply, however many looked
// at it, and what nobody knows is counted for the best reason that any gave.
//
// So that there is always somebody to ask, no loop ends before all are done.
//
// To each loop that is asked, what it does not know looks like a guess, and many
// guesses about destinations let its ledger's weak rules rest (rx.Rule): where a
// translator has most replies handed over, those that bring too little back for a
// strong rule may be nobody's.

// sharedBook is a Book whose strays may be another's replies.
type sharedBook interface {
	Book
	// Recount takes back that m, a stray that Match has just given, was counted.
	// It counts for another reason then, or not at all for ReasonNone.
	Recount(m *rx.Match, reason rx.Reason)
}

// Handovers is what became of replies that came to another loop than their
// probe's, or seemed to. Those neither matched nor lost were nobody's.
type Handovers struct {
	Offered uint64 // replies that were to be handed over
	Matched uint64 // those whose probe another loop knew
	Lost    uint64 // those that found no room: counted as strays, and not all loops were asked
}

// beside is what an engine has to do with those at its side.
type beside struct {
	book    sharedBook
	next    *Engine       // who gets what this one does not know
	loops   int           // in all
	working *atomic.Int32 // of all loops: those whose strategy is not done
	wake    func()        // wakes all loops
	done    bool          // this one's strategy is
	queue   handoverQueue // what others did not know
	one     handed        // scratch
	counts  Handovers
}

// handed is a reply on its way, and what is known of it.
type handed struct {
	packet rx.Packet // with Data of its own
	asked  int       // loops that did not know it
	reason rx.Reason // the best that they gave
}

// join makes the engines known to one another, where all have a book that can
// share and a receiver that can be woken.
func (s Shards) join() {
	if len(s) < 2 {
		return
	}
	working := new(atomic.Int32)
	working.Store(int32(len(s)))
	list := make([]*beside, len(s))
	for i, e := range s {
		book, shares := e.book.(sharedBook)
		_, wakes := e.cfg.Receiver.(Waker)
		if !shares || !wakes {
			return
		}
		list[i] = &beside{book: book, next: s[(i+1)%len(s)], loops: len(s), working: working, wake: s.wake}
	}
	for i, e := range s {
		e.beside = list[i]
	}
}

// settle lets the engines take what is still on its way. None of them runs any
// more.
func (s Shards) settle() {
	for range s { // nothing is handed over more often
		for _, e := range s {
			e.takeOver()
		}
	}
}

// finished notes that the engine's strategy is done, and tells whether all are.
func (b *beside) finished() bool {
	if b == nil {
		return true
	}
	if !b.done {
		b.done = true
		if b.working.Add(-1) == 0 {
			b.wake()
		}
	}
	return b.working.Load() == 0
}

// mayBeAnothers tells whether a reply that belongs to no probe for this reason
// may belong to another loop's.
func mayBeAnothers(r rx.Reason) bool {
	return r == rx.ReasonUnknown || r == rx.ReasonAddress || r == rx.ReasonCheck
}

// offer hands a reply over that this loop is the first not to know, and tells
// whether it is another's concern now.
func (e *Engine) offer(pkt *rx.Packet) bool {
	if !mayBeAnothers(e.match.Reason) {
		return false
	}
	b := e.beside
	b.counts.Offered++
	b.one = handed{packet: *pkt}
	return e.handOn(&b.one)
}

// handOn passes a reply to the next loop, and tells whether it did.
func (e *Engine) handOn(h *handed) bool {
	b := e.beside
	h.asked++
	h.reason = max(h.reason, e.match.Reason)
	if !b.next.beside.queue.put(h, b.next.wake) {
		b.counts.Lost++
		return false
	}
	b.book.Recount(&e.match, rx.ReasonNone)
	return true
}

// takeOver looks at what the loop before did not know.
func (e *Engine) takeOver() {
	if e.beside == nil || e.beside.queue.waiting.Load() == 0 {
		return
	}
	for h := range e.beside.queue.take {
		e.resolve(h)
	}
}

// resolve finds the probe of a reply that was handed over, or passes it on.
func (e *Engine) resolve(h *handed) {
	b := e.beside
	if e.know(&h.packet) {
		b.counts.Matched++
		return
	}
	others := mayBeAnothers(e.match.Reason)
	if others && h.asked+1 < b.loops && e.handOn(h) {
		return
	}
	if others && h.reason > e.match.Reason {
		b.book.Recount(&e.match, h.reason)
	}
	e.stray(&h.packet)
}

// wake ends the engine's sleep.
func (e *Engine) wake() {
	if w, ok := e.cfg.Receiver.(Waker); ok {
		w.Wake()
	}
}

// maxHanded is how many replies wait for a loop at most: many times what comes
// in between two looks, unless somebody floods it.
const maxHanded = 1 << 10

// handoverQueue has the replies that one loop hands to another. The one does not
// wait for the other: what finds no room is refused. Neither takes a lock for
// replies that need no handing over.
type handoverQueue struct {
	waiting atomic.Int32 // len(replies), readable without mu
	mu      sync.Mutex
	replies []handed
	spare   []handed // read by the last take, for its memory
}

// put leaves a copy of h, and tells whether there was room. wake is called when
// nothing waited before.
func (q *handoverQueue) put(h *handed, wake func()) bool {
	q.mu.Lock()
	n := len(q.replies)
	if n == maxHanded {
		q.mu.Unlock()
		return false
	}
	if n < cap(q.replies) {
		q.replies = q.replies[:n+1]
	} else {
		q.replies = append(q.replies, handed{})
	}
	own := &q.replies[n]
	data := append(own.packet.Data[:0], h.packet.Data...)
	*own = *h
	own.packet.Data = data
	q.waiting.Store(int32(n + 1))
	q.mu.Unlock()
	if n == 0 {
		wake()
	}
	return true
}

// take hands all that waits to f, in order.
func (q *handoverQueue) take(f func(*handed) bool) {
	q.mu.Lock()
	taken := q.replies
	q.replies, q.spare = q.spare[:0], nil
	q.waiting.Store(0)
	q.mu.Unlock()
	for i := range taken {
		if !f(&taken[i]) {
			break
		}
	}
	q.mu.Lock()
	q.spare = taken
	q.mu.Unlock()
}
