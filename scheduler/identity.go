package scheduler

import (
	"errors"
	"math/rand/v2"
	"syscall"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
)

// ErrBusy is what Take's error is when no identity is free just now, but one
// will be after a Release.
var ErrBusy = rx.ErrBusy

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

// Fresh gives every probe of a method with ports a source port of its own, as
// Linux traceroute does; echo requests keep the identifier and sequence that the
// strategy chose. Nothing is encoded in the other fields: IPv4 identifications
// count up from a random start (UDP and UDP-Lite: are random), TCP and DCCP
// sequence numbers are random, and IPv6 flow labels are random per probe for
// UDP and UDP-Lite and per run otherwise.
//
// Beyond what traceroute does, UDP, UDP-Lite and ICMP probes get what nobody can
// guess (frame.Probe.Conceal): a random checksum, for ICMP one for the whole run,
// unless the strategy chose one, and a random Mark.
//
// Raw probes have nothing but identification and flow label to be told by. Both
// count up, so that a label of its own makes each IPv6 probe a flow of its own
// too; with a label given, IPv6 ones have no identity and should go one at a
// time.
type Fresh struct {
	ports PortHolder
	rand  *rand.Rand
	id    uint16
	label uint32
	fixed bool
	sum   uint16 // of ICMP probes
}

// NewFresh takes source ports from ports (nil for a method without any) and the
// rest from r. A label other than nil is given to every probe.
func NewFresh(ports PortHolder, r *rand.Rand, label *uint32) *Fresh {
	f := &Fresh{ports: ports, rand: r, id: uint16(r.Uint32()), label: r.Uint32() & 0xfffff}
	f.sum = f.drawSum()
	if label != nil {
		f.label, f.fixed = *label&0xfffff, true
	}
	return f
}

// Take fills source port, identification, flow label and the sequence number of
// TCP and DCCP.
func (f *Fresh) Take(p *frame.Probe) error {
	if p.Method.HasPorts() {
		port, err := f.ports.Hold()
		if err != nil {
			return busy(err)
		}
		p.SrcPort = port
	}
	f.id++
	if f.id == 0 && p.Method == frame.Raw {
		f.id = 1 // the kernel puts another in place of 0 where it writes the header
	}
	p.ID, p.Label = f.id, f.label
	f.conceal(p)
	switch p.Method {
	case frame.UDP, frame.UDPLite:
		p.ID = uint16(f.rand.Uint32())
		if !f.fixed {
			p.Label = f.rand.Uint32() & 0xfffff
		}
	case frame.TCP, frame.DCCP:
		p.Seq = f.rand.Uint32()
	case frame.Raw:
		if !f.fixed {
			f.label = (f.label + 1) & 0xfffff
			p.Label = f.label
		}
	}
	return nil
}

// conceal fills what Conceal makes room for.
func (f *Fresh) conceal(p *frame.Probe) {
	chosen := p.Fixed && p.Sum != 0
	if !p.Conceal() {
		return
	}
	switch {
	case chosen:
	case p.Method == frame.ICMP:
		p.Sum = f.sum
	default:
		p.Sum = f.drawSum()
	}
	if p.Payload == frame.PayloadMark {
		p.Mark = f.rand.Uint32()
	}
}

// drawSum gives a checksum that is one in every method: not 0, nor what may
// stand for it.
func (f *Fresh) drawSum() uint16 { return uint16(1 + f.rand.Uint32N(0xfffe)) }

// Release gives the source port back.
func (f *Fresh) Release(p *frame.Probe) {
	if p.Method.HasPorts() {
		f.ports.Release(p.SrcPort)
	}
}

// busyError is an error that is ErrBusy too, and says what the error says.
type busyError struct{ error }

func (e busyError) Unwrap() error      { return e.error }
func (busyError) Is(target error) bool { return target == ErrBusy }

// busy marks the errors that pass once a port or a descriptor comes free.
func busy(err error) error {
	for _, e := range []error{syscall.EADDRINUSE, syscall.EMFILE, syscall.ENFILE} {
		if errors.Is(err, e) {
			return busyError{err}
		}
	}
	return err
}
