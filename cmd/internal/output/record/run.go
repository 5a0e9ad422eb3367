package record

import (
	"net/netip"
	"time"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
)

// Run is what all records of a survey share, known before the first of them.
type Run struct {
	Program, Version string
	Args             []string
	Host             string    // this host's name
	Start            time.Time // the epoch: wall time of time zero
	Seed             uint64

	Mode         string // random, full or adaptive
	Method       frame.Method
	TCPFlags     uint8      // method TCP: FlagSYN or FlagACK
	Src4, Src6   netip.Addr // zero for a family without targets
	DstPort      uint16     // of methods with ports
	TOS          uint8
	First, Max   uint8 // TTLs
	Flows        int   // flows for each target
	Attempts     int   // probes for each TTL and flow at most
	GapLimit     int   // silent hops in a row that end a trace; 0: none do
	Timeout      time.Duration
	Rate         float64 // packets per second asked for; 0: as fast as possible
	Size4, Size6 int     // whole IP length of a probe, bytes
	Link         frame.LinkType
	Interface    string
}

// Size is the whole IP length in bytes of the probes to a target.
func (r *Run) Size(target netip.Addr) int {
	if target.Is6() {
		return r.Size6
	}
	return r.Size4
}

// Src is the source address of the probes to a target.
func (r *Run) Src(target netip.Addr) netip.Addr {
	if target.Is6() {
		return r.Src6
	}
	return r.Src4
}

// End is what is known when a run is over.
type End struct {
	At          time.Duration
	Complete    bool // every target was probed; else interrupted or failed
	Counts      rx.Counts
	KernelDrops uint64
	Traces      uint64
}
