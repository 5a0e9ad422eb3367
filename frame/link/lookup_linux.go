package link

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"
)

// dryRunPort is connected to when the Want names no port. Any but 0 would do:
// getpeername(2) has no peer to tell of with port 0.
const dryRunPort = 33434

// Lookup asks the kernel how a packet to w.Dst would leave.
//
// It connects a UDP socket, which sends nothing, so that routes that fail do so
// with the kernel's own errors: those are *OpError with Op "setsockopt
// SO_DEBUG", "setsockopt SO_MARK", "setsockopt SO_BINDTODEVICE", "bind" or
// "connect".
func Lookup(w Want) (Envelope, error) {
	if err := w.check(); err != nil {
		return Envelope{}, err
	}
	w.Dst, w.Src = w.Dst.Unmap(), w.Src.Unmap()
	e, err := w.dryRun()
	if err != nil {
		return Envelope{}, err
	}
	k, err := openKernel()
	if err != nil {
		return Envelope{}, err
	}
	defer k.close()
	oif, err := w.outInterface()
	if err != nil {
		return Envelope{}, err
	}
	r, err := k.route(&w, &e, oif)
	var errno unix.Errno
	if errors.As(err, &errno) {
		return Envelope{}, opError("connect", err)
	}
	if err != nil {
		return Envelope{}, fmt.Errorf("route to %v: %w", e.Dst, err)
	}
	ifi, err := k.device(r.oif)
	if err != nil {
		return Envelope{}, err
	}
	if e.Header, err = ifi.header(); err != nil {
		return Envelope{}, err
	}
	e.Interface = ifi.Interface
	e.Local = r.kind == unix.RTN_LOCAL
	if isScoped(e.Src) || isScoped(e.Dst) {
		zone := ifi
		if oif != 0 {
			if zone, err = k.device(oif); err != nil {
				return Envelope{}, err
			}
		}
		e.Zone = zone.Name
	}
	e.NextHop = e.Dst
	if r.gateway.IsValid() && !w.DontRoute {
		e.NextHop = r.gateway
	}
	e.LinkMTU = ifi.mtu
	if e.Dst.Is4() {
		e.LinkMTU = min(e.LinkMTU, 65535) // loopback's 65536 is more than IPv4 can say
	}
	if r.mtu > 0 {
		e.MTU = r.mtu
	}
	e.MTU = min(e.MTU, e.LinkMTU)
	return e, nil
}

// outInterface is the index of the interface that w insists on, 0 if none.
func (w *Want) outInterface() (int, error) {
	if w.Interface != "" {
		ifi, err := net.InterfaceByName(w.Interface)
		if err != nil {
			return 0, &OpError{"setsockopt SO_BINDTODEVICE", unix.ENODEV}
		}
		return ifi.Index, nil
	}
	if id, err := scope("connect", w.Dst); id != 0 || err != nil {
		return int(id), err
	}
	id, err := scope("bind", w.Src)
	return int(id), err
}

// dryRun fills Src, Dst, MTU and Bound from a connected UDP socket.
func (w *Want) dryRun() (Envelope, error) {
	family, level, mtuOption := unix.AF_INET, unix.IPPROTO_IP, unix.IP_MTU
	if w.Dst.Is6() {
		family, level, mtuOption = unix.AF_INET6, unix.IPPROTO_IPV6, unix.IPV6_MTU
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.IPPROTO_UDP)
	if err != nil {
		return Envelope{}, opError("socket", err)
	}
	defer unix.Close(fd)
	if err := w.setOptions(fd); err != nil {
		return Envelope{}, err
	}
	if w.Src.IsValid() {
		if err := bindAddr(fd, w.Src, 0); err != nil {
			return Envelope{}, err
		}
	}
	port := w.DstPort
	if port == 0 {
		port = dryRunPort
	}
	peer, err := sockaddr("connect", w.Dst, port)
	if err != nil {
		return Envelope{}, err
	}
	if err := unix.Connect(fd, peer); err != nil {
		return Envelope{}, opError("connect", err)
	}
	e := Envelope{Bound: w.Interface, Mark: w.Mark}
	local, err := unix.Getsockname(fd)
	if err != nil {
		return Envelope{}, opError("getsockname", err)
	}
	remote, err := unix.Getpeername(fd)
	if err != nil {
		return Envelope{}, opError("getpeername", err)
	}
	e.Src, _ = fromSockaddr(local)
	e.Dst, _ = fromSockaddr(remote)
	if e.MTU, err = unix.GetsockoptInt(fd, level, mtuOption); err != nil {
		return Envelope{}, opError("getsockopt IP_MTU", err)
	}
	return e, nil
}

