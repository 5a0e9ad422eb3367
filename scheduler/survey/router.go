package survey

import (
	"math/bits"
	"time"
)

// router is what a backoff knows of a responder, or of several that share a
// place. Answers come at once and losses are known seconds later: both are
// counted by when the probe left, in bins of time, and a verdict is about those
// whose probes are all answered or given up.
type router struct {
	bins  [routerBins]bin
	shift uint8         // a bin's time in ns is 1<<shift
	next  int64         // number of the first bin that is in no verdict
	from  time.Duration // what left before is in none either

	// What the next verdict is about.
	answers, losses int
	first           int64 // bin

	gap  time.Duration // between two probes; 0: as they come
	free time.Duration // nothing leaves for it before

	state  limitState
	usual  float32       // share of losses that has nothing to do with a limit
	before float32       // tried: share of losses before
	fair   time.Duration // tried: time between answers before; limited: gap before it was made wider
	wider  uint8         // limited: times in a row that the gap was made wider
}

// limitState is what is thought of a router.
type limitState uint8

const (
	unlimited limitState = iota
	tried                // whether fewer probes bring fewer losses
	limited
)

// bin counts probes that left in some time.
type bin struct {
	number          int64 // of the bin, times its length is when it begins
	answers, losses uint16
}

const (
	// routerBins is how many of the latest bins are remembered, of which a
	// probe waits for its answer for binsAloft or up to twice as many.
	routerBins = 16
	binsAloft  = 4
	leastShift = 28 // 268 ms
	// Gaps are leastGap to mostGap long, or none. lateness is that of a probe whose
	// time has come.
	leastGap = 20 * time.Microsecond
	mostGap  = 250 * time.Millisecond
	lateness = 4 * time.Millisecond
	// verdictAt is how many probes a verdict takes at least, and leastAnswers how
	// many answers, if there are any among mostProbes.
	verdictAt    = 64
	leastAnswers = 8
	mostProbes   = 1 << 10
	// More losses than are usual by lossMuch may be a limit, and less than
	// lossLittle are none.
	lossMuch   = 1. / 8
	lossLittle = 1. / 32
	// A trial takes trialAt probes and as many as would bring trialAnswers
	// without a limit. It leaves trialGap between them at most, or asks slower by
	// maxSlower.
	trialAt      = 48
	trialAnswers = 3
	maxSlower    = 4
	trialGap     = 100 * time.Millisecond
	// A trial has shown a limit if there are fewer losses by lossLess, or more
	// answers by the factor of answersMore.
	lossLess    = 3. / 16
	answersMore = 2
	// maxWider times without fewer losses show that they are usual.
	maxWider = 4
)

// binShift is for bins of a length that suits how long probes are waited for.
func binShift(patience time.Duration) uint8 {
	return uint8(max(bits.Len64(uint64(patience/binsAloft))-1, leastShift))
}

// admits tells whether a probe may leave for the router, which it then does. One
// that comes late, as they do by milliseconds, does not delay the next.
func (r *router) admits(now time.Duration) bool {
	if r.gap == 0 {
		return true
	}
	if now < r.free {
		return false
	}
	r.free = max(r.free, now-max(r.gap, lateness)) + r.gap
	return true
}

// note counts a probe that left at sent. Probes are given up in the order in
// which they left, all after the same patience; 0: nobody knows it yet.
func (r *router) note(sent time.Duration, answered bool, now, patience time.Duration) {
	if shift := binShift(patience); shift != r.shift {
		r.shift = shift
		r.begin(now)
	}
	if sent < r.from {
		return
	}
	at := int64(sent >> r.shift)
	b := &r.bins[at%routerBins]
	switch {
	case b.number > at:
		return // too long ago
	case b.number < at:
		*b = bin{number: at}
	}
	settled := at // bins before it are
	if answered {
		b.answers++
		settled = int64((sent - patience) >> r.shift)
		if patience == 0 {
			return
		}
	} else {
		b.losses++
	}
	r.next = max(r.next, settled-routerBins)
	for ; r.next < settled; r.next++ {
		r.take(now)
	}
}

