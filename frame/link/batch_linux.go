package link

import (
	"encoding/binary"
	"errors"
	"net"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// batchLen is how many frames one sendmmsg(2) takes at most. More than 64
// gains little; a whole batch fits here so that it is rarely split.
const batchLen = 256

// mmsghdr is struct mmsghdr of sendmmsg(2).
type mmsghdr struct {
	hdr unix.Msghdr
	_   uint32 // msg_len: what the kernel reports back of each, always all of it
}

// batch sends frames on one socket, many in a system call. Its arrays are made
// once: sending allocates nothing.
//
// The socket is not in Go's network poller: every frame that the kernel is done
// with would count there as new room to send, and wake a thread that nobody
// asked for. On a veth that took as much time as the sending itself.
type batch struct {
	fd   int // -1: closed
	skip int // bytes at the head of each frame that do not leave

	msgs  [batchLen]mmsghdr
	iovs  [batchLen]unix.Iovec
	named bool // link address by IP version, for links without a header
	names [2]unix.RawSockaddrLinklayer
}

// newBatch takes the socket over.
func newBatch(fd int) *batch {
	b := &batch{fd: fd}
	for i := range b.msgs {
		b.msgs[i].hdr.Iov = &b.iovs[i]
		b.msgs[i].hdr.SetIovlen(1)
	}
	return b
}

// nameByVersion gives each frame a link address with the EtherType that its IP
// version nibble says: a bare IP packet tells the interface nothing else.
func (b *batch) nameByVersion(index int) {
	b.named = true
	for i, etherType := range []uint16{unix.ETH_P_IP, unix.ETH_P_IPV6} {
		b.names[i] = unix.RawSockaddrLinklayer{
			Family:   unix.AF_PACKET,
			Protocol: binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, etherType)),
			Ifindex:  int32(index),
		}
	}
}

// send sends frames in order and returns how many left: all, or up to
// back-pressure (nil error), or up to the one that the errno is about.
func (b *batch) send(frames [][]byte) (int, error) {
	sent := 0
	for sent < len(frames) {
		n, err := b.sendSome(frames[sent:min(len(frames), sent+batchLen)])
		sent += n
		switch {
		case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.ENOBUFS):
			return sent, nil
		case err != nil:
			return sent, err
		case n == 0:
			return sent, nil
		}
		// After fewer than asked the frame that stopped the kernel is tried
		// again first, which brings up its errno.
	}
	return sent, nil
}

// sendSome sends at most batchLen frames by one system call.
func (b *batch) sendSome(frames [][]byte) (int, error) {
	for i, f := range frames {
		if len(f) <= b.skip {
			if i == 0 {
				return 0, unix.EINVAL
			}
			frames = frames[:i]
			break
		}
		p := f[b.skip:]
		b.iovs[i].Base = unsafe.SliceData(p)
		b.iovs[i].SetLen(len(p))
		if b.named {
			name := &b.names[0]
			if p[0]>>4 == 6 {
				name = &b.names[1]
			}
			b.msgs[i].hdr.Name = (*byte)(unsafe.Pointer(name))
			b.msgs[i].hdr.Namelen = unix.SizeofSockaddrLinklayer
		}
	}
	if b.fd < 0 {
		return 0, net.ErrClosed
	}
	n, errno := b.sendmmsg(len(frames))
	if errno != 0 {
		return 0, errno
	}
	return n, nil
}

// sendmmsg sends the first n messages. It never waits, so it is called without
// a word to Go's scheduler, which would else give the processor to another
// thread whenever a full batch takes longer than it allows a system call.
func (b *batch) sendmmsg(n int) (int, syscall.Errno) {
	for {
		sent, _, errno := unix.RawSyscall6(unix.SYS_SENDMMSG, uintptr(b.fd), uintptr(unsafe.Pointer(&b.msgs)),
			uintptr(n), unix.MSG_DONTWAIT, 0, 0)
		if errno != unix.EINTR {
			return int(sent), errno
		}
	}
}

func (b *batch) close() error {
	if b.fd < 0 {
		return net.ErrClosed
	}
	err := unix.Close(b.fd)
	b.fd = -1
	if err != nil {
		return opError("close", err)
	}
	return nil
}
