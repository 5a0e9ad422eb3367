package hops

import (
	"time"

	"github.com/hopquote/hopquote/scheduler"
)

// Wait bounds how long a probe may stay unanswered, as traceroute's -w.
type Wait struct {
	Max  time.Duration
	Here float64 // times an answer from the same hop; 0: not used
	Near float64 // times an answer from a later hop; 0: not used
}

// slack is added to a neighbour's RTT before it is multiplied.
const slack = time.Millisecond

// deadline is when the probe at place k is given up. It may move closer, even
// into the past, as neighbours answer.
func (h *Hops) deadline(k int) time.Duration {
	if h.shown[k] == moved {
		return 0
	}
	timeout := h.timeout(k)
	if timeout > scheduler.Never/2 {
		return scheduler.Never // the sum would overflow
	}
	return h.records[k].SentAt + timeout
}

// timeout is HERE times the first RTT of the same hop or else, only when HERE
// is off or has nothing to go by, NEAR times the first RTT of the probes sent
// later; never more than MAX.
func (h *Hops) timeout(k int) time.Duration {
	w := &h.cfg.Wait
	if w.Here != 0 {
		hop := k / h.cfg.Queries * h.cfg.Queries
		for i := hop; i < hop+h.cfg.Queries; i++ {
			if rtt := h.rtt(i); rtt > 0 {
				return w.times(rtt, w.Here)
			}
		}
	}
	if w.Near != 0 {
		for i := k + 1; i < len(h.shown) && !h.unsent(i); i++ {
			if rtt := h.rtt(i); rtt > 0 {
				return w.times(rtt, w.Near)
			}
		}
	}
	return w.Max
}

func (w *Wait) times(rtt time.Duration, factor float64) time.Duration {
	t := float64(rtt+slack) * factor
	if t > float64(w.Max) {
		return w.Max
	}
	return time.Duration(t)
}

// rtt is the round trip of the answer shown at place k, or 0.
func (h *Hops) rtt(k int) time.Duration {
	if !h.settled(k) {
		return 0
	}
	return h.at(k).Answer.RTT
}
