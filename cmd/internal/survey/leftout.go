package survey

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// leftOut are targets that no probe can reach, for one reason.
type leftOut struct {
	Reason  string `json:"reason"`
	Targets uint64 `json:"targets"` // of all shards
	Example string `json:"example"`
}

func (l leftOut) String() string {
	if l.Targets == 1 {
		return fmt.Sprintf("target %s is left out: %s", l.Example, l.Reason)
	}
	return fmt.Sprintf("%d targets are left out, such as %s: %s", l.Targets, l.Example, l.Reason)
}

// leftOut lists who is left out, a reason each.
func (r *routes) leftOut() []leftOut {
	list := []leftOut{}
next:
	for _, g := range r.groups {
		if g.why == "" || g.targets == 0 {
			continue
		}
		for i := range list {
			if list[i].Reason == g.why {
				list[i].Targets += g.targets
				continue next
			}
		}
		list = append(list, leftOut{g.why, g.targets, g.example.String()})
	}
	return list
}

// unrouted tells of targets that are left out; nil where none are.
func (n *network) unrouted() func(netip.Addr) bool {
	if len(n.leftOut()) == 0 {
		return nil
	}
	return func(dst netip.Addr) bool { return !n.hops.Leads(dst) }
}

// nothingLeft is the error of a survey all of whose targets are left out.
func (r *routes) nothingLeft() error {
	var lines []string
	for _, l := range r.leftOut() {
		lines = append(lines, l.String())
	}
	return errors.New("no target can be reached: " + strings.Join(lines, "; "))
}
