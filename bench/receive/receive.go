// Package receive measures the receive ring under a flood of replies: what it
// loses, and what a packet costs its reader.
package receive

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/hopquote/hopquote/bench/measure"
	"github.com/hopquote/hopquote/bench/wire"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
)

// The thread that reads and the one that floods have a CPU each where there are
// two.
const (
	readCPU  = 0
	floodCPU = 1
)

// destination is where the quoted probes were headed, from srcPort to dstPort.
var destination = netip.MustParseAddr("198.51.100.9")

const srcPort, dstPort = 40000, 33434

// Receiver is a ring and its reader.
type Receiver struct {
	Name      string
	BlockSize int // bytes
	Blocks    int
	Retire    time.Duration
	Slow      time.Duration // reader's sleep between two looks at the ring
}

// Receivers are what the suite compares: for surveys, for traces, and variants
// of block size and retire time, each of 8 MiB.
func Receivers() []Receiver {
	return []Receiver{
		{Name: "256 KiB, 10 ms", BlockSize: 256 << 10, Blocks: 32, Retire: 10 * time.Millisecond},
		{Name: "256 KiB, 1 ms", BlockSize: 256 << 10, Blocks: 32, Retire: time.Millisecond},
		{Name: "32 KiB, 1 ms", BlockSize: 32 << 10, Blocks: 256, Retire: time.Millisecond},
		{Name: "1 MiB, 10 ms", BlockSize: 1 << 20, Blocks: 8, Retire: 10 * time.Millisecond},
	}
}

// Lossy is a receiver that must lose packets: a ring of two small blocks that
// is looked at so seldom that it overflows on a machine that is too busy for much
// of a flood, too. A bench that does not report it as lossy is broken.
func Lossy() Receiver {
	return Receiver{Name: "lossy: 2 blocks of 4 KiB, slow", BlockSize: 4 << 10, Blocks: 2, Retire: time.Millisecond, Slow: 100 * time.Millisecond}
}

// Suite compares receivers at every rate, in frames a second; 0 is as fast as
// the flooder goes. Every round floods a new ring for about d.
func Suite(p *wire.Pair, receivers []Receiver, rates []float64, d time.Duration) measure.Suite {
	s := measure.Suite{
		Name: "rx", Title: "TPACKET_V3 ring of time exceeded messages of 56 bytes, each decoded and matched",
		Labels: []string{"ring", "asked"},
		Figures: []measure.Figure{
			{Key: "rate_pps", Title: "offered/s"},
			{Key: "offered_packets", Title: "offered"},
			{Key: "walked_packets", Title: "walked"},
			{Key: "dropped_packets", Title: "dropped by kernel"},
			{Key: "complete_percent", Title: "kept %", Digits: 3},
			{Key: "cpu_ns", Title: "reader CPU ns/packet"},
			{Key: "freezes", Title: "freezes"},
			{Key: "wakeups_pps", Title: "wake-ups/s"},
		},
	}
	for _, rate := range rates {
		for _, r := range receivers {
			s.Cases = append(s.Cases, measure.Case{
				Labels: []string{r.Name, asked(rate)}, Group: asked(rate),
				Run: func(context.Context) (measure.Sample, error) { return one(p, r, rate, d) },
			})
		}
	}
	return s
}

func asked(rate float64) string {
	if rate == 0 {
		return "max"
	}
	return strconv.FormatFloat(rate, 'f', -1, 64)
}

// one floods a new ring once.
func one(p *wire.Pair, c Receiver, rate float64, d time.Duration) (s measure.Sample, err error) {
	ring, err := open(p, c)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, ring.Close()) }()
	f, err := openFlooder(p)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, f.out.Close()) }()
	before, err := wire.Read(p.Host(wire.Near), wire.NearLink)
	if err != nil {
		return s, err
	}
	r := startReader(ring, c.Slow)
	offered, took, err := f.flood(rate, d)
	err = errors.Join(err, r.end())
	if err != nil {
		return s, err
	}
	after, err := wire.Read(p.Host(wire.Near), wire.NearLink)
	if err != nil {
		return s, err
	}
	dropped, err := ring.Drops()
	if err != nil {
		return s, err
	}
	frozen, err := ring.Frozen()
	if err != nil {
		return s, err
	}
	walked := r.walked.Load()
	s.Set("rate_pps", float64(offered)/took.Seconds())
	s.Set("offered_packets", float64(offered))
	s.Set("walked_packets", float64(walked))
	s.Set("dropped_packets", float64(dropped))
	s.Set("complete_percent", 100*float64(walked)/float64(offered))
	s.Set("cpu_ns", float64(r.cpu.Nanoseconds())/float64(walked))
	s.Set("freezes", float64(frozen))
	s.Set("wakeups_pps", float64(r.wakeups)/took.Seconds())
	balance(&s, r, offered, dropped, after.Since(before).Received)
	return s, nil
}

// balance holds the counts against each other.
func balance(s *measure.Sample, r *reader, offered, dropped, arrived uint64) {
	walked := r.walked.Load()
	if dropped > 0 || walked < offered {
		s.Notef("lossy: the ring had no room for all packets")
	}
	if arrived != offered {
		s.Problemf("%d packets offered, the link counted %d", offered, arrived)
	}
	if walked+dropped != offered {
		s.Problemf("%d packets offered, but %d walked and %d dropped by the kernel's count", offered, walked, dropped)
	}
	if r.strays > 0 {
		s.Problemf("%d packets were none of the flood", r.strays)
	}
	for id, n := range r.seen {
		most := offered/idCount + 1
		if uint64(n) > most {
			s.Problemf("identification %d was read %d times, sent %d times at most", id, n, most)
			break
		}
	}
}

// open opens the receiver's ring.
func open(p *wire.Pair, c Receiver) (ring *rx.Ring, err error) {
	filter, err := rx.FilterSpec{
		Link: frame.LinkEthernet, Local: wire.NearAddr, Target: destination, Method: frame.UDP,
	}.Program()
	if err != nil {
		return nil, err
	}
	err = p.Host(wire.Near).Do(func() error {
		ifi, err := net.InterfaceByName(wire.NearLink)
		if err != nil {
			return fmt.Errorf("find the ring's interface: %w", err)
		}
		ring, err = rx.OpenRing(rx.RingConfig{
			Interface: ifi, Link: frame.LinkEthernet, Filter: filter,
			BlockSize: c.BlockSize, Blocks: c.Blocks, Retire: c.Retire,
		})
		return err
	})
	return ring, err
}
