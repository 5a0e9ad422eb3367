package bare

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/hopquote/hopquote/bench/transmit"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
)

const (
	batch = transmit.Batch
	// maxFlying keeps identifications unique: half of them may be in flight.
	maxFlying = 1 << 15
	// drainEvery is how many batches leave between two looks at the ring.
	drainEvery = 16
	// When paced, the loop sleeps until half a batch is due, or for longSleep if
	// that comes first: waking up costs more than sending. leastSleep is the
	// shortest that is worth the system call.
	leastSleep = 60 * time.Microsecond
	longSleep  = time.Millisecond
	// tailWait is how long replies are waited for behind the last probe that
	// came or left.
	tailWait = 300 * time.Millisecond
)

// loop is one run; all of it belongs to one goroutine.
type loop struct {
	config   Config
	probe    frame.Probe
	template *frame.Template
	out      transmit.Sender
	ring     *rx.Ring

	header              int // bytes before IP
	source, destination [4]byte

	flying  [1 << 16]time.Duration // send time by identification; 0: none in flight
	waiting int                    // filled slots
	filled  uint64                 // probes put into slots
	givenUp uint64                 // probes that nothing is expected for any more
	sent    uint64
	matched uint64
	strays  uint64
	refused uint64
	drained time.Duration // when the running Drain began
	took    time.Duration
	start   time.Duration
	last    time.Duration // when the latest reply was received

	rtts, latencies spread
}

func (l *loop) now() time.Duration { return time.Since(l.ring.Epoch()) }

func (l *loop) run(ctx context.Context) error {
	l.start = l.now()
	for turn := 0; l.sent < l.config.Probes; turn++ {
		if turn%drainEvery == 0 || l.config.Rate > 0 {
			if err := l.drain(); err != nil {
				return err
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
		n, pause := l.due()
		if n == 0 && l.waiting == 0 {
			if err := l.ring.Wait(l.now() + pause); err != nil {
				return err
			}
			continue
		}
		if err := l.send(n); err != nil {
			return err
		}
	}
	return l.finish(ctx)
}

// due is how many probes may leave now and, when there are none, how long to
// wait.
func (l *loop) due() (n int, pause time.Duration) {
	n = batch - l.waiting
	n = int(min(uint64(n), l.config.Probes-l.filled))
	if room := maxFlying - int(l.filled-l.matched-l.givenUp); room < n {
		if room <= 0 {
			l.giveUp()
			return 0, retire
		}
		n = room
	}
	if l.config.Rate == 0 {
		return n, 0
	}
	passed := l.now() - l.start
	ready := int64(passed.Seconds()*l.config.Rate) + 1 - int64(l.filled)
	if ready <= 0 {
		half := time.Duration(batch / 2 / l.config.Rate * float64(time.Second))
		next := time.Duration(float64(l.filled) / l.config.Rate * float64(time.Second))
		return 0, max(next-passed, min(half, longSleep), leastSleep)
	}
	return min(n, int(ready)), 0
}

// giveUp stops waiting for what is in flight when nothing came for long, so that
// lost replies do not stop the run.
func (l *loop) giveUp() {
	if now := l.now(); now-max(l.last, l.start) > tailWait {
		clear(l.flying[:])
		l.givenUp, l.last = l.filled-l.matched, now
	}
}

// send fills n slots and flushes. Their send time is just before that.
func (l *loop) send(n int) error {
	now := l.now()
	for range n {
		b := l.out.Slot(l.template.Len())
		if b == nil {
			break
		}
		l.probe.ID = uint16(l.filled)
		l.probe.TTL = uint8(1 + l.filled%uint64(l.config.Hops))
		l.template.Put(b, &l.probe)
		l.flying[l.probe.ID] = now
		l.filled++
		l.waiting++
	}
	left, err := l.out.Flush()
	l.sent += uint64(left)
	l.waiting -= left
	if err != nil {
		return err
	}
	if l.waiting == 0 {
		return nil
	}
	l.refused++
	return l.ring.Wait(l.now() + leastSleep)
}

func (l *loop) drain() error {
	l.drained = l.now()
	return l.ring.Drain(l.take)
}

// Where the message and the quote of a shortest ICMP error are, from the IP
// header on: RFC 791 section 3.1, RFC 792.
const (
	messageAt = 20
	quoteAt   = messageAt + 8
	quoteEnd  = quoteAt + 28
	quotedID  = quoteAt + 4
	quotedSrc = quoteAt + 12
	quotedDst = quoteAt + 16
)

// take matches a reply by the quoted identification, if its addresses are ours.
func (l *loop) take(p *rx.Packet) {
	if len(p.Data) < l.header+quoteEnd {
		l.strays++
		return
	}
	b := p.Data[l.header:][:quoteEnd]
	if b[0] != 0x45 || b[quoteAt] != 0x45 || b[messageAt] != 11 && b[messageAt] != 3 ||
		[4]byte(b[quotedSrc:]) != l.source || [4]byte(b[quotedDst:]) != l.destination {
		l.strays++
		return
	}
	sent := &l.flying[binary.BigEndian.Uint16(b[quotedID:])]
	if *sent == 0 {
		l.strays++
		return
	}
	l.rtts.add(p.At - *sent)
	l.latencies.add(l.drained - p.At)
	l.last = p.At
	*sent = 0
	l.matched++
}

// finish takes the replies that are still under way.
func (l *loop) finish(ctx context.Context) error {
	quiet := l.now() + tailWait
	for before := l.matched; l.matched < l.sent && l.now() < quiet && ctx.Err() == nil; {
		if err := l.ring.Wait(l.now() + retire); err != nil {
			return err
		}
		if err := l.drain(); err != nil {
			return err
		}
		if l.matched > before {
			before, quiet = l.matched, l.now()+tailWait
		}
	}
	l.took = max(l.last, l.start+1) - l.start
	return ctx.Err()
}
