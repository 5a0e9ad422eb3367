package internet

import "github.com/hopquote/hopquote/frame"

// Counters tell what the Internet was asked and what it did: the truth that a
// prober's own counts are held against.
//
// Of every count, Asked = Answered + Silent + Limited, but for the probes that
// Failed.
type Counters struct {
	IPv4, IPv6 Family

	Neighbours uint64 // ARP requests and neighbour solicitations answered
	Malformed  uint64 // frames cut short or with headers that contradict themselves
	Fragments  uint64
	Foreign    uint64 // frames that are no probes, see the package's introduction
	Failed     uint64 // replies that the kernel did not take, and late ones that Close gave up
	Dropped    uint64 // frames that came too fast for the user-space form, and are counted nowhere else
}

// Family is what probes of one IP version got, by method. Other is what has no
// method of its own here.
type Family struct {
	Other, UDP, ICMP, TCP Count
}

// Count is of one kind of probe.
type Count struct {
	Asked    uint64 // probes that came in
	Answered uint64 // that were answered
	Silent   uint64 // that ended at a silent router or host, or as TCP segments that need no answer
	Limited  uint64 // that ended at a router which had sent enough errors

	Duplicated uint64 // of those answered: twice
	Delayed    uint64 // of those answered: later than the others
}

// Of gives the count of a method in a family; methods other than UDP, ICMP and
// TCP share one.
func (c *Counters) Of(method frame.Method, v6 bool) *Count {
	f := &c.IPv4
	if v6 {
		f = &c.IPv6
	}
	switch method {
	case frame.UDP:
		return &f.UDP
	case frame.ICMP:
		return &f.ICMP
	case frame.TCP:
		return &f.TCP
	}
	return &f.Other
}

// Total adds up the counts of all probes.
func (c *Counters) Total() Count {
	var sum Count
	for _, f := range []*Family{&c.IPv4, &c.IPv6} {
		for _, n := range []*Count{&f.Other, &f.UDP, &f.ICMP, &f.TCP} {
			sum.add(n)
		}
	}
	return sum
}

func (c *Count) add(n *Count) {
	c.Asked += n.Asked
	c.Answered += n.Answered
	c.Silent += n.Silent
	c.Limited += n.Limited
	c.Duplicated += n.Duplicated
	c.Delayed += n.Delayed
}

// add adds what another CPU counted.
func (c *Counters) add(o *Counters) {
	for _, v6 := range []bool{false, true} {
		for _, m := range []frame.Method{0, frame.UDP, frame.ICMP, frame.TCP} {
			c.Of(m, v6).add(o.Of(m, v6))
		}
	}
	c.Neighbours += o.Neighbours
	c.Malformed += o.Malformed
	c.Fragments += o.Fragments
	c.Foreign += o.Foreign
	c.Failed += o.Failed
	c.Dropped += o.Dropped
}
