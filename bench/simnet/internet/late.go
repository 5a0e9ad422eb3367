package internet

import (
	"sync"
	"time"

	"github.com/hopquote/hopquote/frame"
)

// lateQueue sends replies later, all by the same time, so that they stay in
// order.
type lateQueue struct {
	by   time.Duration
	send func(frame []byte) error
	task sync.WaitGroup
	wake chan struct{} // has room for one

	mu       sync.Mutex // guards all below
	waiting  []lateReply
	lost     [2][4]uint64 // replies that were not sent, by IPv6 or not and method
	isClosed bool
}

// lateReply is a reply, and what it answers.
type lateReply struct {
	at     time.Time // when it is to leave
	v6     bool
	method frame.Method
	frame  []byte
}

func newLateQueue(by time.Duration, send func(frame []byte) error) *lateQueue {
	q := &lateQueue{by: by, send: send, wake: make(chan struct{}, 1)}
	q.task.Go(q.run)
	return q
}

// add takes a reply, which the queue then owns, unless it is closed: then the
// reply is lost.
func (q *lateQueue) add(v6 bool, method frame.Method, b []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	r := lateReply{time.Now().Add(q.by), v6, method, b}
	if q.isClosed {
		q.lose(&r)
		return
	}
	q.waiting = append(q.waiting, r)
	q.rouse()
}

// rouse has run look again.
func (q *lateQueue) rouse() {
	select {
	case q.wake <- struct{}{}:
	default: // it will anyway
	}
}

func (q *lateQueue) lose(r *lateReply) { q.lost[choose(r.v6, 0, 1)][r.method]++ }

// run sends replies until the queue is closed.
func (q *lateQueue) run() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		r, wait, ok := q.next()
		switch {
		case !ok:
			return
		case wait > 0:
			timer.Reset(wait)
			select {
			case <-timer.C:
			case <-q.wake:
			}
			continue
		}
		if err := q.send(r.frame); err != nil {
			q.mu.Lock()
			q.lose(&r)
			q.mu.Unlock()
		}
	}
}

// next takes the first reply off the queue if its time has come, and else tells
// how long there is to wait. It gives false once the queue is closed.
func (q *lateQueue) next() (r lateReply, wait time.Duration, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.isClosed {
		return r, 0, false
	}
	if len(q.waiting) == 0 {
		return r, time.Hour, true
	}
	if wait := time.Until(q.waiting[0].at); wait > 0 {
		return r, wait, true
	}
	r = q.waiting[0]
	q.waiting[0].frame = nil
	q.waiting = q.waiting[1:]
	return r, 0, true
}

// correct takes what was lost off the counts of what was answered.
func (q *lateQueue) correct(c *Counters) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for family := range q.lost {
		for method, n := range q.lost[family] {
			count := c.Of(frame.Method(method), family == 1)
			count.Answered -= n
			count.Delayed -= n
			c.Failed += n
		}
	}
}

// close gives up all replies that wait.
func (q *lateQueue) close() {
	q.mu.Lock()
	q.isClosed = true
	for i := range q.waiting {
		q.lose(&q.waiting[i])
	}
	q.waiting = nil
	q.rouse()
	q.mu.Unlock()
	q.task.Wait()
}
