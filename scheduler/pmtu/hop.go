package pmtu

import (
	"time"

	"github.com/hopquote/hopquote/scheduler"
	"github.com/hopquote/hopquote/scheduler/hops"
)

// stage is how far the hop under way has come.
type stage uint8

const (
	walking  stage = iota // its queries are out, at the present size
	doubting              // all silent: is it the hop or the size?
	trying                // a size is on trial
	checking              // it was silent: does the hop still answer?
	over                  // nothing more to send
)

const (
	tries    = 3                      // counted silent probes that make a size too big
	doubts   = 2                      // silent small probes that make a hop silent
	misses   = 1                      // silent checks that a trial bears
	patience = 4                      // spoilt trials of one size before the search is given up
	maxTold  = 8                      // told MTUs that are believed in one hop, in each of walk and search
	budget   = 300                    // probes after which a hop's search puts no size on trial any more
	leastGap = 125 * time.Millisecond // between two probes after a spoilt trial; doubles
	mostGap  = time.Second            // what common routers need between two errors
	// leastWait and slack keep a wait that is reckoned from an RTT above what
	// a router's slow path adds now and then.
	leastWait = 100 * time.Millisecond
	slack     = time.Millisecond
)

// hop is the hop under way.
type hop struct {
	ttl    int
	stage  stage
	first  int // first tag of this stage
	sent   int // probes of this stage
	flying int // of them in flight, except while walking

	heard   bool          // it answered at the present size
	rtt     time.Duration // the longest one seen
	patient bool          // an answer came late: wait as long as allowed
	told    int           // MTUs believed while walking

	// The search: the largest size that got through with its proof, the
	// smallest one too big, the size on trial, the MTU told last.
	lo, hi, try int
	proof       hops.Record
	toldMTU     int
	searchTold  int
	// Of the size on trial: counted silent probes, checks answered since the
	// last one, checks missed, and how often it had to begin anew.
	silent, checked, missed, spoilt int

	searched  int
	pace, due time.Duration // between two probes; time of the next
}

func (s *Search) enter(st stage) {
	h := &s.hop
	h.stage, h.first, h.sent, h.flying = st, len(s.sends), 0, 0
}

// line gives the first place of the hop under way and the one behind its last.
func (s *Search) line() (int, int) {
	first := (s.hop.ttl - 1) * s.cfg.Queries
	return first, first + s.cfg.Queries
}

// wait is how long a probe of the hop under way may stay unanswered.
func (s *Search) wait() time.Duration {
	w, h := &s.cfg.Wait, &s.hop
	if w.Here == 0 || h.rtt == 0 || h.patient {
		return w.Max
	}
	t := max(float64(h.rtt+slack)*w.Here, float64(leastWait))
	if t > float64(w.Max) {
		return w.Max
	}
	return time.Duration(t)
}

// deadline is when a probe is given up.
func (s *Search) deadline(tag int) time.Duration {
	wait := s.wait()
	if wait > scheduler.Never/2 {
		return scheduler.Never // the sum would overflow
	}
	return s.sends[tag].at + wait
}

// ask asks for what the stage needs next.
func (s *Search) ask(pass *scheduler.Pass) {
	h := &s.hop
	first, end := s.line()
	switch h.stage {
	case walking:
		for k := first; k < end; k++ {
			p := &s.places[k]
			if p.Outcome == hops.Open && !p.flying && !s.request(pass, k, s.size) {
				return
			}
		}
	case doubting:
		for n := h.sent; n < doubts && s.request(pass, first, s.floor); n++ {
		}
	case trying, checking:
		size := h.try
		if h.stage == checking {
			size = h.lo
		}
		switch {
		case h.flying > 0:
		case h.due > pass.Now:
			pass.Wake = min(pass.Wake, h.due)
		default:
			s.request(pass, first, size)
		}
	}
}

// expire gives a probe up.
func (s *Search) expire(tag int) {
	s.closed(tag)
	d := &s.sends[tag]
	switch {
	case s.hop.stage == walking:
		// A larger probe's silence says nothing of the present size.
		if p := &s.places[d.place]; p.Outcome == hops.Open && d.probe.Size <= s.size {
			p.Outcome = hops.Lost
		}
	case s.current(tag):
		s.silence()
	}
}

// advance prints what is settled and goes on to the next hop when one is over.
func (s *Search) advance() {
	for !s.Done() {
		h := &s.hop
		first, end := s.line()
		if h.stage == walking && s.walked(first, end) {
			if h.heard || s.size <= s.floor {
				s.enter(over)
			} else {
				s.enter(doubting)
			}
		}
		for s.start < end && s.printable(&s.places[s.start]) {
			s.print(s.start)
			s.start++
		}
		if h.stage != over {
			return
		}
		for k := first; k < end; k++ {
			if s.places[k].Outcome.Final() {
				s.end = end
			}
		}
		s.hop = hop{ttl: h.ttl + 1, first: len(s.sends)}
	}
}

func (s *Search) walked(first, end int) bool {
	for k := first; k < end; k++ {
		if s.places[k].Outcome == hops.Open {
			return false
		}
	}
	return true
}

// printable holds lost places back while a search may still fill them.
func (s *Search) printable(p *place) bool {
	return p.Outcome > hops.Lost || p.Outcome == hops.Lost && (s.hop.heard || s.hop.stage == over)
}
