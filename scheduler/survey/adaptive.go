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
	out    fifo // probes that are to leave
	known  stopSet
	far    *distances
	sent   uint64
	closed uint64
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
func (a *Adaptive) Traces() (all, finished uint64) { return a.all, a.closed }

// Probes is how many probes have left.
func (a *Adaptive) Probes() uint64 { return a.sent }

// Known is how many hops are known, each counted for every TTL and flow at
// which it answered.
func (a *Adaptive) Known() int { return a.known.n }

// KnownBytes is the memory that these take.
func (a *Adaptive) KnownBytes() int { return a.known.bytes() }

// Plan asks for the probes that traces wait for, before those of new traces.
func (a *Adaptive) Plan(pass *scheduler.Pass) {
	ready := a.out.n
	if a.back != nil {
		ready += a.back.ready.n
	}
	for ; ready < pass.Room && a.next < a.all && !a.full(); ready++ {
		a.begin()
	}
	if a.back != nil {
		a.planSpaced(pass)
		return
	}
	for i := 0; i < a.out.n && pass.Room > 0; i++ {
		tag := a.out.at(i)
		trace, _, ttl := splitTag(tag)
		t := a.split(trace)
		if !pass.Send(tag, a.fill(t.Target, uint64(t.Flow), ttl)) {
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
		tag := a.out.at(0)
		a.out.pop()
		dst, ttl := a.aim(tag)
		b.admit(tag, dst, ttl, pass.Now)
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

// begin starts the next trace.
func (a *Adaptive) begin() {
	start := a.far.predict(a.split(a.next).Target)
	start = min(max(start, a.First), a.Max)
	a.out.put(makeTag(a.next, 0, start))
	a.add(walk{back: start, start: start, state: walking | backOut})
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

// Learn passes the reply on and goes on with its trace.
func (a *Adaptive) Learn(m *rx.Match) {
	trace, attempt, ttl := splitTag(m.Tag)
	t := a.split(trace)
	a.tell(t, attempt, ttl, m)
	why := kindOf(m.Reply, m.Reply.From == a.reply.Addr)
	seen := why == Unfinished && a.known.add(m.Reply.From, ttl, t.Flow)
	w := a.underWay(trace)
	if w == nil || !settles(m) {
		return
	}
	d, ok := w.takes(ttl)
	if !ok || attempt != w.attempt(d) {
		return
	}
	w.settle(d)
	if why == Unfinished {
		w.hop(d, ttl, seen, a)
	} else {
		w.arrived(ttl, why)
		if d == backward {
			w.fromTarget(ttl, why, m.Reply, a)
		}
	}
	a.goOn(trace, w)
}

// Expired tries again or takes the TTL for silent.
func (a *Adaptive) Expired(tag int, o *rx.Origin) {
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
	if attempt+1 < a.Attempts {
		w.retry(d)
		a.out.put(makeTag(trace, attempt+1, ttl))
		return
	}
	w.settle(d)
	w.nobody(d, ttl, a)
	a.goOn(trace, w)
}

// goOn asks for what the walk probes next, or finishes it.
func (a *Adaptive) goOn(trace uint64, w *walk) {
	if w.back != 0 && w.state&backOut == 0 {
		w.state |= backOut
		a.out.put(makeTag(trace, 0, w.back))
	}
	if w.ahead != 0 && w.state&aheadOut == 0 {
		w.state |= aheadOut
		a.out.put(makeTag(trace, 0, w.ahead))
	}
	if w.state&(backOut|aheadOut) != 0 {
		return
	}
	t := a.split(trace)
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
func (a *Adaptive) Done() bool { return a.closed == a.all }
