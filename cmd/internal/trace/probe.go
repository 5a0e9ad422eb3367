package trace

import (
	"context"
	"errors"

	"github.com/hopquote/hopquote/cmd/internal/option"
	"github.com/hopquote/hopquote/cmd/internal/output/capture"
	"github.com/hopquote/hopquote/cmd/internal/output/verdicts"
	"github.com/hopquote/hopquote/cmd/internal/wire"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/frame/link"
	"github.com/hopquote/hopquote/scheduler"
)

// network is what a run probes: a real one, or that of a test.
type network struct {
	envelope   *link.Envelope
	clock      scheduler.Clock
	sender     scheduler.Sender
	receiver   scheduler.Receiver
	wake       func() // makes the receiver's Wait return
	identities scheduler.Identities
	amend      func(f []byte, p *frame.Probe) // nil: probes leave as they are
}

// network is the one that the wire reaches.
func (r *run) network(w *wire.Wire) *network {
	var label *uint32
	if r.opts.FlowLabelGiven {
		label = &r.opts.FlowLabel
	}
	n := &network{
		envelope: &w.Envelope, clock: scheduler.Monotonic{Epoch: w.Epoch},
		sender: w.Sender, receiver: yielding{w.Receiver}, wake: w.Receiver.Wake,
		identities: scheduler.NewFresh(w.Ports, r.rand, label),
	}
	if c := w.Connector; c != nil {
		n.sender, n.amend = c, c.Amend
	}
	return n
}

// probe runs the engine until the trace is done or ctx ends, prints along, and
// leaves behind what was learned. pcap is nil for no capture.
func (r *run) probe(ctx context.Context, stop context.CancelCauseFunc, n *network, pcap *capture.Writer) error {
	defer context.AfterFunc(ctx, n.wake)()
	cfg := r.plan(n.envelope)
	var print *printer // nil: JSON
	if r.out != nil {
		print = newPrinter(r.out, stop)
		cfg.Settle = print.settle
	}
	lines := r.showQuotes(n, print, &cfg)
	var err error
	if r.hops, err = newStrategy(r.opts, cfg); err != nil {
		return err
	}
	if print != nil {
		print.start()
	}
	engine := scheduler.New(scheduler.Config{
		Strategy: r.driven(), Clock: n.clock, Sender: n.sender, Receiver: n.receiver, Identities: n.identities, Amend: n.amend,
		Link: n.envelope.Header, MTU: r.mtu(n.envelope),
		Window: r.opts.Sim, Gap: option.Duration(r.opts.SendWait),
		Observer: r.observer(n, print, pcap),
		Full: func() bool {
			return print != nil && print.queue.Full() || pcap != nil && pcap.Full()
		},
	})
	err = engine.Run(ctx)
	if errors.Is(err, scheduler.ErrInterrupted) {
		err = context.Cause(ctx)
	}
	if err != nil {
		stop(err)
		r.hops.Finish()
	}
	r.counts = engine.Counts()
	r.drops, _ = n.receiver.Drops()
	if print == nil {
		return err
	}
	if lines != nil {
		lines.end()
	}
	if r.tellsVerdicts() && (err == nil || r.counts.Sent > 0) {
		print.queue.Push(printed{aside: verdicts.Line(&r.counts)})
	}
	if failed := print.finish(); failed != nil {
		// It is also the cause that stopped the engine.
		return failed
	}
	if err != nil && r.counts.Sent == 0 {
		return err // the header stays as it is
	}
	return errors.Join(err, outputError(r.out.End()))
}

// tellsVerdicts tells whether the text ends with what became of the packets that
// were received; traceroute's own output stays without.
func (r *run) tellsVerdicts() bool { return r.opts.Verbose > 0 || r.opts.Quotes }
