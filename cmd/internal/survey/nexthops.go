package survey

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/hopquote/hopquote/frame/link"
	"github.com/hopquote/hopquote/scheduler/survey/space"
)

// maxNeighbours is how many targets on the link itself a survey asks for their
// link addresses.
const maxNeighbours = 4096

// hosts are the targets of a group on the link, each a next hop of its own. They
// are none where one link address does for all.
func (r *routes) hosts(g *group, targets *space.Space) []netip.Addr {
	if g.why != "" || g.step.Way != link.OnLink || !r.solicits && g.targets > maxNeighbours {
		return nil
	}
	var hosts []netip.Addr
	for _, x := range g.ranges {
		hosts = slices.AppendSeq(hosts, targets.Within(x[0], x[1]))
	}
	return hosts
}

// checkLink refuses more targets on the link than can be asked for.
func (r *routes) checkLink() error {
	var n uint64
	var some []string
	var example netip.Addr
	for _, g := range r.groups {
		if g.why == "" && g.step.Way == link.OnLink && r.solicits {
			n, example = n+g.targets, g.example
			for _, p := range g.prefixes {
				some = append(some, p.String())
			}
		}
	}
	if n <= maxNeighbours {
		return nil
	}
	return fmt.Errorf("%d targets, such as %s, are on the link itself, where each is asked for its link address, %d at most: use --exclude %s, or a sample",
		n, example, maxNeighbours, strings.Join(some, " --exclude "))
}

// resolve finds the link addresses of all next hops, and makes the table of
// them. Targets whose next hop does not answer are left out from then on.
func (r *routes) resolve(ctx context.Context, o *options, targets *space.Space) (*link.Hops, error) {
	if err := r.checkLink(); err != nil {
		return nil, err
	}
	hops := link.NewHops()
	type entry struct {
		netip.Prefix
		hop uint32
	}
	var table []entry
	var all []netip.Addr
	onLink := map[*group][]netip.Addr{}
	for _, g := range r.groups {
		if g.why != "" {
			continue
		}
		onLink[g] = r.hosts(g, targets)
		all = append(all, onLink[g]...)
		all = append(all, g.gateways()...)
	}
	slices.SortFunc(all, netip.Addr.Compare)
	macs, err := r.neighbours(ctx, o, slices.Compact(all))
	if err != nil {
		return nil, err
	}
	numbers := map[[6]byte]uint32{}
	number := func(hop netip.Addr) uint32 {
		mac, known := macs[hop]
		if !known {
			return 0
		}
		if numbers[mac] == 0 {
			numbers[mac] = hops.Add(mac)
		}
		return numbers[mac]
	}
	for _, g := range slices.Clone(r.groups) {
		var to uint32
		if g.why == "" && len(onLink[g]) == 0 {
			if to = r.gateway(g, hops, macs, number); to == 0 {
				g.why = g.unresolved()
			}
		}
		for _, p := range g.prefixes {
			table = append(table, entry{p, to})
		}
		absent := &group{v6: g.v6, why: "on the link, where nobody answers for them"}
		for _, host := range onLink[g] {
			if to := number(host); to != 0 {
				table = append(table, entry{netip.PrefixFrom(host, host.BitLen()), to})
				continue
			}
			g.targets--
			absent.targets++
			absent.example = host
		}
		if absent.targets > 0 {
			r.groups = append(r.groups, absent)
		}
	}
	slices.SortFunc(table, func(a, b entry) int { return a.Prefix.Compare(b.Prefix) })
	for _, e := range table {
		hops.Set(e.Prefix, e.hop)
	}
	for _, g := range r.groups {
		if g.why == "" && g.targets > 0 {
			return hops, nil
		}
	}
	return nil, r.nothingLeft()
}

// gateways are the group's next hops, on the link that of the example.
func (g *group) gateways() []netip.Addr {
	switch {
	case len(g.hops) > 0:
		var list []netip.Addr
		for _, h := range g.hops {
			list = append(list, h.NextHop)
		}
		return list
	case g.step.Way == link.ByGateway:
		return []netip.Addr{g.step.NextHop}
	}
	return []netip.Addr{g.example}
}

// gateway gives the number of a group's next hop, or of those that share its
// flows: where some of these do not answer, the others have theirs too. It is 0
// where there is none.
func (r *routes) gateway(g *group, hops *link.Hops, macs map[netip.Addr][6]byte, number func(netip.Addr) uint32) uint32 {
	if len(g.hops) == 0 {
		return number(g.gateways()[0])
	}
	var shares []link.Share
	for _, h := range g.hops {
		if mac, known := macs[h.NextHop]; known {
			shares = append(shares, link.Share{MAC: mac, Weight: h.Weight})
			continue
		}
		g.silent = append(g.silent, h.NextHop)
	}
	if len(shares) == 0 {
		return 0
	}
	return hops.AddShares(shares)
}

// unresolved is why the targets of a group are left out whose next hops do not
// answer.
func (g *group) unresolved() string {
	all := g.gateways()
	if len(all) == 1 {
		return fmt.Sprintf("next hop %s does not resolve", all[0])
	}
	return fmt.Sprintf("next hops %s do not resolve", listed(all))
}

// neighbours finds link addresses, where they matter.
func (r *routes) neighbours(ctx context.Context, o *options, all []netip.Addr) (map[netip.Addr][6]byte, error) {
	if o.tx != link.TxNull {
		return link.Neighbours(ctx, r.envelopes, all)
	}
	known := map[netip.Addr][6]byte{}
	for _, hop := range all {
		known[hop] = [6]byte{}
	}
	return known, nil
}

// silent tells whether a gateway did not answer.
func (r *routes) silent() bool {
	return slices.ContainsFunc(r.groups, func(g *group) bool {
		return g.step.Way == link.ByGateway && strings.HasPrefix(g.why, "next hop")
	})
}

// nextHop is where some of the targets go.
type nextHop struct {
	NextHop string     `json:"next_hop"`             // empty: each target is its own, or several share their flows
	Equal   []equalHop `json:"equal_cost,omitempty"` // which
	Targets uint64     `json:"targets"`              // of all shards
	device  string
	local   bool
}

// nextHops are where the targets go.
func (r *routes) nextHops() []nextHop {
	list := []nextHop{}
	for _, g := range r.groups {
		if g.why != "" || g.targets == 0 {
			continue
		}
		h := nextHop{Targets: g.targets, device: g.device, local: g.step.Way == link.ToSelf}
		if h.Equal = g.equalHops(); g.step.Way == link.ByGateway && len(h.Equal) == 0 {
			h.NextHop = g.step.NextHop.String()
		}
		list = append(list, h)
	}
	return list
}

func (h nextHop) String() string {
	switch {
	case h.local:
		return fmt.Sprintf("%d targets on this host", h.Targets)
	case len(h.Equal) > 0:
		return fmt.Sprintf("%d targets by %s on %s, their flows shared", h.Targets, listed(h.Equal), h.device)
	case h.NextHop == "":
		return fmt.Sprintf("%d targets on the link of %s", h.Targets, h.device)
	}
	return fmt.Sprintf("%d targets by %s on %s", h.Targets, h.NextHop, h.device)
}
