package survey

import "github.com/hopquote/hopquote/frame"

// walk is what is kept of a trace under way, in 8 bytes: it goes back from
// where it started, down to a hop that is known, and ahead from there until the
// target answers or nobody does any more.
type walk struct {
	back   uint8 // TTL that the way back probes, or will; 0: that way is done
	ahead  uint8 // the same for the way ahead
	start  uint8 // where it started
	top    uint8 // least TTL that the target answered to, or that nothing passes; 0: none
	silent uint8 // silent TTLs in a row on the way ahead
	tries  uint8 // attempts made at back (low half) and ahead (high half)
	stop   Stop
	state  uint8
}

// The bits of a walk's state.
const (
	walking  = 1 << iota // not finished
	backOut              // a probe of the way back is queued or in flight
	aheadOut             // the same for the way ahead
	jumped               // back was set to what the target's quote told
)

// direction is one of the two ways.
type direction bool

const (
	backward direction = false
	forward  direction = true
)

// takes gives the direction that a probe's TTL belongs to, if it is one that
// the walk waits for.
func (w *walk) takes(ttl uint8) (direction, bool) {
	switch {
	case w.state&backOut != 0 && ttl == w.back:
		return backward, true
	case w.state&aheadOut != 0 && ttl == w.ahead:
		return forward, true
	}
	return backward, false
}

// attempt gives how many probes were sent at the direction's TTL.
func (w *walk) attempt(d direction) int {
	if d == forward {
		return int(w.tries >> 4)
	}
	return int(w.tries & 0xf)
}

// settle ends the direction's wait, and starts its attempts anew.
func (w *walk) settle(d direction) {
	if d == forward {
		w.state &^= aheadOut
		w.tries &= 0x0f
	} else {
		w.state &^= backOut
		w.tries &= 0xf0
	}
}

// retry counts one more attempt.
func (w *walk) retry(d direction) {
	if d == forward {
		w.tries += 1 << 4
	} else {
		w.tries++
	}
}

// end notes what ended the way ahead, unless something did before.
func (w *walk) end(why Stop) {
	w.ahead = 0
	if w.stop == Unfinished {
		w.stop = why
	}
}

// arrived notes that the target answered at ttl, or a router refused there.
func (w *walk) arrived(ttl uint8, why Stop) {
	if w.top == 0 || ttl < w.top {
		w.top = ttl
	}
	if w.stop == Unfinished || why == Reached {
		w.stop = why
	}
	if w.ahead >= w.top {
		// What is still out there on the way ahead is not waited for.
		w.ahead = 0
		w.settle(forward)
	}
}

// hop goes on after a router's answer; known tells that the way to it is.
func (w *walk) hop(d direction, ttl uint8, known bool, a *Adaptive) {
	if d == forward {
		w.silent = 0
		w.on(ttl, a)
		return
	}
	w.mind(ttl, a)
	w.back = 0
	if !known {
		w.down(ttl, a)
	}
}

// nobody goes on after a TTL that kept silent.
func (w *walk) nobody(d direction, ttl uint8, a *Adaptive) {
	if d == forward || ttl == w.start && w.top == 0 {
		w.silent++
	}
	if d == forward {
		w.on(ttl, a)
		return
	}
	w.mind(ttl, a)
	w.down(ttl, a)
}

// mind starts the way ahead where the way back started, or where it jumped to
// the wrong place.
func (w *walk) mind(ttl uint8, a *Adaptive) {
	if ttl == w.start || w.state&jumped != 0 {
		w.on(ttl, a)
	}
	w.state &^= jumped
}

// on sets the way ahead to the TTL behind ttl, unless it ends there.
func (w *walk) on(ttl uint8, a *Adaptive) {
	switch {
	case w.top != 0 && ttl+1 >= w.top:
		w.ahead = 0
	case a.GapLimit > 0 && int(w.silent) >= a.GapLimit:
		w.end(GapLimit)
	case ttl >= a.Max:
		w.end(LastTTL)
	default:
		w.ahead = ttl + 1
	}
}

// down sets the way back to the TTL before ttl.
func (w *walk) down(ttl uint8, a *Adaptive) {
	w.back = 0
	if ttl > a.First {
		w.back = ttl - 1
	}
}

// fromTarget goes back from where nothing passes, to where the target's answer
// says that it is; 0: it does not.
func (w *walk) fromTarget(ttl, at uint8, a *Adaptive) {
	w.state &^= jumped
	w.down(ttl, a)
	if at >= a.First && at < ttl {
		w.back = at
		w.state |= jumped
	}
}

// distance guesses how far a target is that answered a probe of the TTL: the
// TTL that it quotes is what the probe had left. An answer that quotes nothing
// has lost, on its way back, what is missing from the 64, 128 or 255 that hosts
// send with, and ways back are about as long as ways there. 0 stands for no
// idea.
func distance(ttl uint8, r *frame.Reply) uint8 {
	if r.Kind.IsError() {
		if left := r.Quote.TTL; r.Quote.Bytes > 0 && left >= 1 && left <= ttl {
			return ttl - left + 1
		}
		return 0
	}
	for _, full := range []uint8{64, 128, 255} {
		if r.TTL <= full {
			return full - r.TTL + 1
		}
	}
	return 0
}

// kindOf tells what a reply means to a walk: Unfinished for a hop on the way.
func kindOf(r *frame.Reply, target bool) Stop {
	switch {
	case r.Kind.IsAnswer():
		return Reached
	case r.Kind == frame.KindTimeExceeded:
		return Unfinished
	case target:
		return Reached
	}
	return Unreachable
}
