package lab

import (
	"fmt"
	"net/netip"
	"sync"
)

// minMTU6 is the least MTU that carries IPv6, RFC 8200 section 5.
const minMTU6 = 1280

// topologies are made when they are first asked for, which most runs of a
// program never do.
var topologies = sync.OnceValue(func() []Topology {
	return []Topology{
		chain("line", wide, 0, 0, 0),
		chain("pair", wide, 0),
		chain("mtu", wide, 1500, 1000, 500),
		chain("long", narrow, make([]int, 17)...),
	}
})

// wide numbers networks 100, 110, 120, … as the package drawing shows.
func wide(i int) (v4, v6 string) {
	n := 100 + 10*i
	return fmt.Sprintf("192.168.%d.", n), fmt.Sprintf("fd00:%d::", n)
}

// narrow numbers networks 0, 1, 2, … for chains that wide has no room for.
func narrow(i int) (v4, v6 string) {
	return fmt.Sprintf("10.0.%d.", i), fmt.Sprintf("fd00:%d::", i)
}

// segment holds the addresses of a link's left and right end, IPv4 first.
type segment struct{ left, right []netip.Prefix }

// chain plans h1 - r1 - … - h2 with one link per MTU. Each link's left end is
// .10 and its right end .20 in the network that number gives.
func chain(name string, number func(int) (v4, v6 string), mtus ...int) Topology {
	segments := make([]segment, len(mtus))
	for i, mtu := range mtus {
		v4, v6 := number(i)
		s := segment{
			left:  []netip.Prefix{netip.MustParsePrefix(v4 + "10/24")},
			right: []netip.Prefix{netip.MustParsePrefix(v4 + "20/24")},
		}
		if mtu == 0 || mtu >= minMTU6 {
			s.left = append(s.left, netip.MustParsePrefix(v6+"10/64"))
			s.right = append(s.right, netip.MustParsePrefix(v6+"20/64"))
		}
		segments[i] = s
	}

	t := Topology{Name: name}
	last := len(mtus)
	for i := 0; i <= last; i++ {
		h := HostPlan{Router: true}
		switch i {
		case 0:
			h = HostPlan{Name: "h1"}
			if last > 1 {
				h.Routes = defaultsVia(segments[0].right)
			}
		case last:
			h = HostPlan{Name: "h2"}
			if last > 1 {
				h.Routes = defaultsVia(segments[last-1].left)
			}
		default:
			h.Name = fmt.Sprintf("r%d", i)
			for far, s := range segments {
				switch {
				case far < i-1:
					h.Routes = append(h.Routes, routesVia(s.left, segments[i-1].left)...)
				case far > i:
					h.Routes = append(h.Routes, routesVia(s.left, segments[i].right)...)
				}
			}
		}
		t.Hosts = append(t.Hosts, h)
	}

	for i, mtu := range mtus {
		left, right := t.Hosts[i], t.Hosts[i+1]
		out := "veth1-"
		if left.Router {
			out = "veth2-"
		}
		t.Links = append(t.Links, LinkPlan{MTU: mtu, Ends: [2]EndPlan{
			{Host: left.Name, Name: out + left.Name, Addresses: segments[i].left},
			{Host: right.Name, Name: "veth1-" + right.Name, Addresses: segments[i].right},
		}})
	}
	return t
}

// defaultsVia gives a default route per family through a neighbour's addresses.
func defaultsVia(via []netip.Prefix) []Route {
	var routes []Route
	for _, v := range via {
		routes = append(routes, DefaultRoute(v.Addr()))
	}
	return routes
}

// routesVia gives a route to a far link per family that both links carry.
func routesVia(far, via []netip.Prefix) []Route {
	var routes []Route
	for f := range min(len(far), len(via)) {
		routes = append(routes, Route{Dst: far[f].Masked(), Via: via[f].Addr()})
	}
	return routes
}
