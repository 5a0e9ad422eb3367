package simnet

import (
	"net/netip"

	"github.com/hopquote/hopquote/bench/lab"
)

// Names in a script's topology.
const (
	Prober = "h1"        // the probing host
	Far    = "sim"       // the host that stands for the rest of the network
	Link   = "veth1-sim" // the far host's interface
)

// Topology is the network for a script: the probing host with its addresses
// and routes, and the far host, which has none.
func Topology(s *Script) lab.Topology {
	near := lab.HostPlan{Name: Prober}
	var addresses []netip.Prefix
	routed := map[bool]bool{}
	for _, src := range s.Sources {
		addresses = append(addresses, src.Prefix)
		if v6 := src.Gateway.Is6(); !routed[v6] {
			routed[v6] = true
			near.Routes = append(near.Routes, lab.DefaultRoute(src.Gateway))
		}
	}
	return lab.Topology{
		Name:  "script",
		Hosts: []lab.HostPlan{near, {Name: Far}},
		Links: []lab.LinkPlan{{MTU: s.MTU, Ends: [2]lab.EndPlan{
			{Host: Prober, Name: "veth1-" + Prober, Addresses: addresses},
			{Host: Far, Name: Link},
		}}},
	}
}
