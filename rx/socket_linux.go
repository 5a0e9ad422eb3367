package rx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/hopquote/hopquote/frame"
)

// SocketConfig says how to open a Socket. Interface is needed; the zero value
// of everything else is what a trace wants.
type SocketConfig struct {
	Interface *net.Interface       // as RingConfig
	Link      frame.LinkType       // as RingConfig
	Filter    []bpf.RawInstruction // as RingConfig
	// Packets is how many packets may wait for Drain at least, whatever buffers
	// the driver receives them in; 0 means 64.
	Packets int
	// Epoch is time zero of Packet.At and Wait, as RingConfig's.
	Epoch time.Time
}

const (
	defaultPackets = 64
	// maxPackets bounds a socket's buffer well within what the kernel counts.
	maxPackets = 1 << 16
	// packetRoom is what a packet may take of a socket's buffer, in bytes: a
	// page and the kernel's own structures, where drivers receive into pages.
	packetRoom = 4096 + 256
)

// ErrBuffer is OpenSocket's error where the kernel grants less room than
// SocketConfig.Packets need: beyond net.core.rmem_max it takes CAP_NET_ADMIN
// (socket(7)).
var ErrBuffer = errors.New("receive buffer is limited by net.core.rmem_max")

// Socket receives packets one by one, copied by the kernel, each as soon as it
// is there. For the few packets of a trace that is quicker than a Ring: Drain
// sees them some 50 us after they came, not a retire time, and neither opening
// nor closing takes the kernel's time for setting up a ring (10 to 30 ms).
// Under load each packet costs several times what it costs in a Ring.
//
// It is used as a Ring is.
type Socket struct {
	config    SocketConfig
	beside    *beyond // nil: on the interface
	fd        int     // noDescriptor once closed, which is after stats.last
	packet    Packet
	inbox     inbox
	closed    atomic.Bool // set before mu is asked for
	stats     socketStats
	elsewhere *Elsewhere // nil for none

	mu     sync.Mutex // held while one of these is in use
	poll   poller
	batch  messages
	failed error // of the socket, for the next Wait
}

const noDescriptor = -1

// OpenSocket opens a socket, with the rights and the errors of OpenRing.
//
// It has no protocol, and so receives nothing, until filter and options stand.
func OpenSocket(config SocketConfig) (*Socket, error) {
	if config.Packets == 0 {
		config.Packets = defaultPackets
	}
	if config.Epoch.IsZero() {
		config.Epoch = time.Now()
	}
	switch {
	case config.Interface == nil:
		return nil, errors.New("open receive socket: no interface given")
	case config.Packets < 1 || config.Packets > maxPackets:
		return nil, fmt.Errorf("open receive socket: room for %d packets, need 1..%d", config.Packets, maxPackets)
	}
	s := &Socket{config: config, fd: noDescriptor}
	if err := s.open(); err != nil {
		s.release()
		return nil, fmt.Errorf("open receive socket on %s: %w", config.Interface.Name, err)
	}
	return s, nil
}

func (s *Socket) open() (err error) {
	kind := unix.SOCK_RAW
	if s.config.Link == frame.LinkRaw || s.beside != nil {
		kind = unix.SOCK_DGRAM
	}
	if s.fd, err = unix.Socket(unix.AF_PACKET, kind|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0); err != nil {
		s.fd = noDescriptor
		return os.NewSyscallError("socket", err)
	}
	if s.beside == nil {
		if s.inbox.event, err = newEvent(); err != nil {
			return err
		}
	}
	if err := s.batch.init(s.beside.headerLen(s.config.Link)); err != nil {
		return err
	}
	// First of all: the kernel begins to stamp packets a moment after it is
	// asked to, and those before bear the time of their Drain.
	if err := unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1); err != nil {
		return os.NewSyscallError("setsockopt SO_TIMESTAMPNS", err)
	}
	if err := unix.SetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_AUXDATA, 1); err != nil {
		return os.NewSyscallError("setsockopt PACKET_AUXDATA", err)
	}
	if s.beside == nil {
		// Best effort: kernels before 4.20 lack it, and Drain skips outgoing
		// packets by their type.
		_ = unix.SetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1)
	}
	if err := s.makeRoom(); err != nil {
		return err
	}
	if err := s.attach(); err != nil {
		return err
	}
	if err := unix.Bind(s.fd, s.place()); err != nil {
		return os.NewSyscallError("bind", err)
	}
	s.poll.init(descriptor(s.fd), s.inbox.event.poll())
	// A bind to an interface that is down succeeds and leaves an error behind.
	return socketError(s.fd)
}

