package link

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/hopquote/hopquote/frame"
)

// Want is what a trace asks of the routing table. Everything but Dst may be
// zero.
type Want struct {
	Dst       netip.Addr // may carry a zone: an interface's name or index
	Src       netip.Addr // of Dst's family; the kernel chooses when not valid
	Interface string     // bind to it (SO_BINDTODEVICE)
	TOS       uint8      // IPv4 TOS or IPv6 traffic class
	// Protocol and DstPort are for policy rules that look at them: IP protocol
	// number (TCP, UDP, ICMP, ICMPv6 only; 0 is none) and destination port.
	Protocol  uint8
	DstPort   uint16
	Mark      uint32 // SO_MARK, needs CAP_NET_ADMIN; 0 is none
	Debug     bool   // SO_DEBUG on the look-up, to no effect: needs CAP_NET_ADMIN
	DontRoute bool   // SO_DONTROUTE: only hosts on an attached network, IPv4 only
}

// Interface names a network interface.
type Interface struct {
	Index int
	Name  string
}

// Envelope is what a destination needs below IP. Its addresses carry no zone.
//
// Where a route has several next hops, it is the one that the kernel chose for
// this look-up, and all flows sent with the envelope leave by it.
type Envelope struct {
	Interface Interface
	Header    frame.Link // Type and Src; Dst stays zero, the Sender writes it
	Src       netip.Addr // asked for or chosen by the kernel; unspecified if it has none
	Dst       netip.Addr // as connect(2) made it: 0.0.0.0 becomes 127.0.0.1
	NextHop   netip.Addr // Dst when on link; may be IPv6 for an IPv4 Dst (RFC 5549)
	MTU       int        // bytes of IP packet: of the route, a learned path MTU included
	LinkMTU   int        // bytes of IP packet: of the interface
	Local     bool       // delivered on this host: leaves through a raw IP socket
	Bound     string     // Want.Interface
	Mark      uint32     // Want.Mark
	// Zone is the interface that a link-local Src or Dst belongs to, empty
	// without one. It differs from Interface for an own address: that is
	// reached over loopback.
	Zone string
}

// check finds what no system call would be asked about.
func (w *Want) check() error {
	switch {
	case !w.Dst.IsValid():
		return errors.New("link: no destination address")
	case w.Src.IsValid() && w.Src.Unmap().Is4() != w.Dst.Unmap().Is4():
		return fmt.Errorf("link: source %v and destination %v are of different families", w.Src, w.Dst)
	}
	return nil
}
