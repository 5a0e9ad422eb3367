package scheduler

import (
	"time"

	"github.com/hopquote/hopquote/rx"
)

// Clock tells the time since the run's epoch. It never goes backwards.
type Clock interface {
	Now() time.Duration
}

// Sender puts frames on the wire.
type Sender interface {
	// Send sends the frames in order and returns how many left. Fewer than
	// all with a nil error is back-pressure: the rest may be tried again
	// later. An error concerns frames[n]; those after it were not tried. The
	// sender may write the link destination into the frames, and does not
	// keep them after it returns. Where the kernel sends another frame in the
	// place of one, it may put that into the slice, see Config.Amend.
	Send(frames [][]byte) (n int, err error)
}

// Receiver takes replies in.
type Receiver interface {
	// Wait returns when a packet waits, when the clock reaches until, or when
	// somebody woke the receiver, whichever is first.
	Wait(until time.Duration) error
	// Drain hands every waiting packet to f, oldest first.
	Drain(f func(*rx.Packet)) error
	// Lag is how long a packet may have been received before Drain sees it.
	Lag() time.Duration
	// Drops is the kernel's count of packets that found no room, since the
	// receiver was opened.
	Drops() (uint64, error)
}
