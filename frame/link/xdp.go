package link

import (
	"net"
	"slices"

	"golang.org/x/sys/unix"
)

const (
	// xdpBatch is how many frames one system call takes, TX_BATCH_SIZE in the
	// kernel's net/xdp/xsk.c. More than that are never handed over at a time,
	// so that one call is done with them.
	xdpBatch = 32
	// xdpTxEntries is the transmit ring's length, a power of two.
	xdpTxEntries = 2 * xdpBatch
	// xdpChunks is how many frames there is memory for, a power of two.
	xdpChunks = 1024
)

// xdpSlot is a slot that was lent.
type xdpSlot struct {
	at  uint64 // in memory, or noChunk
	len int
}

// noChunk is where slots lie whose length cannot be sent, and an address that
// no memory has.
const noChunk = 1 << 63

// xdp sends on an AF_XDP socket in copy mode, see the kernel's
// Documentation/networking/af_xdp.rst. It lends out the memory that the kernel
// reads, in chunks of one frame each.
//
// A frame goes from line to the ring tx. The kernel takes it from there within
// the system call that kick makes, and gives its chunk back by the ring done
// when the driver is through with it. Between calls nobody but this side looks
// at tx, so what is in it can be written anew.
type xdp struct {
	fd       int // -1 once closed
	memory   []byte
	chunk    int      // bytes
	maxFrame int      // bytes
	free     []uint64 // chunks that nobody has, the next to lend last
	away     []bool   // by chunk, whether it was handed over and did not come back
	line     []xdpSlot
	head     uint32 // of line, modulo its length: the first that has not left
	tail     uint32 // of line: behind the last
	tx       xdpTxRing
	done     xdpDoneRing

	handed    int    // frames in tx, which are the first in line
	invalid   uint64 // descriptors that the kernel refused up to the last settle
	unsettled bool   // settle is to go on
	spoiled   uint64 // frames that the kernel refused and nobody noticed, at close
}

// waiting is how many slots have not left.
func (x *xdp) waiting() int { return int(x.tail - x.head) }

// slotAt gives the slot of line at a position.
func (x *xdp) slotAt(i uint32) *xdpSlot { return &x.line[i%uint32(len(x.line))] }

// slot lends a buffer, nil when none is free.
func (x *xdp) slot(n int) []byte {
	if x.fd < 0 || x.waiting() == len(x.line) {
		return nil
	}
	if n < ethernetLen || n > x.maxFrame {
		*x.slotAt(x.tail) = xdpSlot{noChunk, n}
		x.tail++
		return make([]byte, n)
	}
	if len(x.free) == 0 {
		x.reap()
		if len(x.free) == 0 {
			return nil
		}
	}
	at := x.free[len(x.free)-1]
	x.free = x.free[:len(x.free)-1]
	*x.slotAt(x.tail) = xdpSlot{at, n}
	x.tail++
	return x.memory[at : at+uint64(n) : at+uint64(n)]
}

// reap takes back the chunks that the kernel is done with. It may give back one
// that it was never handed, that of a void descriptor.
func (x *xdp) reap() {
	for at := range x.done.take {
		if i := at / uint64(x.chunk); i < uint64(len(x.away)) && x.away[i] {
			x.away[i] = false
			x.free = append(x.free, i*uint64(x.chunk))
		}
	}
}

// keep takes a chunk back for a frame that was handed over and is still to be
// sent.
func (x *xdp) keep(at uint64) {
	i := at / uint64(x.chunk)
	if x.away[i] {
		x.away[i] = false
		return
	}
	x.free = slices.DeleteFunc(x.free, func(f uint64) bool { return f == at })
}

// flush sends the slots, as Slots.Flush says, to where their frames say if to is
// nil.
func (x *xdp) flush(to *addresses) (sent int, err error) {
	if x.fd < 0 {
		return 0, net.ErrClosed
	}
	if x.unsettled {
		if sent, _, err = x.settle(); err != nil {
			return sent, err
		}
	}
	for x.waiting() > 0 {
		if err := x.hand(to); err != nil {
			return sent, err
		}
		errno := x.kick()
		if errno == unix.ENETDOWN || errno == unix.ENXIO { // before it looked at any
			return sent, errno
		}
		if errno != 0 || !x.tx.tookAll(x.handed) {
			took, err := x.stopped(errno)
			return sent + took, err
		}
		x.head += uint32(x.handed)
		sent += x.handed
		x.handed = 0
	}
	return sent, nil
}

