// Package virtual is a network in memory under a clock that only moves when
// somebody waits: the same strategy and script give the same events, to the
// nanosecond, every time. It stands in for clock, sender and receiver of an
// engine.
package virtual

import (
	"errors"
	"slices"
	"time"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/scheduler"
)

// Reply is one frame that a probe causes.
type Reply struct {
	After time.Duration // from the probe's send time
	Frame []byte
}

// Sent is one probe as it left.
type Sent struct {
	At    time.Duration
	Probe frame.Probe
	Frame []byte
}

// Net answers probes by a function. It is not safe for concurrent use.
type Net struct {
	// Link precedes the IP header of sent frames and replies.
	Link frame.LinkType
	// Respond gives the replies to a probe; none is silence.
	Respond func(Sent) []Reply
	// Refuse, when set, may refuse a frame before it leaves: as back-pressure
	// (false, nil) or with an error.
	Refuse func(at time.Duration, f []byte) (bool, error)
	// Sent lists every probe, in order.
	Sent []Sent

	now   time.Duration
	queue []rx.Packet // by time
}

// Now is the virtual time.
func (n *Net) Now() time.Duration { return n.now }

// Send takes the frames at the present time and queues what they cause.
func (n *Net) Send(frames [][]byte) (int, error) {
	for i, f := range frames {
		if n.Refuse != nil {
			if ok, err := n.Refuse(n.now, f); !ok || err != nil {
				return i, err
			}
		}
		p, err := frame.ReadProbe(f, n.Link)
		if err != nil {
			return i, err
		}
		s := Sent{n.now, p, slices.Clone(f)}
		n.Sent = append(n.Sent, s)
		for _, r := range n.Respond(s) {
			n.deliver(n.now+r.After, r.Frame)
		}
	}
	return len(frames), nil
}

// deliver queues a packet behind those of the same time.
func (n *Net) deliver(at time.Duration, f []byte) {
	i := len(n.queue)
	for i > 0 && n.queue[i-1].At > at {
		i--
	}
	n.queue = slices.Insert(n.queue, i, rx.Packet{Data: f, At: at})
}

// ErrStuck is what Wait gives when nothing will ever happen.
var ErrStuck = errors.New("virtual network: waiting for a reply that never comes")

// Wait moves the clock to the next packet or to until, whichever is first.
func (n *Net) Wait(until time.Duration) error {
	if len(n.queue) > 0 {
		until = min(until, n.queue[0].At)
	}
	if until == scheduler.Never {
		return ErrStuck
	}
	n.now = max(n.now, until)
	return nil
}

// Drain hands over the packets whose time has come.
func (n *Net) Drain(f func(*rx.Packet)) error {
	for len(n.queue) > 0 && n.queue[0].At <= n.now {
		p := n.queue[0]
		n.queue = n.queue[1:]
		f(&p)
	}
	return nil
}

// Lag is zero: packets are seen when they arrive.
func (n *Net) Lag() time.Duration { return 0 }

// Drops is zero: the queue has no end.
func (n *Net) Drops() (uint64, error) { return 0, nil }
