package survey

import (
	"net/netip"

	"github.com/hopquote/hopquote/scheduler/survey/space"
)

// pieces cuts all addresses of a family up by sorted prefixes: it gives ranges,
// in order, with the longest prefix that each lies in. Where none does that is
// the prefix of all addresses.
func pieces(v6 bool, sorted []netip.Prefix, yield func(p netip.Prefix, first, last netip.Addr) error) error {
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
	pop := func() error {
		top := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if len(stack) > 0 {
			stack[len(stack)-1].next = top.last.Next()
		}
		if !top.next.IsValid() || top.last.Less(top.next) {
			return nil
		}
		return yield(top.Prefix, top.next, top.last)
	}
	for _, p := range sorted {
		if p == all {
			continue
		}
		for !stack[len(stack)-1].Contains(p.Addr()) {
			if err := pop(); err != nil {
				return err
			}
		}
		if top := &stack[len(stack)-1]; top.next.Less(p.Addr()) {
			if err := yield(top.Prefix, top.next, p.Addr().Prev()); err != nil {
				return err
			}
		}
		push(p)
	}
	for len(stack) > 0 {
		if err := pop(); err != nil {
			return err
		}
	}
	return nil
}