// setOptions sets what changes the kernel's choice of a route.
func (w *Want) setOptions(fd int) error {
	if w.Debug {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DEBUG, 1); err != nil {
			return opError("setsockopt SO_DEBUG", err)
		}
	}
	if w.Mark != 0 {
		if err := setMark(fd, w.Mark); err != nil {
			return err
		}
	}
	if w.Interface != "" {
		if err := unix.BindToDevice(fd, w.Interface); err != nil {
			return opError("setsockopt SO_BINDTODEVICE", err)
		}
	}
	if w.DontRoute {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DONTROUTE, 1); err != nil {
			return opError("setsockopt SO_DONTROUTE", err)
		}
	}
	if w.Dst.Is6() {
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_TCLASS, int(w.TOS)); err != nil {
			return opError("setsockopt IPV6_TCLASS", err)
		}
	} else if err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_TOS, int(w.TOS)); err != nil {
		return opError("setsockopt IP_TOS", err)
	}
	return nil
}

// setMark marks what leaves by the socket, socket(7).
func setMark(fd int, mark uint32) error {
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_MARK, int(mark)); err != nil {
		return opError("setsockopt SO_MARK", err)
	}
	return nil
}

// bindAddr binds fd; port 0 lets the kernel choose one.
func bindAddr(fd int, addr netip.Addr, port uint16) error {
	sa, err := sockaddr("bind", addr, port)
	if err != nil {
		return err
	}
	if err := unix.Bind(fd, sa); err != nil {
		return opError("bind", err)
	}
	return nil
}

// sockaddr gives addr for the system call op. An unknown zone is its error.
func sockaddr(op string, addr netip.Addr, port uint16) (unix.Sockaddr, error) {
	if addr.Is4() {
		return &unix.SockaddrInet4{Addr: addr.As4(), Port: int(port)}, nil
	}
	id, err := scope(op, addr)
	if err != nil {
		return nil, err
	}
	return &unix.SockaddrInet6{Addr: addr.As16(), Port: int(port), ZoneId: id}, nil
}

// scope gives the interface index of addr's zone, 0 without one.
func scope(op string, addr netip.Addr) (uint32, error) {
	zone := addr.Zone()
	if zone == "" {
		return 0, nil
	}
	if ifi, err := net.InterfaceByName(zone); err == nil {
		return uint32(ifi.Index), nil
	}
	if n, err := strconv.ParseUint(zone, 10, 31); err == nil {
		return uint32(n), nil
	}
	return 0, &OpError{op, unix.ENODEV}
}

// isScoped tells whether an address means nothing without its zone.
func isScoped(addr netip.Addr) bool {
	return addr.Is6() && (addr.IsLinkLocalUnicast() || addr.IsLinkLocalMulticast())
}

// fromSockaddr drops the zone: an Envelope says it once.
func fromSockaddr(sa unix.Sockaddr) (netip.Addr, uint16) {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrFrom4(sa.Addr), uint16(sa.Port)
	case *unix.SockaddrInet6:
		return netip.AddrFrom16(sa.Addr), uint16(sa.Port)
	}
	return netip.Addr{}, 0
}
