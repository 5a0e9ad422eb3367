package survey

import (
	"net/netip"
	"time"

	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/scheduler"
)

// backoff keeps off routers that limit how many errors they send: where one
// that has answered leaves too much unanswered, its probes are spaced out until
// it no longer does.
//
// Which router a probe will end at is taken from the one that answered last to
// the same TTL, on the way to the same IPv4 /16 or IPv6 /32. Where nobody has, or
// where another probe has taken the place in the table, nothing is held back.
type backoff struct {
	hints   []uint64 // upper half: which TTL and prefix; lower half: place of the router
	routers []router
	// held are probes that are to wait, ready those that may leave. A probe is
	// dropped from ready once it has left.
	held, ready fifo
	looked      time.Duration // when those that wait were looked at
	now         time.Duration // of the last pass
}

// router is what is known of a responder, or of several that share a place.
type router struct {
	answers, losses uint16        // since the last verdict
	first, last     time.Duration // when the probes of them left
	changed         time.Duration // when the gap did last
	gap             time.Duration // between two probes; 0: as they come
	next            time.Duration // nothing leaves for it before
}

const (
	hintPlaces   = 1 << 16
	routerPlaces = 1 << 14
	// verdictAt is how many probes a verdict takes. A share of 1/lossMuch left
	// unanswered is a limit, and less than 1/lossLittle is none.
	verdictAt  = 32
	lossMuch   = 4
	lossLittle = 16
	leastGap   = time.Millisecond
	mostGap    = time.Second
	// maxHeld bounds the probes that wait: then all others wait too.
	maxHeld = 1 << 14
	// retries is how many of those that wait are looked at at a time.
	retries = 256
)

func newBackoff() *backoff {
	return &backoff{hints: make([]uint64, hintPlaces), routers: make([]router, routerPlaces)}
}

// hint gives a probe's place among the hints, and what tells it from others
// there.
func (b *backoff) hint(dst netip.Addr, ttl uint8) (*uint64, uint64) {
	a := dst.As16()
	prefix := uint64(a[0])<<24 | uint64(a[1])<<16 | uint64(a[2])<<8 | uint64(a[3])
	if dst.Is4() {
		prefix = 1<<32 | uint64(a[12])<<8 | uint64(a[13])
	}
	h := mix(prefix<<8 | uint64(ttl))
	return &b.hints[h%hintPlaces], h>>32 | 1
}

// expects gives the router that a probe is likely to end at, nil for none.
func (b *backoff) expects(dst netip.Addr, ttl uint8) *router {
	place, tag := b.hint(dst, ttl)
	if *place>>32 != tag {
		return nil
	}
	return &b.routers[*place&(routerPlaces-1)]
}

// answered notes that a router answered a probe that left at sent.
func (b *backoff) answered(from, dst netip.Addr, ttl uint8, sent time.Duration) {
	place, tag := b.hint(dst, ttl)
	at := mix(stopKey(from, 1, 0)) % routerPlaces
	*place = tag<<32 | at
	b.routers[at].note(sent, true, b.now)
}

// lost notes that nobody answered a probe that left at sent.
func (b *backoff) lost(dst netip.Addr, ttl uint8, sent time.Duration) {
	if r := b.expects(dst, ttl); r != nil {
		r.note(sent, false, b.now)
	}
}

// note counts a probe, and finds the gap anew where there is enough to go by.
// Probes that left before the gap was last changed tell nothing about it.
func (r *router) note(sent time.Duration, answered bool, now time.Duration) {
	if sent < r.changed {
		return
	}
	if n := r.answers + r.losses; n == 0 || sent < r.first {
		r.first = sent
	}
	r.last = max(r.last, sent)
	if answered {
		r.answers++
	} else {
		r.losses++
	}
	n := r.answers + r.losses
	if n < verdictAt {
		return
	}
	before := r.gap
	switch {
	case r.losses > n/lossMuch && r.answers > 0:
		// It answers as often as it did, and is not asked more often.
		r.gap = max((r.last-r.first)/time.Duration(r.answers), r.gap+r.gap/8, leastGap)
	case r.losses > n/lossMuch:
		r.gap = max(2*r.gap, leastGap)
	case r.losses < n/lossLittle && r.gap > 0:
		if r.gap -= r.gap / 16; r.gap < leastGap {
			r.gap = 0
		}
	}
	r.gap = min(r.gap, mostGap)
	if r.gap != before {
		r.changed = now
	}
	r.answers, r.losses, r.last = 0, 0, 0
}

// admit takes a probe in: it may leave, or is to wait.
func (b *backoff) admit(tag int, dst netip.Addr, ttl uint8, now time.Duration) {
	if r := b.expects(dst, ttl); r != nil && r.gap > 0 {
		if now < r.next {
			b.held.put(tag)
			return
		}
		r.next = now + r.gap
	}
	b.ready.put(tag)
}

// retry takes some of those in again that wait, now and then. at tells where a
// probe goes.
func (b *backoff) retry(now time.Duration, at func(tag int) (netip.Addr, uint8)) {
	b.now = now
	if now < b.looked+leastGap {
		return
	}
	b.looked = now
	for range min(b.held.n, retries) {
		tag := b.held.at(0)
		b.held.pop()
		dst, ttl := at(tag)
		b.admit(tag, dst, ttl, now)
	}
}

// full tells that no more may be taken in.
func (b *backoff) full() bool { return b.held.n >= maxHeld }

// waiting is how many probes have been taken in and have not left.
func (b *backoff) waiting() int { return b.held.n + b.ready.n }

// wake asks for another pass soon where some wait.
func (b *backoff) wake(pass *scheduler.Pass) {
	if b.held.n > 0 {
		pass.Wake = min(pass.Wake, pass.Now+leastGap)
	}
}

// each calls f for every one of them.
func (b *backoff) each(f func(tag int)) {
	for _, q := range []*fifo{&b.ready, &b.held} {
		for i := range q.n {
			f(q.at(i))
		}
	}
}

// waiting is how many probes wait in the backoff, if there is one.
func (p *plan) waiting() int {
	if p.back == nil {
		return 0
	}
	return p.back.waiting()
}

// miss tells the backoff of a probe that nobody answered.
func (p *plan) miss(o *rx.Origin) {
	if p.back != nil && o != nil {
		p.back.lost(o.Dst, o.TTL, o.Sent)
	}
}

// aim tells where a probe goes, by a tag that splitTag takes apart.
func (p *plan) aim(tag int) (netip.Addr, uint8) {
	trace, _, ttl := splitTag(tag)
	return p.Targets.At(p.split(trace).Target), ttl
}
