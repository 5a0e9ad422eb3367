package scheduler

import (
	"context"
	"errors"
	"time"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
)

// fullPause is how long the engine waits for a writer that can't keep up, and
// sendPause for a sender that has no room.
const (
	fullPause = 5 * time.Millisecond
	sendPause = 100 * time.Microsecond
	// sendPatience bounds how long a sender may have no room while nothing is
	// in flight that could make some.
	sendPatience = 5 * time.Second
)

// maxBurst is how many probes leave at most before replies are taken in again:
// sending thousands at once would leave the ring to overflow.
const maxBurst = 64

// maxHint bounds what is set aside for a window before it fills.
const maxHint = 1 << 12

// ErrInterrupted is Run's error when its context ended first.
var ErrInterrupted = errors.New("interrupted")

// Engine runs one strategy to completion. All of it is owned by the goroutine
// that calls Run.
type Engine struct {
	cfg     Config
	book    Book
	pacer   Pacer
	rate    *Rate // nil for none
	pass    Pass
	out     outbox
	reply   frame.Reply
	match   rx.Match
	take    func(*rx.Packet)
	expired func(tag int, o *rx.Origin)
	expirer Expirer       // nil for none
	strays  StrayObserver // nil for none
	beside  *beside       // the loops at its side; nil for none
	stuck   time.Duration // since when the sender had no room; 0: it has
	blocked bool          // no identity was free

	lastStep time.Duration // from frame to frame
}

// New makes an engine ready to Run once.
func New(cfg Config) *Engine {
	cfg.Window = max(cfg.Window, 1)
	e := &Engine{cfg: cfg, book: cfg.Book, pacer: Pacer{Gap: cfg.Gap}}
	if e.book == nil {
		e.book = newRegister(cfg.Identities, min(cfg.Window, maxHint))
	}
	if cfg.Rate > 0 && cfg.Gap <= 0 {
		e.rate = &Rate{PerSecond: cfg.Rate}
		if cfg.Batch < 1 {
			e.cfg.Batch = batchFor(cfg.Rate)
		}
	}
	e.cfg.Batch = max(e.cfg.Batch, 1)
	e.out.templates.link = cfg.Link
	e.out.slots, _ = cfg.Sender.(SlotSender)
	if e.out.slots == nil {
		e.out.slots = &slotted{sender: cfg.Sender}
	}
	e.take, e.expired = e.receive, e.expire
	e.strays, _ = cfg.Observer.(StrayObserver)
	e.expirer, _ = cfg.Strategy.(Expirer)
	return e
}

// batchFor is the batch for a rate per second: small while there is time.
func batchFor(rate float64) int {
	const least, perProbe = 8, 6250
	return int(min(max(rate/perProbe, least), maxBurst))
}

// Counts balances what was sent and received so far. Call it after Run, or from
// the strategy.
func (e *Engine) Counts() rx.Counts { return e.book.Counts() }

// Frames balances the frames that were built. Call it after Run, or from the
// strategy.
func (e *Engine) Frames() FrameCounts { return e.out.counts }

// InFlight is how many probes are neither answered nor given up. Call it after
// Run, or from the strategy.
func (e *Engine) InFlight() int { return e.book.InFlight() }

// Run drives the strategy until it is done, the context ends (ErrInterrupted)
// or the sender or the receiver fails. What was learned until then stays with
// the strategy and in Counts. Whoever ends the context must also wake the
// receiver.
func (e *Engine) Run(ctx context.Context) error {
	defer e.close()
	for {
		lag := e.cfg.Receiver.Lag()
		known := e.cfg.Clock.Now() - lag
		if err := e.cfg.Receiver.Drain(e.take); err != nil {
			return err
		}
		e.takeOver()
		e.book.Overdue(known, e.expired)
		wake, err := e.step(known)
		if err != nil {
			return err
		}
		if e.cfg.Strategy.Done() && e.beside.finished() {
			if l, ok := e.cfg.Strategy.(Leaver); ok {
				l.Leave()
			}
			return nil
		}
		if ctx.Err() != nil {
			return ErrInterrupted
		}
		now := e.cfg.Clock.Now()
		if wake <= now {
			continue
		}
		if due := e.book.Overdue(known, e.expired); due != Never {
			// Timeouts come as densely as probes left: several a wake.
			wake = min(wake, max(due+lag, now+rest))
		}
		if err := e.cfg.Receiver.Wait(wake); err != nil {
			// What arrived before the failure still counts.
			_ = e.cfg.Receiver.Drain(e.take)
			return err
		}
	}
}

