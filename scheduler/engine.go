package scheduler

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
)

// Config is what an Engine runs with. Strategy, Clock, Sender, Receiver and
// Identities are required.
type Config struct {
	Strategy   Strategy
	Clock      Clock
	Sender     Sender
	Receiver   Receiver
	Identities Identities

	Link frame.Link // link header of every probe
	MTU  int        // bytes of IP packet that the link takes; 0: no limit

	Window int           // probes in flight at most; below 1 means 1
	Gap    time.Duration // smallest time from send to send; 0: none
	// Batch is how many probes go to the sender at once; below 1 means 1. A
	// batch shares one send time, so that large ones cost RTT accuracy.
	Batch int

	// Amend, when set, corrects a probe that left by the frame that did: Sender
	// may have put another in the place of the one it was given.
	Amend func(f []byte, p *frame.Probe)

	// Observer sees every frame sent and received; nil for none.
	Observer Observer
	// Full, when set, is asked before new probes are sent: true holds them
	// back, so that slow writers slow the run and lose nothing.
	Full func() bool
}

// Observer sees the frames of a run. The slices are valid during the call.
type Observer interface {
	FrameSent(at time.Duration, f []byte)
	// FrameMatched is called for replies that belong to a probe, duplicates
	// and late ones included, never for strays.
	FrameMatched(p *rx.Packet, m *rx.Match)
}

// StrayObserver is an Observer that sees strays too: packets that passed the
// receiver's filter and belong to no probe.
type StrayObserver interface {
	Observer
	FrameStray(p *rx.Packet, m *rx.Match)
}

// fullPause is how long the engine waits for a writer that can't keep up, and
// sendPause for a sender that has no room.
const (
	fullPause = 5 * time.Millisecond
	sendPause = time.Millisecond
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
	table   *rx.Table
	pacer   Pacer
	pass    Pass
	out     outbox
	reply   frame.Reply
	match   rx.Match
	take    func(*rx.Packet)
	strays  StrayObserver // nil for none
	held    holdings      // probes whose identity is taken
	stuck   time.Duration // since when the sender had no room; 0: it has
	blocked bool          // no identity was free
}

// New makes an engine ready to Run once.
func New(cfg Config) *Engine {
	cfg.Window = max(cfg.Window, 1)
	cfg.Batch = max(cfg.Batch, 1)
	e := &Engine{cfg: cfg, table: rx.NewTable(min(cfg.Window, maxHint)), pacer: Pacer{Gap: cfg.Gap}, held: newHoldings()}
	e.take = e.receive
	e.strays, _ = cfg.Observer.(StrayObserver)
	return e
}

// Counts balances what was sent and received so far. Call it after Run.
func (e *Engine) Counts() rx.Counts { return e.table.Counts() }

func (e *Engine) inFlight() int {
	n := e.table.Counts().InFlight
	return int(n)
}

