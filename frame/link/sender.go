package link

import (
	"context"
	"sync"
	"syscall"
)

// SenderConfig says how a Sender sends. The zero value is fine.
type SenderConfig struct {
	// Tx is the way that frames leave. Where the kernel refuses TxXDP it is
	// TxPacket, and Sender.Fallback tells why.
	Tx Tx
	// Rate in probes/s that is asked for, for TxAuto.
	Rate float64
	// Queue is the interface's transmit queue that TxXDP sends by; no other
	// such sender may have it.
	Queue int
	// Bypass skips the interface's queueing discipline (PACKET_QDISC_BYPASS,
	// packet(7)): faster, and frames are dropped where it would have held
	// them back. It has no meaning for an Envelope that is Local, nor for
	// TxXDP, which always does.
	Bypass bool
	// Undelivered is handed each frame that was reported as sent and whose
	// next hop did not resolve. It is called from a goroutine of the Sender,
	// must not call Close, and may keep the frame. Nil drops them.
	Undelivered func(frame []byte)
}

// Sender puts frames on the wire for one Envelope: the caller's own by Send, or
// those of its Slots. All methods are for one goroutine, but Resolve may be
// called beside them.
type Sender struct {
	out      output
	xdp      *xdp // out, where it is that
	tx       Tx
	fallback error
	ethernet bool    // write mac into the frames
	mac      [6]byte // the next hop's, unless it comes through wait
	queue    *queue  // nil where the next hop was known from the start
	resolver *resolver
	slots    lender // those that are not xdp's own
	counts   Counts
}

// output is what a Sender sends by.
type output interface {
	// send sends frames in order and tells how many left: all, or up to
	// back-pressure (nil error), or up to the one that the errno is about.
	send(frames [][]byte) (int, error)
	close() error
}

// Tx tells how frames leave: any but TxAuto.
func (s *Sender) Tx() Tx { return s.tx }

// Fallback tells why frames do not leave as was asked, nil if they do.
func (s *Sender) Fallback() error { return s.fallback }

// Send sends the frames in order and returns how many left. Fewer than all
// with a nil error is back-pressure: the rest may be tried again later; so it
// is while slots wait, which are to be flushed first. An error concerns
// frames[n]; those after it were not tried. It unwraps to the errno, EMSGSIZE
// for a frame longer than the interface takes.
//
// Frames begin with the Envelope's link header, whose destination Send writes;
// none is kept. While the next hop is unresolved, copies are queued (4 MiB at
// most) and count as having left; should the wire refuse one of those later,
// the next Send returns that error.
func (s *Sender) Send(frames [][]byte) (n int, err error) {
	if len(s.slots.waiting()) == 0 && (s.xdp == nil || s.xdp.waiting() == 0) {
		n, err = s.send(frames)
	}
	s.counts.add(n, len(frames), err)
	return n, err
}

func (s *Sender) send(frames [][]byte) (int, error) {
	if q := s.queue; q != nil && !q.ready.Load() {
		n, inWay, err := q.hold(frames)
		if inWay {
			return n, sendError(err)
		}
	}
	return s.put(s.nextHop(), frames)
}

// nextHop is the link address of the next hop, which is known.
func (s *Sender) nextHop() [6]byte {
	if s.queue != nil {
		return s.queue.mac
	}
	return s.mac
}

// put sends frames to mac.
func (s *Sender) put(mac [6]byte, frames [][]byte) (int, error) {
	if s.ethernet {
		for i, f := range frames {
			if len(f) < ethernetLen {
				n, err := s.out.send(frames[:i])
				if err == nil && n == i {
					err = syscall.EINVAL
				}
				return n, sendError(err)
			}
			copy(f, mac[:])
		}
	}
	n, err := s.out.send(frames)
	return n, sendError(err)
}

const ethernetLen = 14

func sendError(err error) error {
	if err == nil {
		return nil
	}
	if _, named := err.(*OpError); named {
		return err
	}
	return opError("send", err)
}

// Resolve looks for the next hop's link-layer address, until ctx ends at most,
// so that the first frames need not wait for it. It tells whether the address
// is known; the search goes on in the background where ctx ended first.
func (s *Sender) Resolve(ctx context.Context) bool {
	return s.queue == nil || s.queue.wait(ctx)
}

// Close stops resolving, forgets what is queued and closes the sockets, side
// by side since each close of a packet socket waits for the kernel. Slots that
// were lent are gone.
func (s *Sender) Close() error {
	if s.queue != nil {
		s.queue.close()
	}
	var wg sync.WaitGroup
	if s.resolver != nil {
		wg.Go(s.resolver.close)
	}
	err := s.out.close()
	wg.Wait()
	return err
}
