package trace

import (
	"context"
	"errors"
	mathrand "math/rand/v2"
	"time"

	"github.com/hopquote/hopquote/cmd/internal/option"
	"github.com/hopquote/hopquote/cmd/internal/output/asn"
	"github.com/hopquote/hopquote/cmd/internal/output/capture"
	"github.com/hopquote/hopquote/cmd/internal/output/names"
	"github.com/hopquote/hopquote/cmd/internal/output/text"
	"github.com/hopquote/hopquote/cmd/internal/privilege"
	"github.com/hopquote/hopquote/cmd/internal/wire"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/frame/link"
	"github.com/hopquote/hopquote/rx"
)

// run is one trace from its options to its last output.
type run struct {
	opts *option.Options
	argv []string
	std  Std
	rand *mathrand.Rand
	drop func() error // gives up every capability

	method frame.Method
	echoID uint16
	tos    uint8
	tcp    frame.TCPHeader
	size   int // whole IP length of a probe, bytes

	names    *names.Cache // nil: numeric
	origins  *asn.Source  // nil: no AS look-ups
	out      *text.Writer // nil: JSON
	headed   bool         // the header line is printed
	wire     *wire.Wire   // nil until it is open
	start    time.Time
	envelope link.Envelope
	hops     strategy  // nil until the first probe could leave
	quotes   *quoteLog // nil without --quotes
	counts   rx.Counts
	drops    uint64

	captureErr error // of the file of --pcap; the trace goes on without it
	serverErr  error // of the whois server; JSON goes on without it
}

// nextHopPatience is how long the first probe waits for the next hop's
// address.
const nextHopPatience = 100 * time.Millisecond

// newRun makes a run and opens the source of AS look-ups.
func newRun(o *option.Options, argv []string, std Std) (*run, error) {
	r := &run{
		opts: o, argv: argv, std: std, rand: newRand(), drop: func() error { return privilege.Drop(keeps(o)...) },
		method: method(o), echoID: echoID(), size: o.Size(), start: time.Now(),
	}
	cfg := text.Config{
		Numeric: o.Numeric, TCPInfo: o.TCP.Info, Extensions: o.Extensions, Back: o.Back, Verbose: o.Verbose > 0,
	}
	if o.ASSource != "" {
		var err error
		if r.origins, err = asn.Open(o.ASSource, std.Origins); err != nil {
			return nil, err
		}
		cfg.Origins = r.origins
	}
	if !o.Numeric {
		r.names = names.New(names.Config{Resolver: std.Names})
		cfg.Names = r.names
	}
	if o.Format == "text" {
		r.out = text.New(std.Out, cfg)
	}
	return r, nil
}

// trace opens what the run needs and probes. stop ends ctx.
func (r *run) trace(ctx context.Context, stop context.CancelCauseFunc) (err error) {
	if headsFirst(r.method) {
		if err := r.header(); err != nil {
			return err
		}
	}
	if r.tos, err = trafficClass(r.opts); err != nil {
		return errors.Join(err, r.lateHeader(err))
	}
	if err := checkProtocol(r.opts); err != nil {
		return err
	}
	w, err := r.open(stop)
	if err != nil {
		return errors.Join(err, r.lateHeader(err))
	}
	r.wire = w
	pcap, err := r.createCapture(w)
	if err != nil {
		return err
	}
	if pcap != nil {
		defer func() { r.captureErr = pcap.Close() }()
	}
	if err := r.drop(); err != nil {
		return err
	}
	if err := r.header(); err != nil {
		return err
	}
	return w.Explain(r.probe(ctx, stop, r.network(w), pcap))
}

// open opens the network; gone hears when it goes away.
func (r *run) open(gone func(error)) (*wire.Wire, error) {
	o := r.opts
	cfg := wire.Config{
		Want: link.Want{
			Dst: o.Addr, Src: o.SourceAddr, Interface: o.Interface, TOS: r.tos,
			Mark: o.Mark, Debug: o.Debug, DontRoute: o.DontRoute && o.Family == 4,
		},
		Method: r.method, SrcPort: o.SourcePort, EchoID: r.echoID, Protocol: uint8(o.Protocol),
		Ready: nextHopPatience, Gone: gone, AllICMP: o.Verbose > 0, Window: o.Sim,
		Elsewhere: o.Interface == "", // as traceroute, which is bound to it
	}
	if !o.Route.IsZero() {
		cfg.Want.Dst, cfg.Target = o.Gateway, o.Addr.WithZone("")
	}
	if o.Method == methodConnect {
		cfg.Want.Broadcast = true // TCP's refusal is another one than UDP's
		cfg.Connect = &link.ConnectorConfig{TOS: r.tos, DontFragment: o.DontFragment}
		if o.FlowLabelGiven {
			cfg.Connect.Label = &o.FlowLabel
		}
	}
	w, err := wire.Open(cfg)
	if err != nil {
		return nil, err
	}
	r.envelope, r.start = w.Envelope, w.Epoch
	if o.Method == "tcp" {
		r.tcp = r.tcpHeader(&w.Envelope)
		r.size = frame.TCPSize(o.Family == 6, &r.tcp) + o.Route.HeaderLen()
	}
	return w, nil
}

// createCapture begins the file that --pcap names; nil without one.
func (r *run) createCapture(w *wire.Wire) (*capture.Writer, error) {
	if r.opts.PCAP == "" {
		return nil, nil
	}
	return capture.Create(r.opts.PCAP, w.Envelope.Header.Type, w.Envelope.Interface.Name, w.Epoch)
}

// lateHeader prints the header line of a trace by connections that could not
// begin, unless traceroute finds that out earlier: when it opens the socket that
// hears the answers.
func (r *run) lateHeader(err error) error {
	var op *link.OpError
	if r.opts.Method != methodConnect || !errors.As(err, &op) || op.Op == "bind" || op.Op == "setsockopt SO_BINDTODEVICE" {
		return nil
	}
	return r.header()
}

// header prints the header line, once.
func (r *run) header() error {
	if r.out == nil || r.headed {
		return nil
	}
	r.headed = true
	return outputError(r.out.Header(r.opts.Host, r.opts.Addr.WithZone(""), r.opts.Max, r.size))
}
