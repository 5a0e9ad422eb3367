package ground

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/net/bpf"

	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
)

// Arrivals are the moments at which probes came to the far end of the link, as
// the kernel noted them before they were answered.
type Arrivals struct {
	at   []time.Duration
	Lost uint64 // whose moment is not known
}

// maxArrivals bounds the memory to 128 MiB. What comes later is not looked at.
const maxArrivals = 1 << 24

// Watch runs f and gives when the UDP probes that were sent meanwhile came.
func (g *Ground) Watch(f func() error) (a Arrivals, err error) {
	ring, err := g.openWatch()
	if err != nil {
		return a, fmt.Errorf("watch when probes come: %w", err)
	}
	var over atomic.Bool
	done := make(chan error, 1)
	go func() { done <- a.collect(ring, &over) }()
	ferr := f()
	over.Store(true)
	ring.Wake()
	err = <-done
	if err == nil {
		a.Lost, err = ring.Drops()
	}
	return a, errors.Join(ferr, err, ring.Close())
}

const (
	watchBlock  = 256 << 10
	watchBlocks = 64
	watchRetire = 10 * time.Millisecond
)

// openWatch opens a ring that gets the beginning of what comes in, of IPv4 and
// UDP alone: replies, which are ICMP, are none of it.
func (g *Ground) openWatch() (ring *rx.Ring, err error) {
	const head = 34 // Ethernet and IPv4
	filter, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: 12, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 0x0800, SkipTrue: 3},
		bpf.LoadAbsolute{Off: 23, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 17, SkipTrue: 1},
		bpf.RetConstant{Val: head},
		bpf.RetConstant{Val: 0},
	})
	if err != nil {
		return nil, err
	}
	err = g.Host(internet.Far).Do(func() error {
		ifi, err := net.InterfaceByName(internet.FarLink)
		if err != nil {
			return err
		}
		ring, err = rx.OpenRing(rx.RingConfig{
			Interface: ifi, Link: frame.LinkEthernet, Filter: filter,
			BlockSize: watchBlock, Blocks: watchBlocks, Retire: watchRetire,
		})
		return err
	})
	return ring, err
}

// collect takes moments until it is over and nothing is left in the ring.
func (a *Arrivals) collect(ring *rx.Ring, over *atomic.Bool) error {
	take := func(p *rx.Packet) {
		if len(a.at) < maxArrivals && !p.Local {
			a.at = append(a.at, p.At)
		}
	}
	for {
		last := over.Load()
		if last {
			time.Sleep(2 * ring.Lag()) // the last block is handed over by then
		}
		if err := ring.Drain(take); err != nil || last {
			return err
		}
		if err := ring.Wait(time.Since(ring.Epoch()) + 2*watchRetire); err != nil {
			return err
		}
	}
}

// Pace is the most and the least that came in any window, in probes/s.
type Pace struct{ Most, Least float64 }

// Pace looks at every window of a length within the run. The last hundredth of
// the probes counts for the most alone: a run may end slowly. It is not known
// for runs that are shorter than the window.
func (a *Arrivals) Pace(window time.Duration) (p Pace, ok bool) {
	at := a.at
	slices.Sort(at) // several CPUs may have taken them in
	if len(at) < 2 || at[len(at)-1]-at[0] < window {
		return p, false
	}
	most, least, from := 0, len(at), 0
	for i, t := range at {
		// A window that begins just behind the probe from holds those up to i.
		for ; t-at[from] >= window; from++ {
			if i < len(at)-len(at)/100 {
				least = min(least, i-from-1)
			}
		}
		most = max(most, i-from+1)
	}
	seconds := window.Seconds()
	return Pace{Most: float64(most) / seconds, Least: float64(least) / seconds}, true
}
