package link

import (
	"fmt"
	"net"

	"github.com/mdlayher/packet"
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
	if e.Local {
		return s, nil
	}
	if e.Header.Type.HeaderLen() == ethernetLen {
		s.ethernet = true
		if err := s.findNextHop(&e, c.Undelivered); err != nil {
			s.out.close()
			return nil, err
		}
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

// findNextHop sets mac where it is known by rule or to the kernel, else queue.
func (s *Sender) findNextHop(e *Envelope, undelivered func([]byte)) (err error) {
	var known bool
	if s.mac, known = groupMAC(e.NextHop); known {
		return nil
	}
	k, err := openKernel()
	if err != nil {
		return err
	}
	defer func() {
		if s.resolver == nil {
			k.close()
		}
	}()
	d, err := k.device(e.Interface.Index)
	if err != nil {
		return err
	}
	if d.flags&flagLoopback == 0 {
		// Before the rules: an administrator may have entered an address even
		// where nobody asks for one.
		if s.mac, known, err = k.neighbour(e.Interface.Index, e.NextHop); known || err != nil {
			return err
		}
	}
	if s.mac, known = fixedMAC(d.flags, e.Header.Src); known {
		return nil
	}
	if s.resolver, err = openResolver(k, e); err != nil {
		return err
	}
	s.queue = &queue{
		resolve:     s.resolver.resolveOnce,
		put:         s.put,
		undelivered: undelivered,
		maxFrame:    d.mtu + ethernetLen + vlanLen,
	}
	s.queue.open()
	return nil
}

// openPacket opens a packet socket that receives nothing (protocol 0).
func openPacket(e *Envelope, bypass bool) (*batch, error) {
	conn, err := packet.Listen(&net.Interface{Index: e.Interface.Index}, packet.Raw, 0, nil)
	if err != nil {
		return nil, opError("socket", err)
	}
	rc, err := conn.SyscallConn()
	if err != nil {
		conn.Close()
		return nil, opError("socket", err)
	}
	if bypass {
		var optErr error
		err := rc.Control(func(fd uintptr) {
			optErr = unix.SetsockoptInt(int(fd), unix.SOL_PACKET, unix.PACKET_QDISC_BYPASS, 1)
		})
		if err == nil {
			err = optErr
		}
		if err != nil {
			conn.Close()
			return nil, opError("setsockopt PACKET_QDISC_BYPASS", err)
		}
	}
	if e.Mark != 0 {
		// The route is chosen by now. Who filters or shapes by marks sees it, and
		// nobody depends on it.
		_ = rc.Control(func(fd uintptr) { _ = setMark(int(fd), e.Mark) })
	}
	socket, err := detach(conn)
	if err != nil {
		return nil, opError("socket", err)
	}
	b := newBatch(socket, socket)
	if e.Header.Type.HeaderLen() == 0 {
		b.nameByVersion(e.Interface.Index)
	}
	return b, nil
}
