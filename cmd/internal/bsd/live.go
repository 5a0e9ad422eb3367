package bsd

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/hopquote/hopquote/cmd/internal/output/names"
	"github.com/hopquote/hopquote/cmd/internal/privilege"
	"github.com/hopquote/hopquote/cmd/internal/wire"
	"github.com/hopquote/hopquote/frame/link"
	"github.com/hopquote/hopquote/scheduler"
)

// live runs the session on the machine's network.
func live(s *session) error {
	if !privilege.MayProbe() {
		return fmt.Errorf("%w\n%s", syscall.EPERM, privilege.Advice())
	}
	ctx, stop := context.WithCancelCause(context.Background())
	defer stop(nil)
	w, err := s.open(stop)
	if err != nil {
		return err
	}
	defer w.Close()
	if err := privilege.Drop(); err != nil {
		return err
	}
	if !s.opts.Numeric {
		cache := names.New(names.Config{})
		defer cache.Close()
		s.names = cache.Name
	}
	if s.opts.ASN {
		done, err := s.numberASes()
		if err != nil {
			return err
		}
		defer done()
	}
	defer context.AfterFunc(ctx, w.Receiver.Wake)()
	env := &w.Envelope
	return w.Explain(s.probe(ctx, parts{
		clock: scheduler.Monotonic{Epoch: w.Epoch}, sender: w.Sender, receiver: w.Receiver,
		link: env.Header, mtu: env.MTU, src: env.Src,
	}))
}

// open opens the network. The source port need not be ours alone: where
// another program has it, that one's socket hears direct answers too, and that
// is all.
func (s *session) open(gone func(error)) (*wire.Wire, error) {
	o := s.opts
	cfg := wire.Config{
		Want: link.Want{
			Dst: firstHop(o), Src: o.SourceAddr, Interface: o.Interface, TOS: o.TOS, DontRoute: o.DontRoute,
		},
		Method: method(o.Protocol), Protocol: o.Protocol.Number, Target: o.Addr,
		EchoID: s.ident, SrcPort: s.ident, Unheld: o.FixedPort, AllICMP: o.Verbose > 0,
		Ready: nextHopPatience, Gone: gone, Elsewhere: true,
	}
	w, err := wire.Open(cfg)
	if o.DontRoute && errors.Is(err, syscall.ENETUNREACH) {
		// Each probe will fail, and the trace goes on over that.
		s.refuse = syscall.ENETUNREACH
		cfg.Want.DontRoute = false
		w, err = wire.Open(cfg)
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		cfg.Unheld = true
		w, err = wire.Open(cfg)
	}
	return w, err
}

// nextHopPatience is how long the first probe waits for the next hop's
// address.
const nextHopPatience = 100 * time.Millisecond
