package trace

import (
	"context"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hopquote/hopquote/cmd/internal/option"
	"github.com/hopquote/hopquote/cmd/internal/output/capture"
	"github.com/hopquote/hopquote/cmd/internal/output/names"
	"github.com/hopquote/hopquote/cmd/internal/output/text"
	"github.com/hopquote/hopquote/cmd/internal/privilege"
	"github.com/hopquote/hopquote/cmd/internal/wire"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/frame/link"
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/scheduler"
	"github.com/hopquote/hopquote/scheduler/hops"
)

// run is one trace from its options to its last output.
type run struct {
	opts *option.Options
	argv []string
	std  Std
	rand *mathrand.Rand

	method frame.Method
	echoID uint16
	tos    uint8
	tcp    frame.TCPHeader
	size   int // whole IP length of a probe, bytes

	names    *names.Cache // nil: numeric
	out      *text.Writer // nil: JSON
	headed   bool         // the header line is printed
	start    time.Time
	envelope link.Envelope
	hops     *hops.Hops // nil until the first probe could leave
	counts   rx.Counts
	drops    uint64
}

// nextHopPatience is how long the first probe waits for the next hop's
// address.
const nextHopPatience = 100 * time.Millisecond

func newRun(o *option.Options, argv []string, std Std) *run {
	r := &run{
		opts: o, argv: argv, std: std, rand: newRand(),
		method: method(o), echoID: echoID(), size: o.Size(), start: time.Now(),
	}
	if !o.Numeric {
		r.names = names.New(names.Config{})
	}
	if o.Format == "text" {
		cfg := text.Config{Numeric: o.Numeric, TCPInfo: o.TCP.Info}
		if r.names != nil {
			cfg.Names = r.names
		}
		r.out = text.New(std.Out, cfg)
	}
	return r
}

// trace opens what the run needs, probes, and closes everything.
func (r *run) trace(ctx context.Context) error {
	if r.method == frame.UDP {
		// UDP traces open their sockets with the first probe, after the header.
		if err := r.header(); err != nil {
			return err
		}
	}
	var err error
	if r.tos, err = trafficClass(r.opts); err != nil {
		return err
	}
	w, err := r.open()
	if err != nil {
		return err
	}
	defer w.Close()
	r.envelope, r.start = w.Envelope, w.Epoch
	if r.method == frame.TCP {
		r.tcp = r.tcpHeader(&w.Envelope)
		r.size = frame.TCPSize(r.opts.Family == 6, &r.tcp)
	}
	var pcap *capture.Writer
	if r.opts.PCAP != "" {
		pcap, err = capture.Create(r.opts.PCAP, w.Envelope.Header.Type, w.Envelope.Interface.Name, w.Epoch)
		if err != nil {
			return err
		}
	}
	if err := privilege.Drop(); err != nil {
		return errors.Join(err, closeCapture(pcap))
	}
	if err := r.header(); err != nil {
		return errors.Join(err, closeCapture(pcap))
	}
	return errors.Join(r.probe(ctx, w, pcap), closeCapture(pcap))
}

func closeCapture(c *capture.Writer) error {
	if c == nil {
		return nil
	}
	return c.Close()
}

// header prints the header line, once.
func (r *run) header() error {
	if r.out == nil || r.headed {
		return nil
	}
	r.headed = true
	return outputError(r.out.Header(r.opts.Host, r.opts.Addr.WithZone(""), r.opts.Max, r.size))
}

func (r *run) open() (*wire.Wire, error) {
	o := r.opts
	return wire.Open(wire.Config{
		Want:   link.Want{Dst: o.Addr, Src: o.SourceAddr, Interface: o.Interface, TOS: r.tos},
		Method: r.method, SrcPort: o.SourcePort, EchoID: r.echoID, Ready: nextHopPatience,
	})
}

// probe runs the engine and prints along.
func (r *run) probe(ctx context.Context, w *wire.Wire, pcap *capture.Writer) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	defer context.AfterFunc(ctx, w.Ring.Wake)()
	watch, err := link.Watch(w.Envelope, stop)
	if err != nil {
		return err
	}
	defer watch.Close()

	cfg := r.plan(&w.Envelope)
	var print *printer
	if r.out != nil {
		print = startPrinter(r.out, stop)
		cfg.Settle = print.queue.Push
	}
	if r.hops, err = hops.New(cfg); err != nil {
		return err
	}
	var label *uint32
	if r.opts.FlowLabelGiven {
		label = &r.opts.FlowLabel
	}
	engine := scheduler.New(scheduler.Config{
		Strategy: r.hops, Clock: scheduler.Monotonic{Epoch: w.Epoch}, Sender: w.Sender, Receiver: w.Ring,
		Identities: scheduler.NewFresh(w.Ports, r.rand, label),
		Link:       w.Envelope.Header, MTU: w.Envelope.MTU,
		Window: r.opts.Sim, Gap: option.Duration(r.opts.SendWait),
		Observer: &observer{pcap, r.names},
		Full: func() bool {
			return print != nil && print.queue.Full() || pcap != nil && pcap.Full()
		},
	})
	err = engine.Run(ctx)
	if errors.Is(err, scheduler.ErrInterrupted) {
		err = context.Cause(ctx)
	}
	if err != nil {
		r.hops.Finish()
	}
	r.counts = engine.Counts()
	r.drops, _ = w.Ring.Drops()
	if print != nil {
		// A write that failed is also the cause that stopped the engine.
		if failed := print.finish(); failed != nil {
			return failed
		}
		return errors.Join(err, outputError(r.out.End()))
	}
	return err
}

// finish writes what is left to write, and gives the exit code.
func (r *run) finish(err error) int {
	if r.names != nil {
		defer r.names.Close()
	}
	if r.out == nil {
		err = errors.Join(err, outputError(r.writeJSON(err)))
	}
	var sig signalled
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &sig):
		return exitInterrupted + int(sig.Signal)
	case errors.Is(err, unix.EPERM) && r.hops == nil:
		// A security policy may forbid what the capabilities allow.
		fmt.Fprintln(r.std.Err, err)
		fmt.Fprintln(r.std.Err, privilege.Advice())
	case r.out != nil:
		// As traceroute: the header or line under way stays as it is.
		fmt.Fprintf(r.std.Err, "\n%v\n", err)
	default:
		fmt.Fprintln(r.std.Err, err)
	}
	return exitFailed
}

// outputError names the output that failed.
func outputError(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("standard output: %w", err)
}
