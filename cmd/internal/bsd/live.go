package bsd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/hopquote/hopquote/cmd/internal/output/names"
	"github.com/hopquote/hopquote/cmd/internal/privilege"
	"github.com/hopquote/hopquote/cmd/internal/wire"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/frame/link"
	"github.com/hopquote/hopquote/scheduler"
)

// live runs the session on the machine's network.
func live(s *session) error {
	if !privilege.MayProbe() {
		return fmt.Errorf("%w\n%s", syscall.EPERM, privilege.Advice())
	}
	w, err := s.open()
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
	ctx, stop := context.WithCancelCause(context.Background())
	defer stop(nil)
	defer context.AfterFunc(ctx, w.Ring.Wake)()
	watch, err := link.Watch(w.Envelope, stop)
	if err != nil {
		return err
	}
	defer watch.Close()
	env := &w.Envelope
	return s.probe(ctx, parts{
		clock: scheduler.Monotonic{Epoch: w.Epoch}, sender: w.Sender, receiver: w.Ring,
		link: env.Header, mtu: env.MTU, src: env.Src,
	})
}

// open opens the network. The source port need not be ours alone: where
// another program has it, its sockets may hear answers too, and that is all.
func (s *session) open() (*wire.Wire, error) {
	o := s.opts
	cfg := wire.Config{
		Want:   link.Want{Dst: o.Addr, Src: o.SourceAddr, Interface: o.Interface, TOS: o.TOS, DontRoute: o.DontRoute},
		Method: method(o.Protocol), EchoID: s.ident, SrcPort: s.ident,
	}
	return wire.Open(cfg)
}

var _, _, _ = errors.Is, os.Getpid, frame.UDP
