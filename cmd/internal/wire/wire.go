// Package wire puts the parts of one run together: the envelope of the
// destination, a sender on its interface, a receiver behind its filter, and
// the source ports.
package wire

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/frame/link"
	"github.com/hopquote/hopquote/rx"
)

// Config says what a run needs of the network.
type Config struct {
	Want    link.Want
	Method  frame.Method
	SrcPort uint16 // the one source port of every probe; 0: each its own
	// Unheld leaves the source ports to themselves: the probes bring theirs.
	Unheld bool
	EchoID uint16 // method ICMP
	// Connect leaves the probes, of method TCP, to the kernel's connect(2): the
	// run then has a Connector and no Sender.
	Connect *link.ConnectorConfig
	// Protocol is the IP protocol number of method Raw.
	Protocol uint8
	// Target is the final destination where Want.Dst is the first gateway of a
	// source route; not valid: Want.Dst.
	Target netip.Addr
	// AllICMP receives ICMP messages that answer no probe, too.
	AllICMP bool
	// Ready is how long to wait for the next hop's address before the first
	// probe, so that the RTTs don't include the search. It goes on beside the
	// probes where that is not enough.
	Ready time.Duration
	// Elsewhere hears replies that come by other interfaces than the one that
	// the probes leave by, too.
	Elsewhere bool
	// Window is how many probes are in flight at most; 0: any number.
	Window int
	// Gone is called once, from a goroutine of its own, when the interface or
	// the source address goes away (link.Watch). Nil means that nobody cares.
	Gone func(error)
}

// Wire is everything open that a run sends and receives by.
type Wire struct {
	Envelope link.Envelope
	Sender   *link.Sender
	// Connector takes the Sender's place where Config.Connect asks for it.
	Connector *link.Connector
	Receiver  Receiver
	Ports     *link.Ports // nil for a method without any, or Unheld
	Epoch     time.Time   // time zero of the run
	watcher   *link.Watcher
}

// Open opens everything, in an order that gives the kernel's own refusals
// first: those are *link.OpError.
func Open(cfg Config) (*Wire, error) {
	env, err := link.Lookup(cfg.Want)
	if err != nil {
		return nil, err
	}
	w := &Wire{Envelope: env, Epoch: time.Now()}
	if err := w.open(cfg); err != nil {
		w.Close()
		return nil, err
	}
	if cfg.Ready > 0 && w.Sender != nil {
		ctx, cancel := context.WithTimeout(context.Background(), cfg.Ready)
		defer cancel()
		w.Sender.Resolve(ctx)
	}
	return w, nil
}

func (w *Wire) open(cfg Config) error {
	env := &w.Envelope
	gone := cfg.Gone
	if gone == nil {
		gone = func(error) {}
	}
	var err error
	if w.watcher, err = link.Watch(*env, gone); err != nil {
		return err
	}
	if cfg.Method.HasPorts() && !cfg.Unheld {
		held := env.Ports(cfg.Method, cfg.SrcPort)
		held.Renew = cfg.Connect != nil
		ports, err := link.NewPorts(held)
		if err != nil {
			return err
		}
		w.Ports = ports
	}
	target := env.Dst
	if cfg.Target.IsValid() {
		target = cfg.Target
	}
	spec := rx.FilterSpec{
		Link: env.Header.Type, Local: env.Src, Target: target, Method: cfg.Method, EchoID: cfg.EchoID,
		Protocol: cfg.Protocol, AllICMP: cfg.AllICMP,
	}
	filter, err := spec.Program()
	if err != nil {
		return err
	}
	if w.Receiver, err = w.receiver(cfg.Window, filter); err != nil {
		return err
	}
	if cfg.Elsewhere {
		if err := w.hearElsewhere(cfg.Window, spec); err != nil {
			return err
		}
	}
	if cfg.Connect != nil {
		connect := *cfg.Connect
		connect.Undelivered = w.undelivered
		w.Connector, err = link.OpenConnector(*env, w.Ports, connect)
		return err
	}
	w.Sender, err = link.OpenSender(*env, link.SenderConfig{Undelivered: w.undelivered})
	return err
}

// Explain gives the loss of the interface or of the source address as the
// error where that is what stands behind a failed system call.
func (w *Wire) Explain(err error) error {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return err
	}
	if lost := w.watcher.Lost(); lost != nil {
		return lost
	}
	return err
}

// Close closes what is open.
//
// Closing a packet socket waits for the kernel's readers of its old hook, some
// 15 ms each (synchronize_net), so they are closed side by side.
func (w *Wire) Close() error {
	var closers []func() error
	if w.Sender != nil {
		closers = append(closers, w.Sender.Close)
	}
	if w.Connector != nil {
		closers = append(closers, w.Connector.Close)
	}
	if w.Receiver != nil {
		closers = append(closers, w.Receiver.Close)
	}
	if w.watcher != nil {
		closers = append(closers, w.watcher.Close)
	}
	errs := make([]error, len(closers))
	var wg sync.WaitGroup
	for i, f := range closers {
		wg.Go(func() { errs[i] = f() })
	}
	wg.Wait()
	if w.Ports != nil {
		w.Ports.Close()
	}
	return errors.Join(errs...)
}

// ICMP messages that the kernel makes when a next hop does not resolve: RFC
// 1122 section 2.3.2.2 asks for them, RFC 4861 section 7.2.2 for IPv6.
const (
	hostUnreachableType4, hostUnreachableCode4 = 3, 1
	addrUnreachableType6, addrUnreachableCode6 = 1, 3

	// quoteLen is how much Linux quotes: RFC 1812 section 4.3.2.3, RFC 4443
	// section 2.4(c).
	quoteLen4 = 548
	quoteLen6 = 1232
)

// undelivered answers a frame whose next hop did not resolve as the kernel
// would: with a host unreachable from our own address.
func (w *Wire) undelivered(f []byte) {
	src := w.Envelope.Src
	m := frame.ErrorMessage{
		Link: frame.Link{Type: w.Envelope.Header.Type}, From: src, To: src, TTL: 64,
		Type: hostUnreachableType4, Code: hostUnreachableCode4,
	}
	limit := quoteLen4
	if src.Is6() {
		m.Type, m.Code, limit = addrUnreachableType6, addrUnreachableCode6, quoteLen6
	}
	quote := f[m.Link.Type.HeaderLen():]
	m.Quote = quote[:min(len(quote), limit)]
	w.Receiver.Inject(m.Append(nil), time.Since(w.Epoch))
}
