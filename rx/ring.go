package rx

import (
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mdlayher/packet"
	"golang.org/x/net/bpf"

	"github.com/hopquote/hopquote/frame"
)

// RingConfig says how to open a Ring. Interface is needed; the zero value of
// everything else is what a trace wants.
type RingConfig struct {
	// Interface to receive on; Index and Name are used.
	Interface *net.Interface
	// Link is what Packet.Data starts with. LinkRaw works on any interface: the
	// kernel takes the link header off. LinkEthernet needs one that has it.
	Link frame.LinkType
	// Filter is attached before the first packet can arrive. Empty lets
	// everything in.
	Filter []bpf.RawInstruction
	// Profile says what BlockSize, Blocks and Retire are where they are 0.
	Profile Profile
	// BlockSize in bytes is a multiple of the page size. A packet longer than a
	// block is cut.
	BlockSize int
	// Blocks is how many there are. Under a trickle every block holds what came
	// within Retire, so that their number times Retire is how long the reader
	// may be busy elsewhere.
	Blocks int
	// Retire is how long the kernel may sit on a block that isn't full,
	// rounded up to whole milliseconds. Kernels older than 6.18 round up to
	// their timer tick.
	Retire time.Duration
	// Keep has Wait sleep without giving Go's processor away, which more than
	// halves the cost of a wake-up for who wakes up hundreds of times a second.
	// There should be one processor (GOMAXPROCS) for each such ring, and one
	// for everything else.
	Keep bool
	// Epoch is time zero of Packet.At and Wait. It should come from time.Now,
	// monotonic reading included. Zero is the moment of opening, see
	// Ring.Epoch.
	Epoch time.Time
}

// maxRing bounds a ring's size in bytes, far above what a survey wants and
// within the uint32 counts that the kernel takes.
const maxRing = 1 << 30

// withDefaults fills in zero values and checks the rest.
func (c RingConfig) withDefaults() (RingConfig, error) {
	if !c.Profile.valid() {
		return c, fmt.Errorf("open receive ring: profile %d, known are interactive (%d) and survey (%d)", c.Profile, Interactive, Survey)
	}
	c.fill(profiles[c.Profile])
	if c.Epoch.IsZero() {
		c.Epoch = time.Now()
	}
	page := os.Getpagesize()
	switch {
	case c.Interface == nil:
		return c, fmt.Errorf("open receive ring: no interface given")
	case c.BlockSize < page || c.BlockSize > maxRing || c.BlockSize%page != 0:
		return c, fmt.Errorf("open receive ring: block size %d, need a multiple of the page size %d up to %d", c.BlockSize, page, maxRing)
	case c.Blocks < 1 || c.Blocks > maxRing/c.BlockSize:
		return c, fmt.Errorf("open receive ring: %d blocks of %d bytes, need 1..%d", c.Blocks, c.BlockSize, maxRing/c.BlockSize)
	case c.Retire < 0 || c.Retire > time.Minute:
		return c, fmt.Errorf("open receive ring: retire time %v, need 1ms..1m", c.Retire)
	}
	c.Retire = (c.Retire + time.Millisecond - 1).Truncate(time.Millisecond)
	return c, nil
}

// Ring is a TPACKET_V3 receive ring on one interface: the kernel writes
// packets into blocks of shared memory, and Drain reads them there.
//
// One goroutine calls Wait and Drain. Wake, Inject, Drops, Frozen and Close
// may be called from any, but Close not from within Drain's function.
type Ring struct {
	config RingConfig
	conn   *packet.Conn
	packet Packet      // the one that Drain hands out
	inbox  inbox       // what Inject left
	closed atomic.Bool // set before mu is asked for
	stats  ringStats
	// Replies that come by other interfaces; nil for none.
	elsewhere *Elsewhere

	mu     sync.Mutex // held while one of these is in use
	poll   poller
	memory []byte // the blocks, one after the other; nil once closed
	cursor int    // the block that the kernel hands over next
}

// Epoch is time zero of Packet.At and Wait.
func (r *Ring) Epoch() time.Time { return r.config.Epoch }

// Lag is how long a packet may lie in a block before Drain sees it: the retire
// time.
func (r *Ring) Lag() time.Duration { return r.config.Retire }

// Wake makes the Wait in progress return, or the next one when there is none.
func (r *Ring) Wake() { r.inbox.wake() }

// Inject hands a copy of data, a frame that starts with RingConfig.Link, to
// the next Drain as if it had been received at at, marked Local, and wakes.
// After Close it does nothing.
func (r *Ring) Inject(data []byte, at time.Duration) { r.inbox.put(data, at) }
