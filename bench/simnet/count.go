package simnet

import (
	"fmt"
	"maps"
)

// Counters tell what a path was asked and what it did.
type Counters struct {
	Neighbours uint64            // ARP requests and neighbour solicitations answered
	Asked      map[string]uint64 // probes by protocol: udp, icmp, tcp, udplite, dccp, "proto N"
	Answered   map[string]uint64 // replies by the script's words, lost ones among them
	Suppressed map[string]uint64 // replies that were not sent, by reason: loss, rate, ...
	Ignored    map[string]uint64 // frames that are no probes, by reason
	Dropped    uint64            // frames that the socket had no room for
	Failed     uint64            // frames that the kernel did not send
}

func newCounters() Counters {
	return Counters{
		Asked: map[string]uint64{}, Answered: map[string]uint64{},
		Suppressed: map[string]uint64{}, Ignored: map[string]uint64{},
	}
}

// clone is a copy that shares nothing.
func (c Counters) clone() Counters {
	c.Asked, c.Answered = maps.Clone(c.Asked), maps.Clone(c.Answered)
	c.Suppressed, c.Ignored = maps.Clone(c.Suppressed), maps.Clone(c.Ignored)
	return c
}

// Counters gives the counts so far.
func (r *Responder) Counters() Counters { return r.counts.clone() }

// name is the word for the packet's protocol.
func (p *ipPacket) name() string {
	for name, number := range protocols {
		if number == p.protocol {
			return name
		}
	}
	return fmt.Sprintf("proto %d", p.protocol)
}
