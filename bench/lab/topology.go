package lab

import (
	"fmt"
	"net/netip"
	"strings"
)

// Topology is the plan of a network: which hosts, joined by which links.
type Topology struct {
	Name  string
	Hosts []HostPlan
	Links []LinkPlan
}

// HostPlan is one host's part of a plan.
type HostPlan struct {
	Name   string
	Router bool    // forwards IPv4 and IPv6
	Routes []Route // added in this order once all links are up
}

// LinkPlan is one veth pair.
type LinkPlan struct {
	Ends [2]EndPlan
	MTU  int // in bytes of IP, 68..65535; 0 means 1500
}

// EndPlan is one end of a link.
type EndPlan struct {
	Host      string
	Name      string         // interface name, 1..15 bytes
	Addresses []netip.Prefix // address with its prefix length
}

// Topologies names the networks that Open can build; the first is the default.
func Topologies() []string {
	names := make([]string, len(topologies()))
	for i, t := range topologies() {
		names[i] = t.Name
	}
	return names
}

// Find gives the named topology's plan and whether there is one.
func Find(name string) (Topology, bool) {
	for _, t := range topologies() {
		if t.Name == name {
			return t, true
		}
	}
	return Topology{}, false
}

// Drawing shows the links, one per line, ends with their interface names and
// the last part of their addresses.
func (t Topology) Drawing() string {
	var b strings.Builder
	for _, l := range t.Links {
		a, z := l.Ends[0], l.Ends[1]
		var nets []string
		for _, p := range a.Addresses {
			nets = append(nets, p.Masked().String())
		}
		fmt.Fprintf(&b, "  %-3s %-9s %s --- %s --- %s %-9s %s", a.Host, a.Name, hostPart(a), strings.Join(nets, "  "),
			hostPart(z), z.Name, z.Host)
		if l.MTU != 0 {
			fmt.Fprintf(&b, "  mtu %d", l.MTU)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func hostPart(e EndPlan) string {
	if len(e.Addresses) == 0 {
		return "-"
	}
	s := e.Addresses[0].Addr().String()
	return s[strings.LastIndexAny(s, ".:"):]
}

// check finds the plan's mistakes that the kernel would report obscurely or
// only after half the network stands.
func (t Topology) check() error {
	hosts := make(map[string]bool)
	for _, h := range t.Hosts {
		if h.Name == "" || hosts[h.Name] {
			return fmt.Errorf("lab: topology %q: host name %q is empty or used twice", t.Name, h.Name)
		}
		hosts[h.Name] = true
	}
	ends := make(map[[2]string]bool)
	for _, l := range t.Links {
		if l.MTU != 0 && (l.MTU < 68 || l.MTU > 65535) {
			return fmt.Errorf("lab: topology %q: MTU %d is not within 68..65535", t.Name, l.MTU)
		}
		for _, e := range l.Ends {
			if !hosts[e.Host] {
				return fmt.Errorf("lab: topology %q: link end %q is on %q, which is no host", t.Name, e.Name, e.Host)
			}
			if len(e.Name) < 1 || len(e.Name) > 15 || ends[[2]string{e.Host, e.Name}] {
				return fmt.Errorf("lab: topology %q: interface name %q must have 1..15 bytes and be the only one of %s", t.Name, e.Name, e.Host)
			}
			ends[[2]string{e.Host, e.Name}] = true
		}
	}
	return nil
}
