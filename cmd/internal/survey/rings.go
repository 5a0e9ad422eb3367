package survey

import (
	"net"
	"runtime"
	"time"

	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/rx/early"
)

const (
	// maxLoops is how many loops there may be, and maxPorts how many source
	// ports for the flows of all of them.
	maxLoops = 64
	maxPorts = 1 << 12
)

// prompt is the ring of a survey that goes by the replies: no block waits for
// long, and there are as many as the ring for large runs has room for.
var prompt = rx.RingConfig{BlockSize: 64 << 10, Blocks: 256, Retire: time.Millisecond}

// filter tells the replies to all loops from everything else.
func (n *network) filter(o *options) rx.SurveyFilter {
	last := n.srcPort + uint16(o.loops) - 1
	if o.method.HasPorts() {
		last = n.srcPort + uint16(o.flows*o.loops) - 1
	}
	f := rx.SurveyFilter{
		Link: n.any().Header.Type, Local4: n.src(0), Local6: n.src(1), Method: o.method, SrcPorts: [2]uint16{n.srcPort, last},
		Size4: n.length(o, 0), Size6: n.length(o, 1),
	}
	if o.method.HasPorts() {
		f.DstPort = o.port
	}
	return f
}

// length is the whole IP length of a family's probes, 0 where there are none.
func (n *network) length(o *options, family int) uint16 {
	e := n.envelopes[family]
	if e == nil {
		return 0
	}
	p, err := o.probe(e.Src, e.Dst)
	if err != nil {
		return 0 // probes tells
	}
	return uint16(max(p.Size, p.HeaderLen()))
}

// ringFor gives a ring its dimensions.
func ringFor(o *options) rx.RingConfig {
	if o.mode == "adaptive" {
		return prompt
	}
	cfg := rx.RingConfig{Profile: rx.Survey}
	if pps := o.rate.packets; pps > 0 {
		// A block holds what comes in between two wake-ups, so that as many as
		// ever may pass unread. A slow run starts sooner with a small ring.
		const least, most, wake, reply = 32 << 10, 256 << 10, 0.010, 256
		cfg.BlockSize = least
		for cfg.BlockSize < most && float64(cfg.BlockSize) < pps*wake*reply {
			cfg.BlockSize *= 2
		}
	}
	return cfg
}

// openRings opens a ring for each loop. The kernel hands them the replies by
// source port.
func (n *network) openRings(o *options) error {
	env := n.any()
	program, err := n.filter(o).Program()
	if err != nil {
		return err
	}
	cfg := ringFor(o)
	cfg.Interface = &net.Interface{Index: env.Interface.Index, Name: env.Interface.Name}
	// A loop keeps its processor, and the writers need one too.
	cfg.Keep = true
	runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), o.loops+1))
	cfg.Link, cfg.Filter, cfg.Epoch = env.Header.Type, program, n.epoch
	if o.loops == 1 {
		ring, err := rx.OpenRing(cfg)
		if err != nil {
			return err
		}
		n.rings = append(n.rings, ring)
		return nil
	}
	configs := make([]rx.RingConfig, o.loops)
	for i := range configs {
		configs[i] = cfg
	}
	group, err := rx.OpenGroup(configs...)
	if err != nil {
		return err
	}
	n.rings = group.Rings
	return nil
}

// keepKernelOut has the kernel drop the replies once the rings have seen them.
func (n *network) keepKernelOut(o *options) error {
	exact, err := n.filter(o).Exact()
	if err != nil {
		return err
	}
	n.early, err = early.Attach(n.any().Interface.Index, exact)
	return err
}

// keptOut is how many replies the kernel did not see.
func (n *network) keptOut() uint64 {
	if n.early == nil {
		return 0
	}
	dropped, _ := n.early.Dropped()
	return dropped
}

// drops is how many replies found no room in a ring.
func (n *network) drops() uint64 {
	var sum uint64
	for _, r := range n.rings {
		drops, _ := r.Drops()
		sum += drops
	}
	return sum
}

// ringStats adds up what became of the packets.
func (n *network) ringStats() rx.RingStats {
	sum, _ := (&rx.Group{Rings: n.rings}).Stats()
	return sum
}

// wake wakes all loops.
func (n *network) wake() {
	for _, r := range n.rings {
		r.Wake()
	}
}

// firstPort is the source port, or echo identifier, of a loop's first flow: the
// first of all whose replies come to its ring.
func (n *network) firstPort(loop, loops int) uint16 {
	port := n.srcPort
	for rx.ShardOf(port, loops) != loop {
		port++
	}
	return port
}
