package survey

import (
	"time"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/scheduler"
	"github.com/hopquote/hopquote/scheduler/survey/permutation"
)

// blockTargets is how many targets are probed at a time, which bounds what
// waits to be finished.
const blockTargets = 1 << 12

// Full sends probes for every flow and TTL of every target, to blocks of
// targets one after the other and in a random order within each. It implements
// scheduler.Strategy.
type Full struct {
	*plan
	blocks []block     // that are not finished, in order
	next   uint64      // first target, by place, of the block after them
	again  fifo[int]   // probes to be sent once more
	was    outstanding // while events are replayed; else nil
	sent   uint64
}

// block is some targets at adjacent places.
type block struct {
	first, targets uint64 // places
	order          *permutation.Permutation
	sent           uint64 // points that have left
	open           uint64 // points that are not settled
}

// NewFull makes a strategy, or tells which value is out of range.
func NewFull(cfg Config) (*Full, error) {
	p, err := newPlan(cfg, false)
	if err != nil {
		return nil, err
	}
	return &Full{plan: p}, nil
}

// Probes is how many probes there are in all, further attempts left out, and
// how many have left, them included.
func (f *Full) Probes() (all, sent uint64) { return f.targets * f.flows * f.ttls, f.sent }

// Plan asks for the probes that are next: those to be repeated before new ones.
func (f *Full) Plan(pass *scheduler.Pass) {
	if f.back != nil {
		f.planSpaced(pass)
		return
	}
	for i := 0; i < f.again.n; i++ {
		if !f.send(pass, f.again.at(i)) {
			return
		}
	}
	for b := 0; pass.Room > 0; b++ {
		if b == len(f.blocks) && !f.open() {
			return
		}
		k := &f.blocks[b]
		for i := k.sent; i < k.order.Len(); i++ {
			point := k.order.At(i)
			tag := makeTag(k.first*f.flows+point/f.ttls, 0, f.First+uint8(point%f.ttls))
			if !f.send(pass, tag) {
				return
			}
		}
	}
}

// planSpaced is Plan with a backoff, through which all probes go. Those that
// wait count as sent by their blocks.
func (f *Full) planSpaced(pass *scheduler.Pass) {
	if pass.Room <= 0 {
		return
	}
	b := f.back
	b.retry(pass.Now, f.aim)
	for at := 0; b.ready.n < pass.Room && !b.full(); {
		var tag int
		switch {
		case f.again.n > 0:
			tag = f.again.at(0)
			f.again.pop()
		case at == len(f.blocks) && !f.open():
			f.sendReady(pass)
			return
		case f.blocks[at].sent == f.blocks[at].order.Len():
			at++
			continue
		default:
			k := &f.blocks[at]
			point := k.order.At(k.sent)
			tag = makeTag(k.first*f.flows+point/f.ttls, 0, f.First+uint8(point%f.ttls))
			k.sent++
		}
		dst, ttl := f.aim(tag)
		b.admit(tag, dst, ttl, pass.Now)
	}
	f.sendReady(pass)
}

func (f *Full) sendReady(pass *scheduler.Pass) {
	for i := 0; i < f.back.ready.n && f.send(pass, f.back.ready.at(i)); i++ {
	}
	f.back.wake(pass)
}

// open begins the next block, if there is one.
func (f *Full) open() bool {
	n := min(f.targets-f.next, blockTargets)
	if n == 0 {
		return false
	}
	points := n * f.flows * f.ttls
	order, err := permutation.New(points, f.Key+f.next+1)
	if err != nil {
		return false // newPlan has seen that there are fewer
	}
	f.blocks = append(f.blocks, block{first: f.next, targets: n, order: order, open: points})
	f.next += n
	return true
}

func (f *Full) send(pass *scheduler.Pass, tag int) bool {
	trace, _, ttl := splitTag(tag)
	t := f.split(trace)
	return pass.Send(tag, f.fill(t.Target, uint64(t.Flow), ttl))
}

// split takes the number of a trace apart, whose targets count by place.
func (p *plan) split(trace uint64) Trace {
	place, flow := trace/p.flows, trace%p.flows
	return Trace{p.order.At(place*p.Shards + p.Shard), int(flow)}
}

// Of tells which trace and attempt a tag is of.
func (p *plan) Of(tag int) (Trace, int) {
	trace, attempt, _ := splitTag(tag)
	return p.split(trace), attempt
}

// Sent notes that a probe left.
func (f *Full) Sent(tag int, _ *frame.Probe, _ time.Duration) {
	f.sent++
	if f.back != nil {
		f.back.ready.pop()
		return
	}
	if f.again.n > 0 && f.again.at(0) == tag {
		f.again.pop()
		return
	}
	trace, _, _ := splitTag(tag)
	f.blockOf(trace).sent++
}

func (f *Full) blockOf(trace uint64) *block {
	place := trace / f.flows
	return &f.blocks[(place-f.blocks[0].first)/blockTargets]
}

// Learn passes the reply on.
func (f *Full) Learn(m *rx.Match) {
	trace, attempt, ttl := splitTag(m.Tag)
	f.tell(f.split(trace), attempt, ttl, m)
	if settles(m) {
		f.settle(trace)
	}
}

// Expired asks for another attempt, if there is one left.
func (f *Full) Expired(tag int, o *rx.Origin) {
	f.miss(o)
	trace, attempt, ttl := splitTag(tag)
	if attempt+1 < f.Attempts {
		f.again.put(makeTag(trace, attempt+1, ttl))
		return
	}
	f.settle(trace)
}

// settle counts a point that is settled, and finishes the blocks that are.
func (f *Full) settle(trace uint64) {
	f.blockOf(trace).open--
	for len(f.blocks) > 0 && f.blocks[0].open == 0 {
		b := f.blocks[0]
		f.blocks = f.blocks[1:]
		if f.Finish == nil {
			continue
		}
		for i := range b.targets * f.flows {
			f.Finish(f.split(b.first*f.flows+i), LastTTL)
		}
	}
}

// Done tells that every probe left and was answered or given up.
func (f *Full) Done() bool { return f.next == f.targets && len(f.blocks) == 0 }
