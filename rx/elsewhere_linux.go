package rx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/hopquote/hopquote/frame"
)

// families is how many sockets an Elsewhere has at most.
const families = 2

// beyond makes a Socket one of an Elsewhere.
type beyond struct {
	protocol uint16 // ETH_P_IP or ETH_P_IPV6
}

// headerLen is how long the link header is that packets must be given.
func (b *beyond) headerLen(link frame.LinkType) int {
	if b == nil {
		return 0
	}
	return link.HeaderLen()
}

// OpenElsewhere opens the sockets, with the rights of OpenRing.
//
// They ask for the packets of a protocol and not for all: such sockets are
// asked once for a packet, and never for what this host sends.
func OpenElsewhere(c ElsewhereConfig) (*Elsewhere, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	filter, err := beside(c.Interface.Index, c.Filter)
	if err != nil {
		return nil, err
	}
	if c.Packets == 0 {
		c.Packets = defaultPackets
	}
	if c.Epoch.IsZero() {
		c.Epoch = time.Now()
	}
	e := &Elsewhere{}
	for _, f := range []struct {
		want     bool
		protocol uint16
	}{{c.IPv4, unix.ETH_P_IP}, {c.IPv6, unix.ETH_P_IPV6}} {
		if !f.want {
			continue
		}
		s := &Socket{
			config: SocketConfig{Interface: c.Interface, Link: c.Link, Filter: filter, Packets: c.Packets, Epoch: c.Epoch},
			beside: &beyond{f.protocol}, fd: noDescriptor,
		}
		e.sockets = append(e.sockets, s)
		if err := s.open(); err != nil {
			_ = e.Close()
			return nil, fmt.Errorf("open receive socket beside %s: %w", c.Interface.Name, err)
		}
	}
	return e, nil
}

// OpenElsewheres opens one for each shard of a Group: they share what comes
// elsewhere as the group's rings share what comes by its interface.
func OpenElsewheres(shards int, c ElsewhereConfig) ([]*Elsewhere, error) {
	if shards < 1 || shards > maxGroup {
		return nil, fmt.Errorf("open receive sockets beside an interface: %d shards, need 1..%d", shards, maxGroup)
	}
	if c.Epoch.IsZero() {
		c.Epoch = time.Now()
	}
	// No packet may come before all shards stand.
	all, filter := c, c.Filter
	if shards > 1 && len(filter) > 0 {
		all.Filter = dropAll
	}
	var list []*Elsewhere
	for range shards {
		e, err := OpenElsewhere(all)
		if err != nil {
			return nil, errors.Join(err, closeAll(list))
		}
		list = append(list, e)
	}
	if shards == 1 {
		return list, nil
	}
	if err := share(list, c.Interface.Index, filter); err != nil {
		return nil, errors.Join(fmt.Errorf("open receive sockets beside %s: %w", c.Interface.Name, err), closeAll(list))
	}
	return list, nil
}

func closeAll(list []*Elsewhere) error {
	var errs []error
	for _, e := range list {
		errs = append(errs, e.Close())
	}
	return errors.Join(errs...)
}

// share makes a fanout group of each family's sockets, and then gives them the
// filter.
func share(list []*Elsewhere, index int, filter []bpf.RawInstruction) error {
	program, err := beside(index, filter)
	if err != nil {
		return err
	}
	for family, first := range list[0].sockets {
		id := 0
		for i, e := range list {
			if id, err = join(e.sockets[family].fd, id, i == 0); err != nil {
				return err
			}
		}
		if err := steer(first.fd, len(list)); err != nil {
			return err
		}
		for _, e := range list {
			s := e.sockets[family]
			s.config.Filter = program
			if err := s.attach(); err != nil {
				return err
			}
		}
	}
	return nil
}

// Hear has the ring take in what e does: from now on Wait waits for it, Drain
// hands it out behind the packets of the ring, its drops count, and Close closes
// it. It is called once, before the first Wait or Drain.
func (r *Ring) Hear(e *Elsewhere) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.elsewhere = e
	e.poll(&r.poll)
}

// Hear is as a Ring's.
func (s *Socket) Hear(e *Elsewhere) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.elsewhere = e
	e.poll(&s.poll)
}

func (e *Elsewhere) poll(p *poller) {
	for _, s := range e.sockets {
		p.add(s.fd)
	}
}

// makeUp writes an Ethernet header of what the kernel tells of a packet that
// came without one: EtherType and, if the link has such addresses, the sender.
func makeUp(header []byte, from *unix.RawSockaddrLinklayer) {
	clear(header)
	if from.Hatype == unix.ARPHRD_ETHER && from.Halen == 6 {
		copy(header[6:12], from.Addr[:])
	}
	binary.NativeEndian.PutUint16(header[12:], from.Protocol) // in network byte order
}
