package link

import (
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// xdpSizes are what a socket has room for, powers of two.
type xdpSizes struct {
	chunks      int // frames that are lent, wait or are under way
	completions int // those the kernel may be done with before somebody looks
}

// openXDP opens an AF_XDP socket on a transmit queue. It receives nothing, and
// needs no XDP program. Errors name the system call and unwrap to its errno:
// EPERM without CAP_NET_RAW, EAFNOSUPPORT from kernels without AF_XDP, ENOBUFS
// where no more memory may be locked, EBUSY when the queue is another's.
func openXDP(e *Envelope, queue int, sizes xdpSizes) (_ *xdp, err error) {
	if e.Local || e.Header.Type.HeaderLen() != ethernetLen {
		return nil, &OpError{Op: "AF_XDP carries Ethernet frames", Err: unix.EOPNOTSUPP}
	}
	fd, err := unix.Socket(unix.AF_XDP, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, opError("socket AF_XDP", err)
	}
	x := &xdp{fd: fd, maxFrame: e.LinkMTU + ethernetLen}
	defer func() {
		if err != nil {
			x.close()
		}
	}()
	if err := x.lockMemory(sizes.chunks); err != nil {
		return nil, err
	}
	if err := x.makeRings(sizes.completions); err != nil {
		return nil, err
	}
	if e.Mark != 0 {
		_ = setMark(fd, e.Mark) // as with a packet socket
	}
	sa := unix.SockaddrXDP{
		Flags:   unix.XDP_COPY | unix.XDP_USE_NEED_WAKEUP,
		Ifindex: uint32(e.Interface.Index),
		QueueID: uint32(queue),
	}
	if err := bindPatiently(fd, &sa); err != nil {
		return nil, opError(fmt.Sprintf("bind AF_XDP queue %d", queue), err)
	}
	return x, nil
}

// bindPatience is how long a queue may stay taken after its socket was closed:
// the kernel frees it in the background, which on a machine that is busy with
// other things takes a while. bindPause is the longest time between two looks.
const (
	bindPatience = 2 * time.Second
	bindPause    = 50 * time.Millisecond
)

// bindPatiently is bind(2) to a queue that is perhaps about to be freed.
func bindPatiently(fd int, sa unix.Sockaddr) error {
	end := time.Now().Add(bindPatience)
	for pause := time.Millisecond; ; pause = min(2*pause, bindPause) {
		err := unix.Bind(fd, sa)
		if !errors.Is(err, unix.EBUSY) || time.Now().After(end) {
			return err
		}
		time.Sleep(pause)
	}
}

// lockMemory makes the chunks and hands them to the kernel, which keeps them in
// place. A chunk is 2048 bytes, or a page: the sizes that the kernel takes.
func (x *xdp) lockMemory(chunks int) error {
	x.chunk = 2048
	if page := os.Getpagesize(); x.maxFrame > x.chunk {
		x.chunk = page
		x.maxFrame = min(x.maxFrame, page)
	}
	size := chunks * x.chunk
	memory, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_POPULATE)
	if err != nil {
		return opError("mmap", err)
	}
	x.memory = memory
	if err := registerMemory(x.fd, memory, x.chunk); err != nil {
		return opError(fmt.Sprintf("setsockopt XDP_UMEM_REG (%d KiB of locked memory)", size>>10), err)
	}
	x.away = make([]bool, chunks)
	x.line = make([]xdpSlot, chunks)
	x.free = make([]uint64, 0, chunks)
	for i := chunks - 1; i >= 0; i-- {
		x.free = append(x.free, uint64(i*x.chunk))
	}
	return nil
}

// makeRings makes the rings that sending takes. The kernel wants one for
// receive buffers too: it stays empty.
func (x *xdp) makeRings(completions int) error {
	for _, r := range []struct {
		name            string
		option, entries int
	}{
		{"XDP_UMEM_FILL_RING", unix.XDP_UMEM_FILL_RING, 1},
		{"XDP_UMEM_COMPLETION_RING", unix.XDP_UMEM_COMPLETION_RING, completions},
		{"XDP_TX_RING", unix.XDP_TX_RING, xdpTxEntries},
	} {
		if err := unix.SetsockoptInt(x.fd, unix.SOL_XDP, r.option, r.entries); err != nil {
			return opError("setsockopt "+r.name, err)
		}
	}
	offsets, err := ringOffsets(x.fd)
	if err != nil {
		return opError("getsockopt XDP_MMAP_OFFSETS", err)
	}
	if x.tx.xdpRing, err = mapRing[unix.XDPDesc](x.fd, unix.XDP_PGOFF_TX_RING, &offsets.Tx, xdpTxEntries); err != nil {
		return opError("mmap of the transmit ring", err)
	}
	if x.done.xdpRing, err = mapRing[uint64](x.fd, unix.XDP_UMEM_PGOFF_COMPLETION_RING, &offsets.Cr, completions); err != nil {
		return opError("mmap of the completion ring", err)
	}
	return nil
}

// kick has the kernel send what is in the ring. It never waits, see
// batch.sendmmsg.
func (x *xdp) kick() unix.Errno {
	for x.tx.needsKick() {
		_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(x.fd), 0, 0, unix.MSG_DONTWAIT, 0, 0)
		if errno != unix.EINTR {
			return errno
		}
	}
	return 0
}

// refused is how many descriptors the kernel has found invalid.
func (x *xdp) refused() (uint64, error) {
	s, err := xdpStatistics(x.fd)
	if err != nil {
		return 0, opError("getsockopt XDP_STATISTICS", err)
	}
	return s.Tx_invalid_descs, nil
}

// close gives back socket and memory.
func (x *xdp) close() error {
	if x.fd < 0 {
		return net.ErrClosed
	}
	x.unnoticed()
	errs := []error{unix.Close(x.fd)}
	x.fd = -1
	for _, m := range [][]byte{x.tx.memory, x.done.memory, x.memory} {
		if m != nil {
			errs = append(errs, unix.Munmap(m))
		}
	}
	x.free, x.memory = nil, nil
	if err := errors.Join(errs...); err != nil {
		return opError("close", err)
	}
	return nil
}
