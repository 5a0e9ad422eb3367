package survey

import (
	"net/netip"

	"github.com/hopquote/hopquote/scheduler/survey/space"
)

// piece is what the targets of a prefix, without those of longer ones, are.
type piece struct {
	netip.Prefix
	example netip.Addr // one of them
	targets uint64
	ranges  [][2]netip.Addr // that they are in
}

// cut gives the pieces that have targets.
func cut(v6 bool, sorted []netip.Prefix, targets *space.Space) (list []*piece) {
	known := map[netip.Prefix]*piece{}
	pieces(v6, sorted, func(prefix netip.Prefix, first, last netip.Addr) {
		n := targets.Count(first, last)
		if n == 0 {
			return
		}
		p := known[prefix]
		if p == nil {
			p = &piece{Prefix: prefix}
			for p.example = range targets.Within(first, last) {
				break
			}
			known[prefix], list = p, append(list, p)
		}
		p.targets += n
		p.ranges = append(p.ranges, [2]netip.Addr{first, last})
	})
	return list
}

// take adds the targets of a piece.
func (g *group) take(p *piece) {
	g.prefixes = append(g.prefixes, p.Prefix)
	g.targets += p.targets
	if g.onLink() {
		g.ranges = append(g.ranges, p.ranges...)
	}
}

// pieces cuts all addresses of a family up by sorted prefixes: it gives ranges,
// in order, with the longest prefix that each lies in. Where none does that is
// the prefix of all addresses.
func pieces(v6 bool, sorted []netip.Prefix, yield func(p netip.Prefix, first, last netip.Addr)) {
	all := netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	if v6 {
		all = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	}
	type open struct {
		netip.Prefix
		next, last netip.Addr // what is left of it; next is not valid where nothing is
	}
	var stack []open
	push := func(p netip.Prefix) {
		first, last := space.Ends(p)
		stack = append(stack, open{p, first, last})
	}
	push(all)
	pop := func() {
		top := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if len(stack) > 0 {
			stack[len(stack)-1].next = top.last.Next()
		}
		if top.next.IsValid() && !top.last.Less(top.next) {
			yield(top.Prefix, top.next, top.last)
		}
	}
	for _, p := range sorted {
		if p == all {
			continue
		}
		for !stack[len(stack)-1].Contains(p.Addr()) {
			pop()
		}
		if top := &stack[len(stack)-1]; top.next.Less(p.Addr()) {
			yield(top.Prefix, top.next, p.Addr().Prev())
		}
		push(p)
	}
	for len(stack) > 0 {
		pop()
	}
}
