package survey

import (
	"net/netip"
	"time"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/scheduler"
)

// Random sends one probe for each target, flow and TTL, all in one order. It
// implements scheduler.Strategy. Its tags number the probes: all that is
// remembered of one is the tag, and for as long as its reply may come.
type Random struct {
	*plan
	sent   uint64 // places of the shard that have left
	end    uint64
	flying uint64
	again  fifo[int]   // probes of a run before this one, to be sent once more
	was    outstanding // while events are replayed; else nil
}

// NewRandom makes a strategy, or tells which value is out of range.
func NewRandom(cfg Config) (*Random, error) {
	p, err := newPlan(cfg, true)
	if err != nil {
		return nil, err
	}
	return &Random{plan: p, end: share(p.order.Len(), p.Shard, p.Shards)}, nil
}

// Probes is how many probes there are in all, and how many have left.
func (r *Random) Probes() (all, sent uint64) { return r.end, r.sent }

// Plan asks for the probes that are next.
func (r *Random) Plan(pass *scheduler.Pass) {
	if r.back != nil {
		r.planSpaced(pass)
		return
	}
	for i := 0; i < r.again.n && pass.Room > 0; i++ {
		if !r.send(pass, uint64(r.again.at(i))) {
			return
		}
	}
	for place := r.sent; place < r.end && pass.Room > 0; place++ {
		if !r.send(pass, r.order.At(place*r.Shards+r.Shard)) {
			return
		}
	}
}

// planSpaced is Plan with a backoff, through which all probes go. Those that
// wait count as places that have left.
func (r *Random) planSpaced(pass *scheduler.Pass) {
	if pass.Room <= 0 {
		return
	}
	b := r.back
	b.retry(pass.Now, r.aim)
	for b.ready.n < pass.Room && !b.full() && (r.again.n > 0 || r.sent < r.end) {
		var tag int
		if r.again.n > 0 {
			tag = r.again.at(0)
			r.again.pop()
		} else {
			tag = int(r.order.At(r.sent*r.Shards + r.Shard))
			r.sent++
		}
		dst, ttl := r.aim(tag)
		b.admit(tag, dst, ttl, pass.Now)
	}
	for i := 0; i < b.ready.n && r.send(pass, uint64(b.ready.at(i))); i++ {
	}
	b.wake(pass)
}

// aim tells where a probe goes.
func (r *Random) aim(tag int) (netip.Addr, uint8) {
	point := uint64(tag)
	return r.Targets.At(r.split(point / r.ttls).Target), r.First + uint8(point%r.ttls)
}

func (r *Random) send(pass *scheduler.Pass, point uint64) bool {
	t := r.split(point / r.ttls)
	return pass.Send(int(point), r.fill(t.Target, uint64(t.Flow), r.First+uint8(point%r.ttls)))
}

// split takes the number of a trace apart.
func (r *Random) split(trace uint64) Trace {
	if r.flows == 1 {
		return Trace{Target: trace}
	}
	return Trace{trace / r.flows, int(trace % r.flows)}
}

// Sent notes that one more probe left.
func (r *Random) Sent(tag int, _ *frame.Probe, _ time.Duration) {
	r.flying++
	if r.back != nil {
		r.back.ready.pop()
		return
	}
	if r.again.n > 0 && r.again.at(0) == tag {
		r.again.pop()
		return
	}
	r.sent++
}

// Learn passes the reply on.
func (r *Random) Learn(m *rx.Match) {
	if settles(m) {
		r.flying--
	}
	r.tell(r.split(uint64(m.Tag)/r.ttls), 0, m.Origin.TTL, m)
}

// Expired notes that a probe was given up.
func (r *Random) Expired(_ int, o *rx.Origin) {
	r.flying--
	r.miss(o)
}

// Done tells that every probe left and was answered or given up.
func (r *Random) Done() bool {
	return r.sent == r.end && r.flying == 0 && r.again.n == 0 && r.waiting() == 0
}

// Of tells which trace and attempt a tag is of.
func (r *Random) Of(tag int) (Trace, int) { return r.split(uint64(tag) / r.ttls), 0 }
