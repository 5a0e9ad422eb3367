package survey

import (
	"time"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/scheduler"
)

// maxWalks is how many traces are under way at most. Some take a minute, where
// many hops are silent, and those behind them in the order go on meanwhile.
const maxWalks = 1 << 20

// Adaptive probes each target and flow from where the target is thought to be:
// back to the nearest hop that another trace has seen at that TTL, and ahead to
// the target, a hop at a time in each direction. It implements
// scheduler.Strategy.
//
// Hops are known for each flow by itself. That a hop seen before has the same
// way before it holds where routes to a place form a tree. Where they do not, as
// behind load balancers, what only this target's flow passes is missed: of all
// interfaces, one in some hundreds. Further flows find more of these.
//
// A trace asks a router once for each flow at most, loops aside, so in any time a
// router sees no more than its share of the traces under way: those to targets
// behind it, which the order spreads over the run. Routers near the source, which
// all of them pass, see the fewest probes, since they are soon known.
type Adaptive struct {
	*plan
	walks
	all    uint64
	out    fifo[due]
	late   waiting // before any other field is looked at: catchUp
	known  stopSet
	far    *distances
	sent   uint64
	closed uint64
}

// due is a probe that is to leave, with the target, which takes long to find.
type due struct {
	tag    int
	target uint64
}

// NewAdaptive makes a strategy, or tells which value is out of range.
func NewAdaptive(cfg Config) (*Adaptive, error) {
	if cfg.Start == 0 {
		cfg.Start = 16
	}
	p, err := newPlan(cfg, false)
	if err != nil {
		return nil, err
	}
	all := p.targets * p.flows
	return &Adaptive{
		plan: p, all: all, walks: newWalks(min(all, maxWalks)), known: stopSet{secret: mix(cfg.Key)},
		far: newDistances(cfg.Targets.Len(), cfg.Start),
	}, nil
}

// Traces is how many targets and flows there are, and how many are finished.
func (a *Adaptive) Traces() (all, finished uint64) {
	a.catchUp()
	return a.all, a.closed
}

// Probes is how many probes have left.
func (a *Adaptive) Probes() uint64 { return a.sent }

// Known is how many hops are known, each counted for every TTL and flow at
// which it answered.
func (a *Adaptive) Known() int {
	a.catchUp()
	return a.known.n
}

// KnownBytes is the memory that these take.
func (a *Adaptive) KnownBytes() int {
	a.catchUp()
	return a.known.bytes()
}

// Plan asks for the probes that traces wait for, before those of new traces.
func (a *Adaptive) Plan(pass *scheduler.Pass) {
	a.catchUp()
	ready := a.out.n
	if a.back != nil {
		ready += a.back.ready.n
	}
	a.begin(pass.Room - ready)
	if a.back != nil {
		a.planSpaced(pass)
		return
	}
	for i := 0; i < a.out.n && pass.Room > 0; i++ {
		d := a.out.at(i)
		trace, _, ttl := splitTag(d.tag)
		if !pass.Send(d.tag, a.fill(d.target, trace%a.flows, ttl)) {
			return
		}
	}
}

// planSpaced is the rest of Plan with a backoff, through which all probes go.
func (a *Adaptive) planSpaced(pass *scheduler.Pass) {
	if pass.Room <= 0 {
		return
	}
	b := a.back
	b.retry(pass.Now, a.aim)
	for a.out.n > 0 && b.ready.n < pass.Room && !b.full() {
		d := a.out.at(0)
		a.out.pop()
		_, _, ttl := splitTag(d.tag)
		b.admit(d.tag, a.Targets.At(d.target), ttl, pass.Now)
	}
	for i := range b.ready.n {
		trace, _, ttl := splitTag(b.ready.at(i))
		t := a.split(trace)
		if !pass.Send(b.ready.at(i), a.fill(t.Target, uint64(t.Flow), ttl)) {
			break
		}
	}
	b.wake(pass)
}

// begin starts the next n traces, or as many as there are and have room.
func (a *Adaptive) begin(n int) {
	var targets [together]uint64
	for n > 0 && a.next < a.all && !a.full() {
		some := int(min(uint64(min(n, together)), a.all-a.next, a.limit-(a.next-a.oldest)))
		for i := range some {
			targets[i] = a.split(a.next + uint64(i)).Target
		}
		a.far.fetch(targets[:some])
		for _, target := range targets[:some] {
			start := min(max(a.far.predict(target), a.First), a.Max)
			a.out.put(due{makeTag(a.next, 0, start), target})
			a.add(walk{back: start, start: start, state: walking | backOut})
		}
		n -= some
	}
}

// Sent notes that a probe left.
func (a *Adaptive) Sent(int, *frame.Probe, time.Duration) {
	a.sent++
	if a.back != nil {
		a.back.ready.pop()
		return
	}
	a.out.pop()
}

// Expired tries again or takes the TTL for silent.
func (a *Adaptive) Expired(tag int, o *rx.Origin) {
	a.catchUp()
	a.miss(o)
	trace, attempt, ttl := splitTag(tag)
	w := a.underWay(trace)
	if w == nil {
		return
	}
	d, ok := w.takes(ttl)
	if !ok || attempt != w.attempt(d) {
		return
	}
	t := a.split(trace)
	if attempt+1 < a.Attempts {
		w.retry(d)
		a.out.put(due{makeTag(trace, attempt+1, ttl), t.Target})
		return
	}
	w.settle(d)
	w.nobody(d, ttl, a)
	a.goOn(trace, t, w)
}

// goOn asks for what the walk of a trace probes next, or finishes it.
func (a *Adaptive) goOn(trace uint64, t Trace, w *walk) {
	if w.back != 0 && w.state&backOut == 0 {
		w.state |= backOut
		a.out.put(due{makeTag(trace, 0, w.back), t.Target})
	}
	if w.ahead != 0 && w.state&aheadOut == 0 {
		w.state |= aheadOut
		a.out.put(due{makeTag(trace, 0, w.ahead), t.Target})
	}
	if w.state&(backOut|aheadOut) != 0 {
		return
	}
	if w.stop == Reached {
		a.far.learn(t.Target, w.top)
	}
	w.state = 0
	a.closed++
	if a.Finish != nil {
		a.Finish(t, w.stop)
	}
	a.walks.settle()
}

// Done tells that every trace is finished.
func (a *Adaptive) Done() bool {
	a.catchUp()
	return a.closed == a.all
}
