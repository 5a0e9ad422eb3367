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

// SlotSender is a Sender that lends the memory that frames are built in. An
// Engine whose Sender is one uses these methods only, never Send.
//
// A slot is filled from the Slot that lends it until the next Flush, which
// takes all slots lent so far as filled. Slots that have not left wait in order.
type SlotSender interface {
	// Slot lends the next free buffer, of n bytes with what contents ever; nil
	// when none is free, which passes. The caller fills all of it before the
	// next Flush. n must be what the interface takes, link header included.
	Slot(n int) []byte
	// Flush sends the filled slots, oldest first, and returns how many left.
	// Fewer than all with a nil error is back-pressure: the rest stay, first in
	// line for the next Flush. An error concerns the first slot that did not
	// leave; those behind it were not tried, and all of them stay until Drop or
	// the next Flush. The bytes of the slots that left, as they left (the sender
	// may have written the link destination, or another frame, see
	// Config.Amend), can be read until the next Slot.
	Flush() (n int, err error)
	// Drop forgets the slots that have not left.
	Drop()
}

// Waker is a Receiver whose Wait others may end.
type Waker interface {
	Receiver
	// Wake makes the Wait in progress return, or the next one when there is
	// none. It may be called from any goroutine.
	Wake()
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
