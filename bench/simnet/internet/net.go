package internet

import (
	"errors"
	"net/netip"

	"github.com/hopquote/hopquote/bench/lab"
)

// Names in the topology.
const (
	Prober     = "h1"        // the probing host
	ProberLink = "veth1-h1"  // its interface
	Far        = "sim"       // the host that stands for the Internet
	FarLink    = "veth1-sim" // its interface
)

// Net is a probing host and its simulated Internet.
type Net struct {
	*lab.Net
	*Internet
}

// Topology is the network for a Config: the probing host, with a default route
// to the gateway in each family, and the far host, which has no addresses.
func Topology(config Config) lab.Topology {
	c := config.withDefaults()
	return lab.Topology{
		Name: "internet",
		Hosts: []lab.HostPlan{
			{Name: Prober, Routes: []lab.Route{lab.DefaultRoute(c.Gateway4), lab.DefaultRoute(c.Gateway6)}},
			{Name: Far},
		},
		Links: []lab.LinkPlan{{Ends: [2]lab.EndPlan{
			{Host: Prober, Name: ProberLink, Addresses: []netip.Prefix{c.Source4, c.Source6}},
			{Host: Far, Name: FarLink},
		}}},
	}
}

// Open builds the topology and starts the Internet in it.
func Open(config Config) (*Net, error) {
	n, err := lab.Build(Topology(config))
	if err != nil {
		return nil, err
	}
	in, err := Start(n.Host(Far), FarLink, config)
	if err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return &Net{n, in}, nil
}

// Close stops the Internet and removes the network.
func (n *Net) Close() error { return errors.Join(n.Internet.Close(), n.Net.Close()) }
