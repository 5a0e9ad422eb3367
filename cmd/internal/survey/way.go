package survey

import (
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/hopquote/hopquote/frame/link"
	"github.com/hopquote/hopquote/scheduler/survey/space"
)

// wayTargets is how many targets of a survey are asked the way to before it
// begins, spread over all of them.
const wayTargets = 256

// checkWay finds targets that the next hop of the others is the wrong one for:
// those on the link itself, which are their own next hops, and those that have
// another route. All frames of a family go to one next hop.
func (n *network) checkWay(o *options, targets *space.Space) error {
	if targets.Len() == 1 {
		return nil
	}
	env := n.any()
	if env.Local {
		return nil
	}
	ifi, err := net.InterfaceByIndex(env.Interface.Index)
	if err != nil {
		return fmt.Errorf("interface %s: %w", env.Interface.Name, err)
	}
	addrs, err := ifi.Addrs()
	if err != nil {
		return fmt.Errorf("interface %s: %w", env.Interface.Name, err)
	}
	for _, a := range addrs {
		ip, ok := a.(*net.IPNet)
		if !ok {
			continue
		}
		p, err := netip.ParsePrefix(ip.String())
		if p = p.Masked(); err == nil && p.Bits() < p.Addr().BitLen() && targets.Has(p) {
			return fmt.Errorf("targets in %s are on the link itself, without a path to find: leave them out with --exclude %s", p, p)
		}
	}
	all := targets.Len()
	for i := range min(all, wayTargets) {
		dst := targets.At(i * (all / min(all, wayTargets)))
		f, src := 0, o.source4
		if dst.Is6() {
			f, src = 1, o.source6
		}
		e, err := link.Lookup(link.Want{Dst: dst, Src: src, Interface: o.iface, TOS: o.tos})
		if err != nil {
			return fmt.Errorf("route to %s: %w", dst, err)
		}
		if was := n.envelopes[f]; e.NextHop != was.NextHop || e.Interface.Index != was.Interface.Index || e.Local != was.Local {
			return fmt.Errorf("%s is reached by %s on %s and %s by %s on %s: all targets must have one next hop, use --exclude or -i",
				was.Dst, was.NextHop, was.Interface.Name, dst, e.NextHop, e.Interface.Name)
		}
	}
	return nil
}

// nextHops names them, for when one does not answer.
func (n *network) nextHops() string {
	var names []string
	for _, e := range n.envelopes {
		if e != nil {
			names = append(names, e.NextHop.String())
		}
	}
	return "next hop " + strings.Join(names, " or ") + " does not resolve"
}
