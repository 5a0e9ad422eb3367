package scheduler

import (
	"errors"
	"math/rand/v2"
	"syscall"

	"github.com/hopquote/hopquote/frame"
)

// ErrBusy is what Take's error is when no identity is free just now, but one
// will be after a Release.
var ErrBusy = errors.New("every identity is in flight")

// Identities gives each probe what tells it from all others in flight, and
// takes it back once the probe is settled.
type Identities interface {
	// Take fills the identity fields of p.
	Take(p *frame.Probe) error
	// Release gives back what Take gave p.
	Release(p *frame.Probe)
}

// PortHolder hands out source ports that the kernel gives nobody else.
type PortHolder interface {
	Hold() (uint16, error)
	Release(port uint16)
}

// Fresh gives every UDP and TCP probe a source port of its own, as Linux
// traceroute does; echo requests keep the identifier and sequence that the
// strategy chose. Nothing is encoded in the other fields: IPv4 identifications
// count up from a random start (UDP: are random), TCP sequence numbers are
// random, and IPv6 flow labels are random per probe for UDP and per run
// otherwise.
type Fresh struct {
	ports PortHolder
	rand  *rand.Rand
	id    uint16
	label uint32
	fixed bool
}

// NewFresh takes source ports from ports (nil for method ICMP) and the rest
// from r. A label other than nil is given to every probe.
func NewFresh(ports PortHolder, r *rand.Rand, label *uint32) *Fresh {
	f := &Fresh{ports: ports, rand: r, id: uint16(r.Uint32()), label: r.Uint32() & 0xfffff}
	if label != nil {
		f.label, f.fixed = *label&0xfffff, true
	}
	return f
}

// Take fills source port, identification, flow label and TCP sequence.
func (f *Fresh) Take(p *frame.Probe) error {
	if p.Method != frame.ICMP {
		port, err := f.ports.Hold()
		if err != nil {
			return busy(err)
		}
		p.SrcPort = port
	}
	f.id++
	p.ID, p.Label = f.id, f.label
	switch p.Method {
	case frame.UDP:
		p.ID = uint16(f.rand.Uint32())
		if !f.fixed {
			p.Label = f.rand.Uint32() & 0xfffff
		}
	case frame.TCP:
		p.Seq = f.rand.Uint32()
	}
	return nil
}

// Release gives the source port back.
func (f *Fresh) Release(p *frame.Probe) {
	if p.Method != frame.ICMP {
		f.ports.Release(p.SrcPort)
	}
}

// busy marks the errors that pass once a port or a descriptor comes free.
func busy(err error) error {
	for _, e := range []error{syscall.EADDRINUSE, syscall.EMFILE, syscall.ENFILE} {
		if errors.Is(err, e) {
			return errors.Join(ErrBusy, err)
		}
	}
	return err
}
