package hops

import (
	"net/netip"

	"github.com/hopquote/hopquote/scheduler"
)

// expire gives up the probe at place k, the first unprinted one. An
// unreachable that came for a later place is shown here instead where it tells
// that the path ends here: a router that refuses to forward answers every TTL
// beyond it.
func (h *Hops) expire(k int, pass *scheduler.Pass) {
	if h.shown[k] != moved {
		h.records[k].Outcome = Lost
		pass.Expire(k)
	}
	if from, ok := h.pull(k); ok {
		h.shown[k], h.shown[from] = h.shown[from], moved
		h.at(k).ShownTTL = h.records[k].TTL
	} else if h.shown[k] == moved {
		h.shown[k] = gone
	}
}

// pull finds the place whose answer belongs at place k.
func (h *Hops) pull(k int) (int, bool) {
	first := k / h.cfg.Queries * h.cfg.Queries
	for i := first; i < k; i++ {
		if !h.settled(i) || !h.at(i).Outcome.Final() {
			return 0, false
		}
	}
	from, ok := h.nextSettled(k)
	if !ok {
		return 0, false
	}
	r := h.at(from)
	if r.Outcome != Refused && r.Outcome != TooBig {
		return 0, false
	}
	sameHop := k > first || from < first+h.cfg.Queries
	return from, sameHop || h.seenBefore(k, r.Answer.From) || h.guessTTL(k, r) <= h.records[k].TTL
}

// nextSettled is the first place after k whose probe is answered.
func (h *Hops) nextSettled(k int) (int, bool) {
	for i := k + 1; i < len(h.shown) && !h.unsent(i); i++ {
		if h.settled(i) {
			return i, true
		}
	}
	return 0, false
}

// seenBefore tells whether a answered a probe before place k.
func (h *Hops) seenBefore(k int, a netip.Addr) bool {
	for i := range k {
		if h.settled(i) && a.IsValid() && h.at(i).Answer.From == a {
			return true
		}
	}
	return false
}

// guessTTL estimates from the reply's own TTL how many hops away its sender
// is: the hops it came back over, corrected by the nearest router before place
// k whose distance is known both ways.
func (h *Hops) guessTTL(k int, r *Record) int {
	if r.Answer.TTL == 0 {
		return MaxTTL + 1
	}
	back := HopsBack(r.Answer.TTL)
	for i := k - 1; i >= 0; i-- {
		if !h.settled(i) || h.at(i).Outcome != Hop || h.at(i).Answer.TTL == 0 {
			continue
		}
		if b := HopsBack(h.at(i).Answer.TTL); b < back {
			return back - b + h.records[i].TTL
		}
	}
	return back
}

// HopsBack is the number of hops that a reply has come over, taking the next
// customary initial TTL (64, 128 or 255) above the one that is left.
func HopsBack(ttl uint8) int {
	switch {
	case ttl <= 64:
		return 65 - int(ttl)
	case ttl <= 128:
		return 129 - int(ttl)
	}
	return 256 - int(ttl)
}
