package bsd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"time"

	"github.com/hopquote/hopquote/cmd/internal/bsd/option"
	"github.com/hopquote/hopquote/cmd/internal/bsd/text"
	"github.com/hopquote/hopquote/cmd/internal/output/dump"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/scheduler"
	"github.com/hopquote/hopquote/scheduler/lbl"
)

// session is one trace. It prints as it goes, on the engine's goroutine: with
// one probe in flight and receive times from the kernel, a slow terminal or
// name server delays the next probe and distorts nothing.
type session struct {
	opts   *option.Options
	ident  uint16
	stdout io.Writer
	stderr io.Writer
	names  func(netip.Addr) string
	asn    func(netip.Addr) string

	refuse error // what every send fails with; nil: nothing

	out    *text.Writer
	link   frame.LinkType
	stop   context.CancelCauseFunc
	sent   []byte      // IP packet that left last
	now    *rx.Packet  // under way to the strategy
	detail text.Detail // of the answer that settles the probe
}

// identFlag keeps the identifier, which is a source port too, clear of the
// ports that programs ask for.
const identFlag = 0x8000

func newSession(o *option.Options, stdout, stderr io.Writer) *session {
	return &session{opts: o, ident: uint16(os.Getpid()) | identFlag, stdout: stdout, stderr: stderr}
}

// parts is what a session sends and receives by.
type parts struct {
	clock    scheduler.Clock
	sender   scheduler.Sender
	receiver scheduler.Receiver
	link     frame.Link
	mtu      int // bytes of IP packet
	src      netip.Addr
}

// probe prints the header, runs the engine and prints along.
func (s *session) probe(ctx context.Context, p parts) error {
	ctx, s.stop = context.WithCancelCause(ctx)
	defer s.stop(nil)
	o := s.opts
	probe, err := template(o, p.src)
	if err != nil {
		return err
	}
	fmt.Fprint(s.stderr, text.Header(o.Host, o.Addr, o.Source, o.Last, o.Size))
	s.link = p.link.Type
	s.out = text.New(s.stdout, text.Config{
		Numeric: o.Numeric, Verbose: o.Verbose > 0, Summary: o.Summary, Name: s.names, ASN: s.asn,
	})
	strategy, err := lbl.New(lbl.Config{
		First: o.First, Last: o.Last, Queries: o.Queries, Wait: o.Wait, Pause: o.Pause,
		Probe: probe, Number: lbl.Numbering{Ident: s.ident, Base: o.Port, Fixed: o.FixedPort},
		Begin:  func(ttl int) { s.check(s.out.Begin(ttl)) },
		Settle: func(r lbl.Settled) { s.check(s.out.Probe(r, &s.detail)) },
		Heard:  s.heard,
	})
	if err != nil {
		return err
	}
	engine := scheduler.New(scheduler.Config{
		Strategy: strategy, Clock: p.clock, Receiver: p.receiver,
		Sender:     &sender{session: s, to: p.sender, mtu: p.mtu},
		Identities: scheduler.Chosen{}, Link: p.link, MTU: fragmentAt(o, p.mtu), Window: 1,
		Observer: s,
	})
	err = engine.Run(ctx)
	if errors.Is(err, scheduler.ErrInterrupted) {
		err = context.Cause(ctx)
	}
	if c := engine.Counts(); o.Verbose > 0 && (err == nil || c.Sent > 0) {
		err = errors.Join(err, s.out.Received(&c))
	}
	return err
}

// fragmentAt is the MTU that the engine cuts probes for. One that must stay
// whole is the sender's to refuse.
func fragmentAt(o *option.Options, mtu int) int {
	if o.DontFragment {
		return 0
	}
	return mtu
}

// check ends the run once output has failed.
func (s *session) check(err error) {
	if err != nil {
		s.stop(err)
	}
}

// FrameSent implements scheduler.Observer: the sender has seen the frame.
func (s *session) FrameSent(time.Duration, []byte) {}

// FrameMatched keeps the packet for heard, which follows at once.
func (s *session) FrameMatched(p *rx.Packet, _ *rx.Match) { s.now = p }

// FrameStray shows what belongs to no probe, in verbose mode.
func (s *session) FrameStray(p *rx.Packet, _ *rx.Match) { s.other(p) }

// heard keeps what the answer is printed with, and shows what is no answer.
func (s *session) heard(m *rx.Match, settles bool) {
	if s.now == nil {
		return // the link refused a probe itself: nothing was received
	}
	if !settles {
		s.other(s.now)
		return
	}
	s.detail = text.Detail{Length: m.Reply.Size, Diff: s.opts.Diff}
	if msg, ok := dump.Parse(s.packet(s.now.Data)); ok {
		s.detail.Length = len(msg.ICMP)
		if s.opts.Diff && m.Reply.Kind.IsError() {
			s.detail.Sent, s.detail.Quote = s.sent, slices.Clone(msg.Quote()[:m.Reply.Quote.Bytes])
		}
	}
}

// other shows an ICMP message that settles nothing, in verbose mode.
func (s *session) other(p *rx.Packet) {
	if s.opts.Verbose == 0 {
		return
	}
	if m, ok := dump.Parse(s.packet(p.Data)); ok {
		s.check(s.out.Other(&m))
	}
}

// packet is what follows the link header.
func (s *session) packet(f []byte) []byte { return f[min(s.link.HeaderLen(), len(f)):] }