// take adds the next bin to what the verdict is about, which may be ready then.
func (r *router) take(now time.Duration) {
	b := &r.bins[r.next%routerBins]
	if b.number != r.next || b.answers+b.losses == 0 {
		return
	}
	if r.answers+r.losses == 0 {
		r.first = b.number
	}
	r.answers += int(b.answers)
	r.losses += int(b.losses)
	if r.tells() {
		r.judge(now)
	}
}

// tells says whether there is enough for a verdict.
func (r *router) tells() bool {
	n := r.answers + r.losses
	switch {
	case r.state == tried:
		return n >= trialAt && (1-r.before)*float32(n) >= trialAnswers
	case r.state == unlimited && r.usual == 0:
		n *= 2 // nothing is known yet
	}
	return n >= verdictAt && (r.answers >= leastAnswers || n >= mostProbes)
}

// begin leaves all that has left until now out of the next verdicts.
func (r *router) begin(now time.Duration) {
	r.from, r.answers, r.losses = now, 0, 0
	r.bins = [routerBins]bin{}
	r.next = int64(now >> r.shift)
}

// judge finds the gap that suits the router. What left until a change tells
// nothing about what comes after it.
func (r *router) judge(now time.Duration) {
	share := float32(r.losses) / float32(r.answers+r.losses)
	was, state := r.gap, r.state
	switch {
	case r.state == tried:
		r.conclude(share)
	case r.state == unlimited && share > r.usual+lossMuch:
		r.try(share)
	case r.state == limited && share > r.usual+lossMuch:
		r.widen(share)
	case r.state == limited && share < r.usual+lossLittle:
		r.wider = 0
		if r.gap -= r.gap / 8; r.gap < leastGap {
			r.gap, r.state = 0, unlimited
		}
	default:
		r.wider = 0
	}
	if share < r.usual {
		r.usual += (share - r.usual) / 4
	}
	r.answers, r.losses = 0, 0
	if r.gap != was || r.state != state {
		r.begin(now)
	}
}

// apart is the mean time between so many of the probes of the verdict.
func (r *router) apart(n int) time.Duration {
	span := time.Duration(r.next+1)<<r.shift - max(time.Duration(r.first)<<r.shift, r.from)
	return max(span/time.Duration(max(n, 1)), leastGap)
}

// try asks half as often as there were answers. A limit then costs none of them,
// and whatever else costs as many as before. Routers that are asked rarely are
// left alone: trials would take long, and limits are hardly ever that low.
func (r *router) try(share float32) {
	slowest := maxSlower * r.apart(r.answers+r.losses)
	if slowest > mostGap {
		r.state, r.usual, r.gap = unlimited, share, 0
		return
	}
	r.state, r.before, r.fair = tried, share, r.apart(r.answers)
	r.gap = min(2*r.fair, max(slowest, trialGap))
}

// conclude tells what a trial has shown.
func (r *router) conclude(share float32) {
	switch {
	case share < r.before-lossLess, 1-share > answersMore*(1-r.before):
		r.state, r.usual, r.gap, r.wider = limited, 0, min(r.fair, mostGap), 0
	case share > r.before+lossMuch:
		r.try(share) // what it had saved up is used up now
	default:
		r.state, r.usual, r.gap = unlimited, share, 0
	}
}

// widen makes the gap of a limited router wider, unless that is of no use.
func (r *router) widen(share float32) {
	switch {
	case r.wider == 0:
		r.fair = r.gap
	case r.wider == maxWider:
		r.usual, r.gap, r.wider = share, r.fair, 0
		return
	}
	r.wider++
	asked := time.Duration(float32(r.apart(r.answers)) * (1 - r.usual))
	r.gap = min(max(asked, r.gap+r.gap/8), mostGap)
}