// place is what the socket is bound to. sll_protocol is in network byte order,
// packet(7).
func (s *Socket) place() *unix.SockaddrLinklayer {
	protocol, index := uint16(unix.ETH_P_ALL), s.config.Interface.Index
	if s.beside != nil {
		protocol, index = s.beside.protocol, 0
	}
	network := binary.NativeEndian.Uint16([]byte{byte(protocol >> 8), byte(protocol)})
	return &unix.SockaddrLinklayer{Protocol: network, Ifindex: index}
}

// makeRoom sizes the receive buffer. The kernel doubles what it is asked for,
// to cover its own structures, which packetRoom has counted.
func (s *Socket) makeRoom() error {
	need := s.config.Packets * packetRoom
	if unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, need/2) == nil {
		return nil
	}
	if err := unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, need/2); err != nil {
		return os.NewSyscallError("setsockopt SO_RCVBUF", err)
	}
	has, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RCVBUF)
	if err != nil {
		return os.NewSyscallError("getsockopt SO_RCVBUF", err)
	}
	if has < need && s.beside == nil {
		return fmt.Errorf("room for %d packets: %d bytes: %w", s.config.Packets, has, ErrBuffer)
	}
	return nil
}

func (s *Socket) attach() error {
	if len(s.config.Filter) == 0 {
		return nil
	}
	return attach(s.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, "SO_ATTACH_FILTER", s.config.Filter)
}

// attach gives a socket a program by the named option.
func attach(fd, level, option int, name string, program []bpf.RawInstruction) error {
	code := make([]unix.SockFilter, len(program))
	for i, c := range program {
		code[i] = unix.SockFilter{Code: c.Op, Jt: c.Jt, Jf: c.Jf, K: c.K}
	}
	list := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	return os.NewSyscallError("setsockopt "+name, unix.SetsockoptSockFprog(fd, level, option, &list))
}

// Epoch is time zero of Packet.At and Wait.
func (s *Socket) Epoch() time.Time { return s.config.Epoch }

// Lag is how long a packet may lie before Drain sees it: not at all.
func (s *Socket) Lag() time.Duration { return 0 }

// Wake makes the Wait in progress return, or the next one when there is none.
func (s *Socket) Wake() { s.inbox.wake() }

// Inject hands a copy of data, a frame that starts with SocketConfig.Link, to
// the next Drain as if it had been received at at, marked Local, and wakes.
// After Close it does nothing.
func (s *Socket) Inject(data []byte, at time.Duration) { s.inbox.put(data, at) }

// Close gives the socket back, after a Wait or Drain in progress has returned.
// Those that follow return net.ErrClosed. The count of Drops stays readable.
// Closing again does nothing.
func (s *Socket) Close() error {
	if !s.closed.CompareAndSwap(false, true) {
		return nil
	}
	s.inbox.wake()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.last(s.fd)
	if err := s.elsewhere.closeBeside(s.release); err != nil {
		return fmt.Errorf("close receive socket on %s: %w", s.config.Interface.Name, err)
	}
	return nil
}

func (s *Socket) release() error {
	var err error
	if s.fd != noDescriptor {
		err = os.NewSyscallError("close", unix.Close(s.fd))
		s.fd = noDescriptor
	}
	return errors.Join(err, s.batch.release(), s.inbox.close())
}

// closedError is what a method of a closed socket returns.
func (s *Socket) closedError() error {
	return fmt.Errorf("receive socket on %s: %w", s.config.Interface.Name, net.ErrClosed)
}
