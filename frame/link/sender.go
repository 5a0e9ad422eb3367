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
	// Also is a second Envelope, of the other family and by the same interface,
	// whose frames leave by this Sender too, each to its own next hop. Neither
	// may be Local.
	Also *Envelope
	// Hops, where it is set, has the next hops of all frames, of both families,
	// in place of the one of the Envelope, and Also does not matter. Nothing must
	// be sent that they do not lead to. It is for Ethernet.
	Hops *Hops
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
	ethernet bool // write link addresses into the frames
	hops     []nextHop
	to       addresses // scratch
	slots    lender    // those that are not xdp's own
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

func (s *Sender) send(frames [][]byte) (sent int, err error) {
	if s.resolved() {
		return s.put(frames)
	}
	for sent < len(frames) {
		h, run := s.run(frames[sent:])
		n, err := s.sendTo(h, run)
		if sent += n; err != nil || n < len(run) {
			return sent, err
		}
	}
	return sent, nil
}

// sendTo sends frames that go to one next hop, or queues them.
func (s *Sender) sendTo(h *nextHop, frames [][]byte) (int, error) {
	if q := h.queue; q != nil && !q.ready.Load() {
		n, inWay, err := q.hold(frames)
		if inWay {
			return n, sendError(err)
		}
	}
	return s.putOne(h.address(), frames)
}

// put sends frames, each to its next hop, all of which are known.
func (s *Sender) put(frames [][]byte) (int, error) {
	if !s.ethernet {
		n, err := s.out.send(frames)
		return n, sendError(err)
	}
	return s.putTo(s.addresses(), frames)
}

// putTo sends Ethernet frames to the addresses.
func (s *Sender) putTo(to *addresses, frames [][]byte) (int, error) {
	for i, f := range frames {
		if len(f) < ethernetLen {
			n, err := s.out.send(frames[:i])
			if err == nil && n == i {
				err = syscall.EINVAL
			}
			return n, sendError(err)
		}
		if to.hops != nil {
			copy(f, to.hops.of(f))
			continue
		}
		copy(f, to.of(f))
	}
	n, err := s.out.send(frames)
	return n, sendError(err)
}

// putOne is putTo for one address.
func (s *Sender) putOne(mac [6]byte, frames [][]byte) (int, error) {
	return s.putTo(&addresses{mac: [2][6]byte{mac}}, frames)
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
// is known, with two next hops of both; the search goes on in the background
// where ctx ended first.
func (s *Sender) Resolve(ctx context.Context) bool {
	known := true
	for i := range s.hops {
		if q := s.hops[i].queue; q != nil && !q.wait(ctx) {
			known = false
		}
	}
	return known
}

// Close stops resolving, forgets what is queued and closes the sockets, side
// by side since each close of a packet socket waits for the kernel. Slots that
// were lent are gone.
func (s *Sender) Close() error {
	for i := range s.hops {
		if q := s.hops[i].queue; q != nil {
			q.close()
		}
	}
	var wg sync.WaitGroup
	for i := range s.hops {
		if r := s.hops[i].resolver; r != nil {
			wg.Go(r.close)
		}
	}
	err := s.out.close()
	wg.Wait()
	return err
}
