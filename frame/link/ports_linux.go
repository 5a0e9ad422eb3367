package link

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"

	"github.com/hopquote/hopquote/frame"
	"golang.org/x/sys/unix"
)

// PortsConfig says which source ports to hold.
type PortsConfig struct {
	Method    frame.Method // one with ports
	Src       netip.Addr   // a link-local one needs a zone or the Interface
	Fixed     uint16       // the one port that every Hold gives; 0 for a new one each time
	Interface string       // bind to it (SO_BINDTODEVICE), as Want.Interface
	// Renew gives the Fixed port a new socket with every Hold, and Release
	// closes it: a Connector can use a socket once. Its connections end with a
	// reset, so that the next one needs not wait until TCP forgets the last.
	Renew bool
}

// Ports gives the configuration for the source ports of the envelope's probes.
func (e *Envelope) Ports(m frame.Method, fixed uint16) PortsConfig {
	c := PortsConfig{Method: m, Src: e.Src, Fixed: fixed, Interface: e.Bound}
	if isScoped(c.Src) {
		c.Src = c.Src.WithZone(e.Zone)
	}
	return c
}

// Ports are source ports held by sockets, so that the kernel gives them to
// nobody else and knows what to do with answers: a UDP datagram finds a socket
// instead of a port unreachable, and a SYN-ACK finds none that waits for it and
// is reset. It is for one goroutine.
//
// Where the kernel has no UDP-Lite or no DCCP, nothing can hold a port of them
// and nobody else can want one: the ports are then random ones that differ from
// each other, and the kernel answers what comes to them with a protocol
// unreachable.
type Ports struct {
	c    PortsConfig
	open map[uint16]int // port to socket, noSocket where the kernel lacks the protocol
}

const noSocket = -1

// The ports without a socket are from the kernel's default range
// (ip_local_port_range, ip-sysctl).
const (
	firstFreePort = 32768
	freePorts     = 60999 - firstFreePort + 1
)

// NewPorts holds the Fixed port if there is one: errors are *OpError, such as
// "bind: Address already in use".
func NewPorts(c PortsConfig) (*Ports, error) {
	if !c.Method.HasPorts() {
		return nil, fmt.Errorf("link: ports of method %v: it has none", c.Method)
	}
	if !c.Src.IsValid() {
		return nil, errors.New("link: ports need a source address")
	}
	c.Src = c.Src.Unmap()
	if isScoped(c.Src) && c.Src.Zone() == "" {
		c.Src = c.Src.WithZone(c.Interface)
	}
	p := &Ports{c: c, open: make(map[uint16]int)}
	if c.Fixed != 0 {
		if _, err := p.hold(c.Fixed); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// Hold gives a source port, 1..65535, that is held until Release. With no port
// left the error is EADDRINUSE, with no file descriptor left EMFILE.
func (p *Ports) Hold() (uint16, error) {
	if _, held := p.open[p.c.Fixed]; held {
		return p.c.Fixed, nil
	}
	return p.hold(p.c.Fixed)
}

// Release gives a port back. The Fixed port stays held until Close unless it is
// to Renew.
func (p *Ports) Release(port uint16) {
	if fd, held := p.open[port]; held && (p.c.Fixed == 0 || p.c.Renew) {
		closeHeld(fd)
		delete(p.open, port)
	}
}

// Close gives all ports back.
func (p *Ports) Close() {
	for port, fd := range p.open {
		closeHeld(fd)
		delete(p.open, port)
	}
}

func closeHeld(fd int) {
	if fd != noSocket {
		unix.Close(fd)
	}
}

func (p *Ports) hold(port uint16) (uint16, error) {
	fd, err := p.socket()
	if p.c.Method != frame.UDP && p.c.Method != frame.TCP && isUnsupported(err) {
		return p.choose(port)
	}
	if err != nil {
		return 0, err
	}
	port, err = p.bind(fd, port)
	if err != nil {
		unix.Close(fd)
		return 0, err
	}
	p.open[port] = fd
	return port, nil
}

// isUnsupported tells whether a socket could not be had because the kernel lacks
// its protocol (socket(2)).
func isUnsupported(err error) bool {
	return errors.Is(err, unix.EPROTONOSUPPORT) || errors.Is(err, unix.ESOCKTNOSUPPORT)
}

// choose notes a port without a socket: the given one, or for 0 a random one
// that is not held yet.
func (p *Ports) choose(port uint16) (uint16, error) {
	if port == 0 {
		from := rand.IntN(freePorts)
		for i := range freePorts {
			n := uint16(firstFreePort + (from+i)%freePorts)
			if _, held := p.open[n]; !held {
				port = n
				break
			}
		}
	}
	if port == 0 {
		return 0, opError("bind", unix.EADDRINUSE)
	}
	p.open[port] = noSocket
	return port, nil
}

func (p *Ports) socket() (int, error) {
	domain, kind, protocol := unix.AF_INET, unix.SOCK_DGRAM, 0
	if p.c.Src.Is6() {
		domain = unix.AF_INET6
	}
	switch p.c.Method {
	case frame.TCP:
		kind = unix.SOCK_STREAM
	case frame.UDPLite:
		protocol = unix.IPPROTO_UDPLITE
	case frame.DCCP:
		kind, protocol = unix.SOCK_DCCP, unix.IPPROTO_DCCP
	}
	fd, err := unix.Socket(domain, kind|unix.SOCK_CLOEXEC, protocol)
	if errors.Is(err, unix.EMFILE) {
		var limit unix.Rlimit
		if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) == nil {
			return 0, fmt.Errorf("%w: %d source ports held, each takes one of at most %d open files (RLIMIT_NOFILE)",
				opError("socket", err), len(p.open), limit.Cur)
		}
	}
	if err != nil {
		return 0, opError("socket", err)
	}
	return fd, nil
}

func (p *Ports) bind(fd int, port uint16) (uint16, error) {
	if p.c.Interface != "" {
		// Kernels before 5.7 want CAP_NET_RAW for it, which the caller may have
		// given up. The source address binds well enough.
		if err := unix.BindToDevice(fd, p.c.Interface); err != nil && !errors.Is(err, unix.EPERM) {
			return 0, opError("setsockopt SO_BINDTODEVICE", err)
		}
	}
	if p.c.Renew && p.c.Fixed != 0 {
		if err := unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}); err != nil {
			return 0, opError("setsockopt SO_LINGER", err)
		}
	}
	if p.c.Src.Is6() {
		// "::" would hold the port for IPv4 as well.
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1); err != nil {
			return 0, opError("setsockopt IPV6_V6ONLY", err)
		}
	}
	if p.c.Method == frame.UDP || p.c.Method == frame.UDPLite {
		// Nobody reads: the kernel raises this to its minimum, room for a
		// datagram or two, and drops the rest.
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 1); err != nil {
			return 0, opError("setsockopt SO_RCVBUF", err)
		}
	}
	if err := bindAddr(fd, p.c.Src, port); err != nil {
		return 0, err
	}
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return 0, opError("getsockname", err)
	}
	_, port = fromSockaddr(sa)
	return port, nil
}
