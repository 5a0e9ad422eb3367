package link

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"
)

// Router asks the kernel where packets to many destinations would go first. It
// stays in the calling thread's namespace and needs no privilege.
type Router struct {
	kernel *kernel
	want   Want
	oif    int
}

// OpenRouter opens a Router for packets that are all like w, but for Dst.
func OpenRouter(w Want) (*Router, error) {
	oif, err := w.outInterface()
	if err != nil {
		return nil, err
	}
	k, err := openKernel()
	if err != nil {
		return nil, err
	}
	return &Router{k, w, oif}, nil
}

// Close closes the socket.
func (r *Router) Close() { r.kernel.close() }

// Way is what becomes of a packet.
type Way uint8

// The ways.
const (
	ByGateway Way = iota // it goes to a next hop of another address
	OnLink               // its destination is on the link, and the next hop itself
	ToSelf               // it is delivered on this host
	ToGroup              // its destination is broadcast, multicast or anycast of this host
	Refused              // there is no route, or one of type unreachable, prohibit or blackhole
)

// Step is the first step to a destination.
type Step struct {
	Way       Way
	Interface int        // index, where it is not Refused
	NextHop   netip.Addr // ByGateway; may be IPv6 for an IPv4 destination (RFC 5549)
	MTU       int        // bytes of IP packet, of the route; 0: the interface's
	Err       error      // Refused: why, an errno
	// Equal are the next hops of a route that has several of equal cost, sorted
	// by interface and address, and the above is the one that the kernel chose for the
	// destination. It has two or more, or none.
	Equal []EqualHop
}

// refusals are the route types, and what connect(2) says of them.
var refusals = map[uint8]unix.Errno{
	unix.RTN_UNREACHABLE: unix.EHOSTUNREACH, unix.RTN_PROHIBIT: unix.EACCES, unix.RTN_BLACKHOLE: unix.EINVAL, unix.RTN_THROW: unix.ENETUNREACH,
}

// Steps gives the first steps of packets from src, which is not valid where the
// kernel chooses it, to each destination, all of one family. Next hops of equal
// cost are looked for, which takes as long again, only if equal is set.
func (r *Router) Steps(dsts []netip.Addr, src netip.Addr, equal bool) ([]Step, error) {
	questions := make([][]byte, len(dsts))
	for i, dst := range dsts {
		e := envelopeOf(dst, src)
		var err error
		if questions[i], err = routeQuestion(&r.want, &e, r.oif, dst.Is4() || r.want.Src.IsValid()); err != nil {
			return nil, err
		}
	}
	steps := make([]Step, len(dsts))
	err := r.kernel.askAll(unix.RTM_GETROUTE, questions, func(i int, body []byte, err error) error {
		var found route
		if err == nil {
			found, err = parseRoute(body)
		}
		if dsts[i].Is6() && r.oif != 0 && r.want.Src.IsValid() {
			steps[i].Err = errAgain // it takes a second look, see kernel.route
			return nil
		}
		steps[i], err = step(dsts[i], found, err)
		return err
	})
	if err != nil {
		return nil, err
	}
	for i, dst := range dsts {
		if steps[i].Err == errAgain {
			e := envelopeOf(dst, src)
			found, err := r.kernel.route(&r.want, &e, r.oif)
			if steps[i], err = step(dst, found, err); err != nil {
				return nil, err
			}
		}
	}
	if equal {
		err = r.equal(questions, steps)
	}
	return steps, err
}

var errAgain = errors.New("look again")

// envelopeOf has the addresses that a route is asked for by.
func envelopeOf(dst, src netip.Addr) Envelope {
	switch {
	case src.IsValid():
	case dst.Is4():
		src = netip.IPv4Unspecified()
	default:
		src = netip.IPv6Unspecified()
	}
	return Envelope{Dst: dst, Src: src}
}

// step makes a Step of the route to dst, or of the error in place of one.
func step(dst netip.Addr, found route, err error) (Step, error) {
	var errno unix.Errno
	if errors.As(err, &errno) && slices.Contains([]unix.Errno{unix.ENETUNREACH, unix.EHOSTUNREACH, unix.EACCES, unix.EINVAL}, errno) {
		return Step{Way: Refused, Err: errno}, nil
	}
	if err != nil {
		return Step{}, fmt.Errorf("route to %v: %w", dst, err)
	}
	s := Step{Interface: found.oif, NextHop: found.gateway, MTU: found.mtu}
	switch found.kind {
	case unix.RTN_UNICAST:
		if !s.NextHop.IsValid() {
			s.Way = OnLink
		}
	case unix.RTN_LOCAL:
		s.Way = ToSelf
	case unix.RTN_BROADCAST, unix.RTN_MULTICAST, unix.RTN_ANYCAST:
		s.Way = ToGroup
	default:
		s = Step{Way: Refused, Err: unix.ENETUNREACH}
		if errno, ok := refusals[found.kind]; ok {
			s.Err = errno
		}
	}
	return s, nil
}

// Solicits tells whether next hops on an interface have link addresses that
// somebody must be asked for.
func (r *Router) Solicits(index int) (bool, error) {
	d, err := r.kernel.device(index)
	if err != nil {
		return false, err
	}
	h, err := d.header()
	return h.Type.HeaderLen() == ethernetLen && d.flags&(flagLoopback|flagNoARP|flagPointToPoint) == 0, err
}