// step plans and sends until the strategy has nothing more to do at this time
// or a burst is sent, and gives the time of the next step.
func (e *Engine) step(known time.Duration) (time.Duration, error) {
	for sent := 0; sent < maxBurst; {
		if err := e.flush(); err != nil {
			return 0, err
		}
		room, retry := e.room()
		n, err := e.plan(known, room)
		if err != nil {
			return 0, err
		}
		if n == 0 && len(e.pass.expired) == 0 {
			wake := e.pass.Wake
			if wake != Never {
				wake += e.cfg.Receiver.Lag()
			}
			return min(wake, retry), nil
		}
		sent += n
	}
	return known, nil
}

// plan is one round of planning, and gives how many probes came of it.
func (e *Engine) plan(known time.Duration, room int) (int, error) {
	e.pass.reset(known, room, e.book.InFlight())
	e.cfg.Strategy.Plan(&e.pass)
	for _, tag := range e.pass.expired {
		e.book.Expire(tag)
		e.blocked = false
	}
	if room <= 0 {
		return 0, nil
	}
	if e.rate != nil && len(e.pass.planned) < room {
		e.rate.Idle()
	}
	return e.build()
}

// room tells how many probes may leave now and, when it is a matter of time
// only, when to ask again.
func (e *Engine) room() (int, time.Duration) {
	now := e.cfg.Clock.Now()
	room, retry := e.cfg.Window-e.book.InFlight(), Never
	switch {
	case !e.out.empty():
		// Before all else: what stands there may be all that holds identities.
		return 0, now + sendPause
	case room <= 0 || e.blocked:
		room = 0
	case e.cfg.Full != nil && e.cfg.Full():
		room, retry = 0, now+fullPause
	case e.pacer.Gap > 0:
		if due := e.pacer.Due(); due > now {
			return 0, due
		}
		return 1, Never
	case e.rate != nil:
		n, due := e.rate.Ready(now)
		return min(room, e.cfg.Batch, n), due
	default:
		return min(room, e.cfg.Batch), Never
	}
	if e.rate != nil {
		e.rate.Idle()
	}
	return room, retry
}

// receive takes one packet from the ring.
func (e *Engine) receive(pkt *rx.Packet) {
	if e.know(pkt) || e.beside != nil && e.offer(pkt) {
		return
	}
	e.stray(pkt)
}

// stray tells of a packet that no probe is known for.
func (e *Engine) stray(pkt *rx.Packet) {
	if e.strays != nil {
		e.strays.FrameStray(pkt, &e.match)
	}
}

// know learns from a packet if it is a reply to a probe, and tells whether it is.
func (e *Engine) know(pkt *rx.Packet) bool {
	frame.Decode(pkt.Data, e.cfg.Link.Type, pkt.Offloaded, &e.reply)
	e.book.Match(&e.reply, pkt.At, &e.match)
	if !e.match.Verdict.Attributed() {
		return false
	}
	e.match.Local = pkt.Local
	if e.cfg.Observer != nil {
		e.cfg.Observer.FrameMatched(pkt, &e.match)
	}
	e.blocked = false
	e.cfg.Strategy.Learn(&e.match)
	return true
}

// expire tells the strategy of a probe that the book gave up.
func (e *Engine) expire(tag int, o *rx.Origin) {
	e.blocked = false
	if e.expirer != nil {
		e.expirer.Expired(tag, o)
	}
}

// close gives back what the probes in flight hold, and those that never left.
func (e *Engine) close() {
	e.out.drop(func(p *planned) { e.book.Return(p.ticket, &p.probe) })
	e.book.Close()
}
