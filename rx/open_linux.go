package rx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/mdlayher/packet"
	"golang.org/x/sys/unix"

	"github.com/hopquote/hopquote/frame"
)

// OpenRing opens a ring, which needs CAP_NET_RAW in the network namespace of
// the calling thread. Errors unwrap to the errno: EPERM without the
// capability, ENETDOWN when the interface is down, ENOMEM.
//
// The socket is bound to no protocol, and so receives nothing, until the
// filter, the ring and its map stand: no packet is ever queued the ordinary
// way, where Drain would miss it.
func OpenRing(config RingConfig) (*Ring, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	r := &Ring{config: config}
	if err := r.open(); err != nil {
		r.release()
		return nil, fmt.Errorf("open receive ring on %s: %w", config.Interface.Name, err)
	}
	return r, nil
}

func (r *Ring) open() error {
	kind := packet.Raw
	if r.config.Link == frame.LinkRaw {
		kind = packet.Datagram
	}
	conn, err := packet.Listen(r.config.Interface, kind, 0, &packet.Config{Filter: r.config.Filter})
	if err != nil {
		return err
	}
	r.conn = conn
	if r.inbox.event, err = newEvent(); err != nil {
		return err
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	if err := control(raw, r.setUp); err != nil {
		return err
	}
	r.poll.init(raw, r.inbox.event.poll())
	r.poll.keep = r.config.Keep
	return nil
}

// control runs f on the socket's descriptor and returns its error.
func control(raw syscall.RawConn, f func(fd int) error) error {
	var err error
	if cerr := raw.Control(func(fd uintptr) { err = f(int(fd)) }); cerr != nil {
		return cerr
	}
	return err
}

// setUp makes the ring in the order that packet(7) and the kernel's
// packet_mmap document ask for: version, ring, map, bind.
func (r *Ring) setUp(fd int) error {
	if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3); err != nil {
		return os.NewSyscallError("setsockopt PACKET_VERSION", err)
	}
	// Best effort: kernels before 4.20 lack it, and Drain skips outgoing
	// packets by their type.
	_ = unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1)
	if err := unix.SetsockoptTpacketReq3(fd, unix.SOL_PACKET, unix.PACKET_RX_RING, r.request()); err != nil {
		return os.NewSyscallError("setsockopt PACKET_RX_RING", err)
	}
	size := r.config.BlockSize * r.config.Blocks
	memory, err := unix.Mmap(fd, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return os.NewSyscallError("mmap", err)
	}
	r.memory = memory
	// sll_protocol is in network byte order, packet(7).
	all := binary.NativeEndian.Uint16([]byte{unix.ETH_P_ALL >> 8, unix.ETH_P_ALL & 0xff})
	addr := unix.SockaddrLinklayer{Protocol: all, Ifindex: r.config.Interface.Index}
	if err := unix.Bind(fd, &addr); err != nil {
		return os.NewSyscallError("bind", err)
	}
	// A bind to an interface that is down succeeds and leaves an error behind.
	return socketError(fd)
}

// request describes the ring. Version 3 packs packets of any size, and still
// checks that the frame size divides the block size (packet_set_ring).
func (r *Ring) request() *unix.TpacketReq3 {
	const frameSize = 2048
	return &unix.TpacketReq3{
		Block_size:     uint32(r.config.BlockSize),
		Block_nr:       uint32(r.config.Blocks),
		Frame_size:     frameSize,
		Frame_nr:       uint32(r.config.BlockSize / frameSize * r.config.Blocks),
		Retire_blk_tov: uint32(r.config.Retire / time.Millisecond),
	}
}

// socketError takes the socket's pending error.
func socketError(fd int) error {
	errno, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		return os.NewSyscallError("getsockopt SO_ERROR", err)
	}
	if errno != 0 {
		return unix.Errno(errno)
	}
	return nil
}

// Close gives back memory and socket, after a Wait or Drain in progress has
// returned. Those that follow return net.ErrClosed. The counts of Drops and
// Frozen stay readable. Closing again does nothing.
func (r *Ring) Close() error {
	if !r.closed.CompareAndSwap(false, true) {
		return nil
	}
	r.inbox.wake()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stats.last(r.conn)
	if err := r.elsewhere.closeBeside(r.release); err != nil {
		return fmt.Errorf("close receive ring on %s: %w", r.config.Interface.Name, err)
	}
	return nil
}

// release undoes as much of open as was done: the map goes before the socket
// that it belongs to.
func (r *Ring) release() error {
	var errs [3]error
	if r.memory != nil {
		errs[0] = os.NewSyscallError("munmap", unix.Munmap(r.memory))
		r.memory = nil
	}
	if r.conn != nil {
		errs[1] = r.conn.Close()
	}
	errs[2] = r.inbox.close()
	return errors.Join(errs[:]...)
}

// closedError is what a method of a closed ring returns.
func (r *Ring) closedError() error {
	return fmt.Errorf("receive ring on %s: %w", r.config.Interface.Name, net.ErrClosed)
}
