package link

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hopquote/hopquote/frame"
)

// ConnectorConfig says how a Connector's connections begin.
type ConnectorConfig struct {
	TOS          uint8   // IPv4 TOS or IPv6 traffic class; the kernel clears the ECN bits
	DontFragment bool    // IPv4 DF
	Label        *uint32 // IPv6 flow label; nil for the kernel's choice
	// Undelivered is handed the frame of each probe whose next hop did not
	// resolve, see SenderConfig.
	Undelivered func(frame []byte)
}

// Connector is a sender that leaves TCP probes to the kernel: for each frame it
// connects the socket that holds the frame's source port (connect(2)), with the
// frame's TTL, and the SYN is the kernel's. So is what follows: an open port
// gets a whole handshake, and a FIN when the port is released.
//
// The SYN is seen as it leaves by a packet socket. Send puts it in the place of
// the frame, and Amend makes the probe the one that really left. It is for one
// goroutine, the one of its Ports.
type Connector struct {
	env   Envelope
	cfg   ConnectorConfig
	ports *Ports // of method TCP; Renew where Fixed
	tap   *tap

	begun uint16    // port of the connection whose SYN has not been seen
	since time.Time // when it was begun
}

const (
	// synPatience is how long Send waits for a SYN to leave: the time of a
	// search for the next hop's address, most often.
	synPatience = 200 * time.Millisecond
	// synGone is when a SYN that never left counts as lost on the way: past the
	// three seconds that the kernel looks for a next hop.
	synGone = 4 * time.Second
)

// OpenConnector opens the packet socket, which needs CAP_NET_RAW.
func OpenConnector(e Envelope, ports *Ports, cfg ConnectorConfig) (*Connector, error) {
	t, err := openTap(&e)
	if err != nil {
		return nil, err
	}
	return &Connector{env: e, cfg: cfg, ports: ports, tap: t}, nil
}

// Send connects for the frames in order and returns how many SYNs left, as
// Sender.Send. Frames that did are replaced in the slice by the kernel's, which
// are valid until the next Send.
func (c *Connector) Send(frames [][]byte) (int, error) {
	for i, f := range frames {
		left, err := c.send(f)
		if left == nil || err != nil {
			return i, err
		}
		frames[i] = left
	}
	return len(frames), nil
}

// send gives the frame that left, nil for none yet.
func (c *Connector) send(f []byte) ([]byte, error) {
	p, err := frame.ReadProbe(f, c.env.Header.Type)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	fd, held := c.ports.open[p.SrcPort]
	if !held || p.Method != frame.TCP {
		return nil, fmt.Errorf("connect: no socket holds port %d of a %v probe", p.SrcPort, p.Method)
	}
	if c.begun != p.SrcPort {
		c.tap.clear()
		if err := c.connect(fd, &p); err != nil {
			return nil, err
		}
		c.begun, c.since = p.SrcPort, time.Now()
	}
	syn := c.tap.wait(p.SrcPort, fd, synPatience)
	if syn != nil {
		c.begun = 0
		return syn, nil
	}
	failed, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		return nil, opError("getsockopt SO_ERROR", err)
	}
	switch {
	case failed == int(unix.EHOSTUNREACH):
		if c.cfg.Undelivered != nil {
			c.cfg.Undelivered(f)
		}
	case time.Since(c.since) < synGone:
		return nil, nil
	}
	c.begun = 0
	return f, nil
}

// connect begins one connection.
func (c *Connector) connect(fd int, p *frame.Probe) error {
	if err := c.setOptions(fd, p); err != nil {
		return err
	}
	dst := p.Dst
	if isScoped(dst) {
		dst = dst.WithZone(c.env.Zone)
	}
	err := c.dial(fd, dst, p.DstPort)
	switch {
	case err == nil, errors.Is(err, unix.EINPROGRESS), errors.Is(err, unix.ECONNREFUSED):
		return nil // refused at once: by this host
	}
	return opError("connect", err)
}

func (c *Connector) setOptions(fd int, p *frame.Probe) error {
	type option struct {
		name               string
		level, opt, wanted int
	}
	options := []option{
		{"IP_TTL", unix.IPPROTO_IP, unix.IP_TTL, int(p.TTL)},
		{"IP_TOS", unix.IPPROTO_IP, unix.IP_TOS, int(c.cfg.TOS)},
		{"IP_MTU_DISCOVER", unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DONT},
	}
	if c.cfg.DontFragment {
		options[2].wanted = unix.IP_PMTUDISC_DO // IP_PMTUDISC_PROBE leaves a SYN without DF
	}
	if p.IsIPv6() {
		options = []option{
			{"IPV6_UNICAST_HOPS", unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS, int(p.TTL)},
			{"IPV6_TCLASS", unix.IPPROTO_IPV6, unix.IPV6_TCLASS, int(c.cfg.TOS)},
		}
	}
	for _, o := range options {
		if err := unix.SetsockoptInt(fd, o.level, o.opt, o.wanted); err != nil {
			return opError("setsockopt "+o.name, err)
		}
	}
	if c.env.Mark != 0 {
		if err := setMark(fd, c.env.Mark); err != nil {
			return err
		}
	}
	return unix.SetNonblock(fd, true)
}

// Amend sets of p what the kernel chose, as f has it, which left in its place.
func (c *Connector) Amend(f []byte, p *frame.Probe) {
	var r frame.Reply
	frame.Decode(f, c.env.Header.Type, true, &r)
	if r.Kind != frame.KindTCP {
		return
	}
	ip := f[c.env.Header.Type.HeaderLen():]
	p.Seq, p.ID, p.TOS, p.Size, p.TCP.Flags = r.Seq, r.ID, r.TOS, r.Size, r.Flags
	p.DF = !p.IsIPv6() && ip[6]&0x40 != 0 // RFC 791 section 3.1
	if p.IsIPv6() {
		p.Label = uint32(ip[1]&0x0f)<<16 | uint32(ip[2])<<8 | uint32(ip[3])
	}
}

// Close closes the packet socket; the Ports stay.
func (c *Connector) Close() error { return c.tap.close() }
