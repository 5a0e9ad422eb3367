package survey

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/scheduler"
)

// backoff keeps off routers that limit how many errors they send: where one
// that has answered leaves more unanswered than it is known to, its probes are
// spaced out as far as its answers were. Where that brings no more answers, it is
// not because of a limit that they are missing, and they come as before.
//
// Which router a probe will end at is taken from the one that answered last to
// the same TTL on the way to the same prefix, the longest of three that is known.
// Where nobody has, or where another probe has taken the place in the table,
// nothing is held back.
type backoff struct {
	hints   []uint64 // upper half: which TTL and prefix; lower half: place of the router
	routers []router
	// held are probes that are to wait, ready those that may leave. A probe is
	// dropped from ready once it has left.
	held, ready fifo[int]
	looked      time.Duration // when those that wait were looked at
	now         time.Duration // of the last pass
	patience    time.Duration // how long probes are waited for; 0: not known yet
}

const (
	hintPlaces   = 1 << 18
	routerPlaces = 1 << 14
	// maxHeld bounds the probes that wait: then all others wait too.
	maxHeld = 1 << 14
	// retries is how many of those that wait are looked at, every so often.
	retries    = 256
	retryEvery = time.Millisecond
)

func newBackoff() *backoff {
	return &backoff{hints: make([]uint64, hintPlaces), routers: make([]router, routerPlaces)}
}

// prefixBits are those of the prefixes that hints are for, of an IPv4 address;
// IPv6 ones have twice as many.
var prefixBits = [...]int{24, 20, 16}

// hint gives a probe's place among the hints, and what tells it from others
// there.
func (b *backoff) hint(dst netip.Addr, ttl uint8, bits int) (*uint64, uint64) {
	var prefix uint64
	if dst.Is4() {
		a := dst.As4()
		prefix = uint64(binary.BigEndian.Uint32(a[:])) << 32 >> (64 - bits) << 1
	} else {
		a := dst.As16()
		prefix = binary.BigEndian.Uint64(a[:])>>(64-2*bits)<<1 | 1
	}
	h := mix(mix(prefix<<8|uint64(ttl)) ^ uint64(bits))
	return &b.hints[h%hintPlaces], h>>32 | 1
}

// expects gives the router that a probe is likely to end at, nil for none.
func (b *backoff) expects(dst netip.Addr, ttl uint8) *router {
	for _, bits := range prefixBits {
		if place, tag := b.hint(dst, ttl, bits); *place>>32 == tag {
			return &b.routers[*place&(routerPlaces-1)]
		}
	}
	return nil
}

// answered notes that a router answered a probe that left at sent.
func (b *backoff) answered(from, dst netip.Addr, ttl uint8, sent time.Duration) {
	at := mix(stopKey(from, 1, 0)) % routerPlaces
	for _, bits := range prefixBits {
		place, tag := b.hint(dst, ttl, bits)
		*place = tag<<32 | at
	}
	b.routers[at].note(sent, true, b.now, b.patience)
}

// lost notes that nobody answered a probe that left at sent.
func (b *backoff) lost(dst netip.Addr, ttl uint8, sent time.Duration) {
	b.patience = max(b.patience, b.now-sent)
	if r := b.expects(dst, ttl); r != nil {
		r.note(sent, false, b.now, b.patience)
	}
}

// admit takes a probe in: it may leave, or is to wait.
func (b *backoff) admit(tag int, dst netip.Addr, ttl uint8, now time.Duration) {
	if r := b.expects(dst, ttl); r != nil && !r.admits(now) {
		b.held.put(tag)
		return
	}
	b.ready.put(tag)
}

// retry takes some of those in again that wait, now and then. at tells where a
// probe goes.
func (b *backoff) retry(now time.Duration, at func(tag int) (netip.Addr, uint8)) {
	b.now = now
	if now < b.looked+retryEvery {
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
		pass.Wake = min(pass.Wake, pass.Now+retryEvery)
	}
}

// each calls f for every one of them.
func (b *backoff) each(f func(tag int)) {
	for _, q := range []*fifo[int]{&b.ready, &b.held} {
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
