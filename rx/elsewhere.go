package rx

import (
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"golang.org/x/net/bpf"

	"github.com/hopquote/hopquote/frame"
)

// ElsewhereConfig says how to open an Elsewhere. Interface, Filter and a family
// are needed.
type ElsewhereConfig struct {
	// Interface is the one that the Ring or Socket receives on, whose packets
	// are not taken in a second time. Index and Name are used.
	Interface *net.Interface
	// Link is what Packet.Data starts with, as RingConfig's. An Ethernet header
	// is made up: its source is the sender's address where that is known, and
	// its destination zero.
	Link frame.LinkType
	// Filter is for packets from the IP header on: a program for LinkRaw,
	// whatever Link is.
	Filter     []bpf.RawInstruction
	IPv4, IPv6 bool // families to take in
	// Packets is how many packets of a family should find room, 0 means 64.
	// Where the kernel allows less, there is less.
	Packets int
	Epoch   time.Time // as RingConfig's
}

// Elsewhere receives what comes to this host by any other interface than one,
// and not by the loopback: replies whose way back is another than the probes'
// way out. It is used through the Ring or Socket that hears it.
//
// The kernel gives it each packet once, as its own IP does: where interfaces
// stand on one another (bonds, bridges, VLANs), with the uppermost. Frames to
// other hosts, which an interface in promiscuous mode sees, are left out.
type Elsewhere struct {
	sockets []*Socket // by family
	handed  atomic.Uint64
}

// check finds what can't be opened.
func (c *ElsewhereConfig) check() error {
	switch {
	case c.Interface == nil:
		return errors.New("open receive socket beside an interface: no interface given")
	case len(c.Filter) == 0:
		return errors.New("open receive socket beside an interface: no filter given")
	case !c.IPv4 && !c.IPv6:
		return errors.New("open receive socket beside an interface: no family given, need IPv4, IPv6 or both")
	case c.Packets < 0 || c.Packets > maxPackets:
		return fmt.Errorf("open receive socket beside an interface: room for %d packets, need 0..%d", c.Packets, maxPackets)
	}
	return checkLink(c.Link)
}

// multicast is the last of the packet types that IP takes in, PACKET_MULTICAST
// of linux/if_packet.h; those behind it are to other hosts or sent by this one.
const multicast = 2

// loopbackIndex is lo's in every network namespace (LOOPBACK_IFINDEX).
const loopbackIndex = 1

// beside puts before a filter what drops the packets of an interface, of the
// loopback, and those that are not for this host: sent by it, or to others.
func beside(index int, filter []bpf.RawInstruction) ([]bpf.RawInstruction, error) {
	head, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadExtension{Num: bpf.ExtInterfaceIndex},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(index), SkipTrue: 3},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: loopbackIndex, SkipTrue: 2},
		bpf.LoadExtension{Num: bpf.ExtType},
		bpf.JumpIf{Cond: bpf.JumpGreaterThan, Val: multicast, SkipFalse: 1},
		bpf.RetConstant{},
	})
	return append(head, filter...), err
}

// drain hands every waiting packet to f.
func (e *Elsewhere) drain(p *Packet, now time.Time, f func(*Packet)) {
	for _, s := range e.sockets {
		e.handed.Add(s.take(p, now, f))
	}
}

// drops is RingStats.Drops of these packets.
func (e *Elsewhere) drops() (uint64, error) {
	if e == nil {
		return 0, nil
	}
	var sum uint64
	var errs []error
	for _, s := range e.sockets {
		n, err := s.Drops()
		sum += n
		errs = append(errs, err)
	}
	return sum, errors.Join(errs...)
}

// addTo adds its packets to a ring's.
func (e *Elsewhere) addTo(c *RingStats) error {
	if e == nil {
		return nil
	}
	drops, err := e.drops()
	c.Drops += drops
	for _, s := range e.sockets {
		c.Received += s.received()
	}
	c.Handed += e.handed.Load()
	return err
}

// closeBeside closes the sockets while f closes something else: each takes the
// kernel a while.
func (e *Elsewhere) closeBeside(f func() error) error {
	if e == nil {
		return f()
	}
	done := make(chan error, 1)
	go func() { done <- e.Close() }()
	return errors.Join(f(), <-done)
}

// Close gives the sockets back. It is for who could not give them to a Ring or
// Socket, which closes them itself.
func (e *Elsewhere) Close() error {
	var errs []error
	for _, s := range e.sockets {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}
