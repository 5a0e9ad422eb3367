package scheduler

import (
	"errors"
	"time"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
)

// build gives the planned probes their identities, turns them into frames and
// sends them. It gives how many there were.
func (e *Engine) build() (int, error) {
	planned := e.pass.planned
	taken := 0
	for i := range planned {
		p := &planned[i]
		if e.cfg.Unrouted != nil && e.cfg.Unrouted(p.probe.Dst) {
			p.skip, p.lost = true, true
			continue
		}
		if n := e.cfg.MTU; n > 0 && p.size() > n {
			if p.probe.DF {
				p.skip = true
				e.tooBig(p)
				continue
			}
			p.cut = true
		}
		var err error
		if p.ticket, err = e.book.Take(p.tag, &p.probe, p.cut); err == nil {
			taken++
			continue
		}
		planned = planned[:i]
		if errors.Is(err, ErrBusy) && (e.book.InFlight() > 0 || taken > 0) {
			// The strategy asks for it again once an identity is free.
			e.blocked = true
			break
		}
		e.out.load(planned)
		return 0, err
	}
	e.pass.planned = planned
	e.out.load(planned)
	return len(planned), e.flush()
}

// flush sends what stands ready, and enters the probes that left in the book.
// Replies can't be missed: they wait in the ring until the next drain.
func (e *Engine) flush() error {
	for !e.out.empty() {
		if err := e.out.fill(e.cfg.MTU); err != nil {
			return err
		}
		if e.out.empty() {
			break // nothing of it leaves
		}
		at := e.cfg.Clock.Now()
		frames, err := e.out.flush()
		after := at
		if e.rate != nil || len(frames) > 1 {
			after = e.cfg.Clock.Now()
		}
		e.sent(frames, at, e.stepOf(len(frames), after-at), after)
		if err != nil {
			return err // it names the operation
		}
		if len(frames) == 0 {
			return e.noRoom(at)
		}
		e.stuck = 0
	}
	if e.out.left < len(e.out.queue) {
		e.passOver(len(e.out.queue), e.cfg.Clock.Now())
	}
	return nil
}

// passOver settles the probes before a place in the queue that never leave. They
// come in the order of their plan too: strategies count on it.
func (e *Engine) passOver(to int, at time.Duration) {
	for ; e.out.left < to; e.out.left++ {
		if p := &e.out.queue[e.out.left]; p.lost {
			e.cfg.Strategy.Sent(p.tag, &p.probe, at)
			e.expire(p.tag, nil)
		}
	}
}

// maxStep is the longest that a sender takes for a frame when nothing holds it
// up: 1 to 2 us are usual, 6 to 8 for the first ones after a sleep and where the
// same processor sees to the reply.
const maxStep = 10 * time.Microsecond

// stepOf is the time from frame to frame of n that took so long to leave: that of
// the batch before where something held them up, nobody knows which of them.
func (e *Engine) stepOf(n int, took time.Duration) time.Duration {
	if n > 1 {
		if step := took / time.Duration(n); step <= maxStep {
			e.lastStep = step
		}
	}
	return e.lastStep
}

// sent takes note of the frames that left, the first at at and each further one
// a step later, none of them later than after.
func (e *Engine) sent(frames []framed, at, step, after time.Duration) {
	queue := e.out.queue
	if e.cfg.Amend != nil || e.cfg.Observer != nil {
		for i, f := range frames {
			if e.cfg.Amend != nil {
				e.cfg.Amend(f.data, &queue[f.probe].probe)
			}
			if e.cfg.Observer != nil {
				e.cfg.Observer.FrameSent(at+time.Duration(i)*step, f.data)
			}
		}
	}
	first := at
	for i := range frames {
		at := first + time.Duration(i)*step
		f := &frames[i]
		if !f.last {
			continue
		}
		if e.out.left < f.probe {
			e.passOver(f.probe, at)
		}
		p := &queue[f.probe]
		e.book.Enter(p.ticket, p.tag, &p.probe, at)
		e.out.left = f.probe + 1
		e.pacer.Sent(at)
		if e.rate != nil {
			e.rate.Sent(after)
		}
		e.cfg.Strategy.Sent(p.tag, &p.probe, at)
	}
}

// noRoom notes that the sender is full, and gives up when that lasts while
// nothing is in flight.
func (e *Engine) noRoom(now time.Duration) error {
	switch {
	case e.stuck == 0:
		e.stuck = max(now, 1)
	case e.book.InFlight() == 0 && now-e.stuck > sendPatience:
		return errors.New("send probe: No buffer space available")
	}
	return nil
}

// tooBig answers, in the link's stead, a probe that must not be fragmented.
func (e *Engine) tooBig(p *planned) {
	now := e.cfg.Clock.Now()
	e.cfg.Strategy.Sent(p.tag, &p.probe, now)
	e.pacer.Sent(now)
	e.reply = frame.Reply{Kind: frame.KindTooBig, MTU: uint32(e.cfg.MTU)}
	e.match = rx.Match{
		Verdict: rx.Exact, Tag: p.tag, RTT: 1, At: now + 1, Reply: &e.reply, Local: true,
		Origin: rx.Origin{Dst: p.probe.Dst, TTL: p.probe.TTL, Sent: now},
	}
	e.cfg.Strategy.Learn(&e.match)
}
