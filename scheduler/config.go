package scheduler

import (
	"net/netip"
	"time"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
)

// Config is what an Engine runs with. Strategy, Clock, Sender, Receiver and one
// of Identities and Book are required.
type Config struct {
	Strategy   Strategy
	Clock      Clock
	Sender     Sender // used as a SlotSender if it is one
	Receiver   Receiver
	Identities Identities
	// Book takes the place of Identities where it is set. The Engine owns it
	// while it runs.
	Book Book

	// Unrouted, when set, tells of a destination that nothing leads to. Its probes
	// are not built: Strategy is told that they left and, at once, that they
	// expired, the latter without an Origin. They count nowhere, and need neither
	// room nor time. Strategy must be an Expirer.
	Unrouted func(dst netip.Addr) bool

	Link frame.Link // link header of every probe
	MTU  int        // bytes of IP packet that the link takes; 0: no limit

	Window int           // probes in flight at most; below 1 means 1
	Gap    time.Duration // smallest time from send to send; 0: none
	// Rate is how many probes leave in a second, see type Rate; 0: no limit. A
	// Gap takes its place.
	Rate float64
	// Batch is how many probes go to the sender at once. They left one after the
	// other, at even steps from when the sender was asked to when it returned. If
	// it was held up meanwhile, RTTs come out too long by that. Below 1 means 1,
	// or with a Rate what keeps such errors rare up to 50,000/s.
	Batch int

	// Amend, when set, corrects a probe that left by the frame that did: Sender
	// may have put another in the place of the one it was given.
	Amend func(f []byte, p *frame.Probe)

	// Observer sees every frame sent and received; nil for none.
	Observer Observer
	// Full, when set, is asked before new probes are sent: true holds them
	// back, so that slow writers slow the run and lose nothing.
	Full func() bool
}

// Observer sees the frames of a run. The slices are valid during the call.
type Observer interface {
	FrameSent(at time.Duration, f []byte)
	// FrameMatched is called for replies that belong to a probe, duplicates
	// and late ones included, never for strays.
	FrameMatched(p *rx.Packet, m *rx.Match)
}

// StrayObserver is an Observer that sees strays too: packets that passed the
// receiver's filter and belong to no probe.
type StrayObserver interface {
	Observer
	FrameStray(p *rx.Packet, m *rx.Match)
}
