package link

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// vlanLen is what packet sockets allow an Ethernet frame above the MTU.
const vlanLen = 4

// OpenSender opens the sockets that frames leave by: a packet socket, AF_XDP
// where SenderConfig says so, or a raw IP socket for an Envelope that is Local.
// All need CAP_NET_RAW; without it the error is EPERM or EACCES (errors.Is).
func OpenSender(e Envelope, c SenderConfig) (*Sender, error) {
	s := &Sender{tx: c.Tx}
	if c.Tx == TxAuto {
		s.tx, _ = ChooseTx(c.Rate)
	}
	if a := c.Also; a != nil && (e.Local || a.Local || a.Dst.Is6() == e.Dst.Is6() || a.Interface.Index != e.Interface.Index) {
		return nil, errors.New("a second envelope needs the other family and the same interface, and none may be local")
	}
	switch {
	case s.tx == TxNull:
		s.out = null{}
		return s, nil
	case s.tx == TxXDP:
		s.openXDP(&e, &c)
	}
	var err error
	switch {
	case s.xdp != nil:
	case e.Local:
		s.out, err = openRawIP(&e)
	default:
		s.out, err = openPacket(&e, c.Bypass)
	}
	if err != nil {
		return nil, err
	}
	if e.Local || e.Header.Type.HeaderLen() != ethernetLen {
		return s, nil
	}
	s.ethernet = true
	if c.Hops != nil {
		s.follow(c.Hops)
		return s, nil
	}
	for _, e := range []*Envelope{&e, c.Also} {
		if e == nil {
			continue
		}
		h, err := s.findNextHop(e, c.Undelivered)
		if err != nil {
			s.Close()
			return nil, err
		}
		s.hops = append(s.hops, h)
	}
	return s, nil
}

// openXDP opens an AF_XDP socket, or notes why it is to be a packet socket.
func (s *Sender) openXDP(e *Envelope, c *SenderConfig) {
	x, err := openXDP(e, c.Queue, xdpSizes{chunks: xdpChunks, completions: xdpChunks})
	if err != nil {
		s.tx, s.fallback = TxPacket, fmt.Errorf("no AF_XDP on %s: %w", e.Interface.Name, err)
		return
	}
	s.out, s.xdp = x, x
}

// findNextHop gives the next hop with its address where that is known by rule or
// to the kernel, else with a queue.
func (s *Sender) findNextHop(e *Envelope, undelivered func([]byte)) (h nextHop, err error) {
	h.v6 = e.Dst.Is6()
	k, err := openKernel()
	if err != nil {
		return h, err
	}
	defer func() {
		if h.resolver == nil {
			k.close()
		}
	}()
	d, err := k.device(e.Interface.Index)
	if err != nil {
		return h, err
	}
	var known bool
	if h.mac, known, err = k.address(&d, e, e.NextHop); known || err != nil {
		return h, err
	}
	if h.resolver, err = openResolver(k, e); err != nil {
		return h, err
	}
	h.queue = &queue{
		resolve:     h.resolver.resolveOnce,
		put:         s.putOne,
		undelivered: undelivered,
		maxFrame:    d.mtu + ethernetLen + vlanLen,
	}
	h.queue.open()
	return h, nil
}

// sendBuffer is what a packet socket asks for, in bytes.
const sendBuffer = 1 << 20

// openPacket opens a packet socket that receives nothing (protocol 0).
func openPacket(e *Envelope, bypass bool) (_ *batch, err error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, opError("socket", err)
	}
	defer func() {
		if err != nil {
			unix.Close(fd)
		}
	}()
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: e.Interface.Index}); err != nil {
		return nil, opError("bind", err)
	}
	// As much as anybody may have (net.core.wmem_max): the default of some 250
	// frames is full whenever the other side of a veth falls a millisecond behind.
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, sendBuffer)
	if bypass {
		if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_QDISC_BYPASS, 1); err != nil {
			return nil, opError("setsockopt PACKET_QDISC_BYPASS", err)
		}
	}
	if e.Mark != 0 {
		// The route is chosen by now. Who filters or shapes by marks sees it, and
		// nobody depends on it.
		_ = setMark(fd, e.Mark)
	}
	b := newBatch(fd)
	if e.Header.Type.HeaderLen() == 0 {
		b.nameByVersion(e.Interface.Index)
	}
	return b, nil
}