// hand puts the first in line into the ring, a batch at most. The error is of
// the very first.
func (x *xdp) hand(to *addresses) error {
	n := min(x.waiting(), xdpBatch)
	for i := range n {
		s := x.slotAt(x.head + uint32(i))
		if s.at == noChunk {
			switch {
			case i > 0:
			case s.len < ethernetLen:
				return unix.EINVAL
			default:
				return unix.EMSGSIZE
			}
			n = i
			break
		}
		if to != nil {
			f := x.memory[s.at:]
			if to.hops != nil {
				copy(f, to.hops.of(f[:s.len]))
			} else {
				copy(f, to.of(f))
			}
		}
		x.away[s.at/uint64(x.chunk)] = true
		x.tx.put(i, s.at, s.len)
	}
	x.handed = n
	x.tx.publish(n)
	return nil
}

// stopped sees to a kick that ended with errno before all were taken, and gives
// what flush returns for its part.
func (x *xdp) stopped(errno unix.Errno) (took int, err error) {
	took, invalid, err := x.settle()
	if err != nil {
		return took, err
	}
	switch errno {
	case 0:
		if invalid {
			err = unix.EINVAL
		}
	case unix.EAGAIN, unix.ENOBUFS, unix.ENOMEM:
	case unix.EBUSY:
		// The last one was taken and thrown away, for want of a carrier say. It
		// has come back by now, and is to be sent again.
		if took > 0 {
			took--
			x.head--
			x.keep(x.slotAt(x.head).at)
		}
	default:
		err = errno
	}
	return took, err
}

// settle finds out how many frames the kernel took of those handed over when it
// did not take all; they leave line. Before Linux 6.17 its index in the ring
// does not tell. So all in the ring is made void, which the kernel passes over
// and counts, and what it has not counted at the end was a frame. invalid tells
// whether it has passed over a frame as well.
func (x *xdp) settle() (took int, invalid bool, err error) {
	if !x.unsettled {
		n, err := x.refused()
		if err != nil {
			return 0, false, err
		}
		invalid = n != x.invalid
		x.tx.publish(0)
		x.unsettled = true
	}
	for tries := 2 * xdpTxEntries; ; tries-- {
		x.reap() // or it might lack the room to give the void ones back
		if x.tx.empty() {
			break
		}
		if errno := x.kick(); errno != 0 { // one void a call, since Linux 6.6
			return 0, invalid, errno
		}
		if tries == 0 {
			return 0, invalid, unix.EIO
		}
	}
	n, err := x.refused()
	if err != nil {
		return 0, invalid, err
	}
	// Those that Drop forgot meanwhile stay forgotten.
	took = max(0, min(x.tx.takeAll()-int(n-x.invalid), x.handed))
	for i := took; i < x.handed; i++ {
		x.keep(x.slotAt(x.head + uint32(i)).at)
	}
	invalid = invalid && took < x.handed
	x.head += uint32(took)
	x.handed, x.invalid, x.unsettled = 0, n, false
	return took, invalid, nil
}

// send is output.send: it copies frames into slots of its own. None may be
// waiting. The frames carry their link addresses.
func (x *xdp) send(frames [][]byte) (sent int, err error) {
	for sent < len(frames) {
		lent := 0
		for _, f := range frames[sent:] {
			b := x.slot(len(f))
			if b == nil {
				break
			}
			copy(b, f)
			lent++
		}
		if lent == 0 && x.fd >= 0 {
			return sent, nil
		}
		n, err := x.flush(nil)
		x.drop()
		sent += n
		if err != nil || n < lent {
			return sent, err
		}
	}
	return sent, nil
}

// drop forgets the slots that have not left and tells how many they are. Those
// that the kernel could have taken and did not tell about are among them.
func (x *xdp) drop() int {
	n := x.waiting()
	for i := range n {
		s := x.slotAt(x.head + uint32(i))
		switch {
		case s.at == noChunk || x.fd < 0:
			continue
		case i < x.handed:
			x.keep(s.at)
		}
		x.free = append(x.free, s.at)
	}
	x.head, x.handed = x.tail, 0
	return n
}

// unnoticed is how many frames were taken and refused without a word, which
// kernels before 6.6 do with those that they find invalid.
func (x *xdp) unnoticed() uint64 {
	if x.fd >= 0 && !x.unsettled {
		if n, err := x.refused(); err == nil {
			x.spoiled = n - x.invalid
		}
	}
	return x.spoiled
}
