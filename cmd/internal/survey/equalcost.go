package survey

import (
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/hopquote/hopquote/frame/link"
)

// interfaces are those that the targets of a group may leave by.
func (g *group) interfaces() []int {
	if len(g.step.Equal) == 0 {
		return []int{g.step.Interface}
	}
	var list []int
	for _, h := range g.step.Equal {
		if !slices.Contains(list, h.Interface) {
			list = append(list, h.Interface)
		}
	}
	return list
}

// onLink tells whether targets of the group may be next hops themselves.
func (g *group) onLink() bool {
	return g.step.Way == link.OnLink || slices.ContainsFunc(g.step.Equal, func(h link.EqualHop) bool { return !h.NextHop.IsValid() })
}

// settle decides where a group with next hops of equal cost goes in a survey by
// one interface: to the gateways there, or where there are none, onto the link.
// Next hops on others are for a survey by those.
func (g *group) settle(index int) {
	g.hops = nil
	if len(g.step.Equal) == 0 {
		return
	}
	direct := false
	for _, h := range g.step.Equal {
		switch {
		case h.Interface != index:
		case h.NextHop.IsValid():
			g.hops = append(g.hops, h)
		default:
			direct = true
		}
	}
	switch {
	case len(g.hops) > 0:
		g.step.Way, g.step.Interface, g.step.NextHop = link.ByGateway, index, g.hops[0].NextHop
		if len(g.hops) == 1 {
			g.hops = nil
		}
	case direct:
		g.step.Way, g.step.Interface = link.OnLink, index
	}
	g.name()
}

// name looks up what the group's interface is called.
func (g *group) name() {
	if ifi, err := net.InterfaceByIndex(g.step.Interface); err == nil {
		g.device = ifi.Name
	}
}

// others names the interfaces of next hops of equal cost that are not used.
func (g *group) others() (names []string) {
	for _, index := range g.interfaces() {
		if ifi, err := net.InterfaceByIndex(index); err == nil && index != g.step.Interface {
			names = append(names, ifi.Name)
		}
	}
	return names
}

// equalHop is one of several next hops that share flows.
type equalHop struct {
	NextHop string `json:"next_hop"`
	Weight  int    `json:"weight"`
}

func (h equalHop) String() string {
	if h.Weight == 1 {
		return h.NextHop
	}
	return fmt.Sprintf("%s (weight %d)", h.NextHop, h.Weight)
}

// equalHops lists those of a group that answer, as far as that is known; none
// where it has one next hop.
func (g *group) equalHops() (list []equalHop) {
	for _, h := range g.hops {
		if !slices.Contains(g.silent, h.NextHop) {
			list = append(list, equalHop{h.NextHop.String(), h.Weight})
		}
	}
	return list
}

// listed is a list in a sentence.
func listed[T fmt.Stringer](list []T) string {
	var names []string
	for _, v := range list {
		names = append(names, v.String())
	}
	return strings.Join(names, ", ")
}

// unshared tells of next hops of equal cost that get no flows.
func (r *routes) unshared() (lines []string) {
	for _, g := range r.groups {
		if g.why != "" || g.targets == 0 {
			continue
		}
		for _, a := range g.silent {
			lines = append(lines, fmt.Sprintf("next hop %s does not resolve: others of equal cost take its part of %d targets", a, g.targets))
		}
		for _, device := range g.others() {
			lines = append(lines, fmt.Sprintf("%d targets, such as %s, have next hops of equal cost on %s: use -i %s for those", g.targets, g.example, device, device))
		}
	}
	return lines
}
