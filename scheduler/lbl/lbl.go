package lbl

import (
	"fmt"
	"time"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/scheduler"
)

// MaxTTL is the greatest TTL of a trace.
const MaxTTL = 255

// Config describes one trace.
type Config struct {
	First   int           // first TTL, 1..Last
	Last    int           // last TTL, First..MaxTTL
	Queries int           // probes for each TTL, at least 1
	Wait    time.Duration // how long each probe may stay unanswered
	Pause   time.Duration // before each probe but the first of a hop

	// Probe is what all probes share; Number writes the rest.
	Probe  frame.Probe
	Number Numbering

	// Begin is called before the first probe of each TTL is sent, Settle for
	// each probe when it is settled, Heard for each reply that belongs to a
	// probe, with whether it is the answer that settles it. nil for none.
	Begin  func(ttl int)
	Settle func(Settled)
	Heard  func(m *rx.Match, settles bool)
}

// state is where the probe under way stands.
type state uint8

const (
	idle    state = iota // to be asked for
	planned              // asked for, not on the wire yet
	waiting
	answered
)

// LBL traces the path to one destination. It implements scheduler.Strategy.
type LBL struct {
	cfg   Config
	ttl   int
	query int // 0-based within the TTL
	state state
	tag   int // of the probe under way: its number, from 1
	done  bool

	notBefore time.Duration // of the next send
	deadline  time.Duration
	outcome   Outcome
	answer    Answer

	// of the present hop
	arrivals, refusals int
}

// New makes a strategy, or tells which value is out of range.
func New(cfg Config) (*LBL, error) {
	switch {
	case cfg.Last < 1 || cfg.Last > MaxTTL:
		return nil, fmt.Errorf("last TTL %d: allowed are 1 to %d", cfg.Last, MaxTTL)
	case cfg.First < 1 || cfg.First > cfg.Last:
		return nil, fmt.Errorf("first TTL %d: allowed are 1 to %d", cfg.First, cfg.Last)
	case cfg.Queries < 1:
		return nil, fmt.Errorf("%d queries: at least 1 is needed", cfg.Queries)
	}
	return &LBL{cfg: cfg, ttl: cfg.First}, nil
}

// Done tells that the last hop is settled.
func (l *LBL) Done() bool { return l.done }

// Plan settles the probe under way when it is answered or overdue, and then
// asks for the next one.
func (l *LBL) Plan(pass *scheduler.Pass) {
	switch l.state {
	case waiting:
		if pass.Now < l.deadline {
			pass.Wake = l.deadline
			return
		}
		pass.Expire(l.tag)
		l.outcome, l.answer = Lost, Answer{}
		l.settle(pass.Now)
	case answered:
		l.settle(pass.Now)
	case planned:
		return
	}
	if l.done {
		return
	}
	if pass.Now < l.notBefore {
		pass.Wake = l.notBefore
		return
	}
	if pass.Room > 0 {
		l.send(pass)
	}
}

// send asks for the next probe, for which there is room.
func (l *LBL) send(pass *scheduler.Pass) {
	if l.query == 0 && l.cfg.Begin != nil {
		l.cfg.Begin(l.ttl)
	}
	l.tag++
	p := l.cfg.Probe
	p.TTL = uint8(l.ttl)
	l.cfg.Number.number(&p, uint16(l.tag))
	l.state = planned
	pass.Send(l.tag, &p)
}

// Sent notes when the probe left.
func (l *LBL) Sent(_ int, _ *frame.Probe, at time.Duration) {
	l.state, l.deadline = waiting, at+l.cfg.Wait
}

// Learn notes the answer to the probe under way. One that the engine calls a
// duplicate is the first answer here when what came before it was ignored.
func (l *LBL) Learn(m *rx.Match) {
	o, ok := judge(m.Reply)
	settles := ok && l.state == waiting && m.Tag == l.tag
	if settles {
		l.state, l.outcome, l.answer = answered, o, answer(m)
	}
	if l.cfg.Heard != nil {
		l.cfg.Heard(m, settles)
	}
}

// settle reports the probe under way and goes on to the next one.
func (l *LBL) settle(now time.Duration) {
	switch l.outcome {
	case Arrived:
		l.arrivals++
	case Refused:
		l.refusals++
	}
	last := l.query == l.cfg.Queries-1
	if l.cfg.Settle != nil {
		l.cfg.Settle(Settled{TTL: l.ttl, Query: l.query, Last: last, Outcome: l.outcome, Answer: l.answer})
	}
	l.state, l.query, l.notBefore = idle, l.query+1, now+l.cfg.Pause
	if !last {
		return
	}
	l.done = l.ttl == l.cfg.Last || l.arrivals > 0 || l.refusals > 0 && l.refusals >= l.cfg.Queries-1
	l.ttl, l.query, l.notBefore = l.ttl+1, 0, 0
	l.arrivals, l.refusals = 0, 0
}
