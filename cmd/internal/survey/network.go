package survey

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"github.com/hopquote/hopquote/cmd/internal/survey/checkpoint"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/frame/link"
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/rx/early"
	"github.com/hopquote/hopquote/scheduler/survey/space"
)

// network is everything open that a survey sends and receives by.
type network struct {
	*routes  // whose envelopes are by family; nil: no targets
	hops     *link.Hops
	senders  []senders   // by loop
	rings    []*rx.Ring  // by loop
	early    *early.Drop // nil: the kernel sees the replies
	ports    []*link.Ports
	watchers []*link.Watcher
	srcPort  uint16 // the least; ICMP: of the identifiers
	sum      uint16 // ICMP: the checksum of the first flow
	epoch    time.Time
}

// nextHopPatience is how long a survey waits for the next hops' addresses before
// it gives up: longer than the kernel asks for them.
const nextHopPatience = 4 * time.Second

// newNetwork makes one with nothing open yet, for a survey that goes on from a
// checkpoint as it was.
func newNetwork(from *checkpoint.Checkpoint) *network {
	n := &network{epoch: time.Now(), routes: &routes{}}
	if from != nil {
		// All runs of a survey share an epoch, and what tells flows apart.
		n.epoch = n.epoch.Add(-max(n.epoch.Sub(from.Start), 0))
		n.srcPort, n.sum = from.SrcPort, from.Sum
	}
	return n
}

// open opens it; it has to be closed also where that fails. gone hears when the
// interface goes away, from another goroutine and maybe before open is through.
func (n *network) open(o *options, targets *space.Space, r *rand.Rand, gone func(error)) error {
	var err error
	if n.routes, err = findRoutes(o, targets); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), nextHopPatience)
	defer cancel()
	if n.hops, err = n.resolve(ctx, o, targets); err != nil {
		return err
	}
	if err := n.holdPorts(o, r); err != nil {
		return err
	}
	if err := n.openRings(o); err != nil {
		return err
	}
	if err := n.hearElsewhere(o); err != nil {
		return err
	}
	for _, e := range n.envelopes {
		if e == nil {
			continue
		}
		w, err := link.Watch(*e, gone)
		if err != nil {
			return err
		}
		n.watchers = append(n.watchers, w)
	}
	perSecond, err := n.perSecond(o)
	if err != nil {
		return err
	}
	for loop := range o.loops {
		cfg := link.SenderConfig{Tx: o.tx, Rate: perSecond, Bypass: o.bypass, Queue: loop, Hops: n.hops}
		s, err := openSenders(n.envelopes, cfg)
		if err != nil {
			return err
		}
		n.senders = append(n.senders, s)
	}
	return nil
}

// any is one of the envelopes.
func (n *network) any() *link.Envelope {
	if n.envelopes[0] != nil {
		return n.envelopes[0]
	}
	return n.envelopes[1]
}

// link names the interface, and what kind it is.
func (n *network) link() string {
	e := n.any()
	return fmt.Sprintf("%s (header of %d bytes)", e.Interface.Name, e.Header.Type.HeaderLen())
}

// src is the source address of a family, not valid without targets.
func (n *network) src(f int) netip.Addr {
	if n.envelopes[f] == nil {
		return netip.Addr{}
	}
	return n.envelopes[f].Src
}

// Source ports are looked for here, below the range that the kernel gives out
// itself and above most services.
const (
	firstPort = 20000
	lastPort  = 32000
	portTries = 32
)

// holdPorts finds adjacent source ports for all flows, that nobody else has.
func (n *network) holdPorts(o *options, r *rand.Rand) error {
	fixed := n.srcPort != 0
	if !o.method.HasPorts() && fixed {
		return nil
	}
	if !o.method.HasPorts() {
		n.srcPort = uint16(r.IntN(1<<16-o.loops)) + 1
		n.sum = uint16(r.IntN(1<<16-2-o.flows)) + 1
		return nil
	}
	var err error
	for range portTries {
		if !fixed {
			n.srcPort = o.srcPort
		}
		if n.srcPort == 0 {
			n.srcPort = uint16(firstPort + r.IntN(lastPort-firstPort))
		}
		if err = n.hold(o); err == nil || fixed || o.srcPort != 0 {
			return err
		}
		n.releasePorts()
	}
	return err
}

func (n *network) hold(o *options) error {
	for _, e := range n.envelopes {
		if e == nil {
			continue
		}
		for i := range o.flows * o.loops {
			port := n.srcPort + uint16(i)
			p, err := link.NewPorts(e.Ports(o.method, port))
			if err != nil {
				return fmt.Errorf("source port %d: %w", port, err)
			}
			n.ports = append(n.ports, p)
		}
	}
	return nil
}

func (n *network) releasePorts() {
	for _, p := range n.ports {
		p.Close()
	}
	n.ports = nil
}

// probes are what the probes of each family share.
func (n *network) probes(o *options) (four, six frame.Probe, err error) {
	all := [2]frame.Probe{}
	for f, e := range n.envelopes {
		if e != nil {
			if all[f], err = o.probe(e.Src, e.Dst); err != nil {
				return four, six, err
			}
			if all[f].Size > e.MTU {
				return four, six, fmt.Errorf("probes of %d bytes: %s takes %d", all[f].Size, e.Interface.Name, e.MTU)
			}
			all[f].Sum = n.sum
		}
	}
	return all[0], all[1], nil
}

// perSecond is the rate that is asked for in probes, 0 for no limit. Of two
// families the longer probes count.
func (n *network) perSecond(o *options) (float64, error) {
	four, six, err := n.probes(o)
	if err != nil {
		return 0, err
	}
	return o.rate.perSecond(max(four.Size, six.Size) + n.any().Header.Type.HeaderLen()), nil
}

// probe is the shape of the probes from src.
func (o *options) probe(src, dst netip.Addr) (frame.Probe, error) {
	p := frame.Probe{Method: o.method, Src: src, Dst: dst, TOS: o.tos, DstPort: o.port}
	if o.method == frame.TCP {
		p.TCP = frame.TCPHeader{Flags: o.flags, Window: 65535}
		if o.size > p.HeaderLen() {
			return p, fmt.Errorf("--size %d: tcp probes have %d bytes", o.size, p.HeaderLen())
		}
	}
	if o.contact != "" {
		if o.method == frame.TCP {
			return p, errors.New("--probe-contact: tcp probes have no payload for it")
		}
		p.Body = o.contact
	}
	if p.MakeKeyed(); o.size > 0 && o.size < p.LeastSize() {
		return p, fmt.Errorf("--size %d: these probes take %d bytes or more", o.size, p.LeastSize())
	}
	p.Size = max(o.size, p.LeastSize())
	return p, nil
}

// close closes what is open, side by side: each takes the kernel a while.
func (n *network) close() error {
	var closers []func() error
	for _, s := range n.senders {
		for _, s := range s.all() {
			closers = append(closers, s.Close)
		}
	}
	for _, r := range n.rings {
		closers = append(closers, r.Close)
	}
	if n.early != nil {
		closers = append(closers, n.early.Close)
	}
	for _, w := range n.watchers {
		closers = append(closers, w.Close)
	}
	errs := make([]error, len(closers))
	var wg sync.WaitGroup
	for i, f := range closers {
		wg.Go(func() { errs[i] = f() })
	}
	wg.Wait()
	n.releasePorts()
	return errors.Join(errs...)
}