// Run drives the strategy until it is done, the context ends (ErrInterrupted)
// or the sender or the receiver fails. What was learned until then stays with
// the strategy and in Counts. Whoever ends the context must also wake the
// receiver.
func (e *Engine) Run(ctx context.Context) error {
	defer e.releaseAll()
	for {
		known := e.cfg.Clock.Now() - e.cfg.Receiver.Lag()
		if err := e.cfg.Receiver.Drain(e.take); err != nil {
			return err
		}
		wake, err := e.step(known)
		if err != nil {
			return err
		}
		if e.cfg.Strategy.Done() {
			return nil
		}
		if ctx.Err() != nil {
			return ErrInterrupted
		}
		if wake <= e.cfg.Clock.Now() {
			continue
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
	for sent := 0; sent < maxBurst; sent += len(e.pass.planned) {
		if err := e.flush(); err != nil {
			return 0, err
		}
		room, retry := e.room()
		e.pass.reset(known, room)
		e.cfg.Strategy.Plan(&e.pass)
		for _, tag := range e.pass.expired {
			e.table.Expire(tag)
			e.release(tag)
		}
		if err := e.build(); err != nil {
			return 0, err
		}
		if len(e.pass.planned) == 0 && len(e.pass.expired) == 0 {
			wake := e.pass.Wake
			if wake != Never {
				wake += e.cfg.Receiver.Lag()
			}
			return min(wake, retry), nil
		}
	}
	return known, nil
}

// room tells how many probes may leave now and, when it is a matter of time
// only, when to ask again.
func (e *Engine) room() (int, time.Duration) {
	now := e.cfg.Clock.Now()
	switch room := e.cfg.Window - e.inFlight(); {
	case !e.out.empty():
		// Before all else: what stands there may be all that holds identities.
		return 0, now + sendPause
	case room <= 0 || e.blocked:
		return 0, Never
	case e.cfg.Full != nil && e.cfg.Full():
		return 0, now + fullPause
	case e.pacer.Gap > 0:
		if due := e.pacer.Due(); due > now {
			return 0, due
		}
		return 1, Never
	default:
		return min(room, e.cfg.Batch), Never
	}
}

// build turns the planned probes into frames and sends them.
func (e *Engine) build() error {
	for i := range e.pass.planned {
		p := &e.pass.planned[i]
		if n := e.cfg.MTU; n > 0 && p.probe.Size > n && p.probe.DF {
			e.tooBig(p)
			continue
		}
		if err := e.cfg.Identities.Take(&p.probe); err != nil {
			if errors.Is(err, ErrBusy) && (e.inFlight() > 0 || !e.out.empty()) {
				// The strategy asks for it again once an identity is free.
				e.pass.planned = e.pass.planned[:i]
				e.blocked = true
				break
			}
			return err
		}
		if err := e.out.add(e.cfg.Link, e.cfg.MTU, p.tag, &p.probe); err != nil {
			e.cfg.Identities.Release(&p.probe)
			return err
		}
	}
	return e.flush()
}

// flush sends what stands ready, and enters the probes that left in the match
// table. Replies can't be missed: they wait in the ring until the next drain.
func (e *Engine) flush() error {
	for !e.out.empty() {
		at := e.cfg.Clock.Now()
		frames := e.out.waiting()
		n, err := e.cfg.Sender.Send(frames)
		for i, f := range frames[:n] {
			if e.cfg.Amend != nil {
				e.cfg.Amend(f, e.out.waitingProbe(i))
			}
			if e.cfg.Observer != nil {
				e.cfg.Observer.FrameSent(at, f)
			}
		}
		e.out.sent(n, func(tag int, p *frame.Probe, cut bool) {
			e.enter(tag, p, cut, at)
			e.release(tag) // of an earlier send
			e.held.put(tag, p)
			e.pacer.Sent(at)
			e.cfg.Strategy.Sent(tag, p, at)
		})
		if err != nil {
			return fmt.Errorf("send: %w", err)
		}
		if n == 0 {
			return e.noRoom(at)
		}
		e.stuck = 0
	}
	e.out.reset()
	return nil
}

// enter puts a probe that left into the match table. Routers quote the length
// of a fragment, not the probe's, which must not count as a rewrite.
func (e *Engine) enter(tag int, p *frame.Probe, cut bool, at time.Duration) {
	if !cut {
		e.table.Add(tag, p, at)
		return
	}
	whole := *p
	whole.Size = 0
	e.table.Add(tag, &whole, at)
}

// noRoom notes that the sender is full, and gives up when that lasts while
// nothing is in flight.
func (e *Engine) noRoom(now time.Duration) error {
	switch {
	case e.stuck == 0:
		e.stuck = max(now, 1)
	case e.inFlight() == 0 && now-e.stuck > sendPatience:
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
	e.match = rx.Match{Verdict: rx.Exact, Tag: p.tag, RTT: 1, At: now + 1, Reply: &e.reply, Local: true}
	e.cfg.Strategy.Learn(&e.match)
}

// receive takes one packet from the ring.
func (e *Engine) receive(pkt *rx.Packet) {
	link := e.cfg.Link.Type
	frame.Decode(pkt.Data, link, pkt.Offloaded, &e.reply)
	e.table.Match(&e.reply, pkt.At, &e.match)
	if e.match.Verdict == rx.Stray {
		if e.strays != nil {
			e.strays.FrameStray(pkt, &e.match)
		}
		return
	}
	e.match.Local = pkt.Local
	if e.cfg.Observer != nil {
		e.cfg.Observer.FrameMatched(pkt, &e.match)
	}
	if e.match.Verdict == rx.Exact || e.match.Verdict == rx.Rewritten {
		e.release(e.match.Tag)
	}
	e.cfg.Strategy.Learn(&e.match)
}

func (e *Engine) release(tag int) {
	if p := e.held.take(tag); p != nil {
		e.cfg.Identities.Release(p)
		e.blocked = false
	}
}

// releaseAll gives back what the probes in flight hold, and those that never
// left.
func (e *Engine) releaseAll() {
	e.out.drop(func(p *frame.Probe) { e.cfg.Identities.Release(p) })
	for tag := range e.held.byTag {
		e.release(tag)
	}
}
