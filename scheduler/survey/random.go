package survey

import (
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
	again  fifo // probes of a run before this one, to be sent once more
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
func (r *Random) Expired(int, *rx.Origin) { r.flying-- }

// Done tells that every probe left and was answered or given up.
func (r *Random) Done() bool { return r.sent == r.end && r.flying == 0 && r.again.n == 0 }

// Of tells which trace and attempt a tag is of.
func (r *Random) Of(tag int) (Trace, int) { return r.split(uint64(tag) / r.ttls), 0 }
