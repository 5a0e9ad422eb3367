package survey

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strings"

	"github.com/hopquote/hopquote/scheduler/survey/space"
)

// leftOut are targets that are not probed, for one reason.
type leftOut struct {
	Reason  string `json:"reason"`
	Targets uint64 `json:"targets"` // of all shards; math.MaxUint64: that many or more
	Example string `json:"example"` // an address, or a host name that stands for none
}

func (l leftOut) String() string {
	switch l.Targets {
	case 1:
		return fmt.Sprintf("target %s is left out: %s", l.Example, l.Reason)
	case math.MaxUint64:
		return fmt.Sprintf("2^64 targets or more are left out, such as %s: %s", l.Example, l.Reason)
	}
	return fmt.Sprintf("%d targets are left out, such as %s: %s", l.Targets, l.Example, l.Reason)
}

// leftOut lists who is left out, a reason each.
func (r *routes) leftOut() []leftOut {
	list := []leftOut{}
	for _, g := range r.groups {
		if g.why != "" && g.targets > 0 {
			list = add(list, leftOut{g.why, g.targets, g.example.String()})
		}
	}
	return list
}

// add adds to a list that has each reason once.
func add(list []leftOut, l leftOut) []leftOut {
	for i := range list {
		if list[i].Reason == l.Reason {
			list[i].Targets += l.Targets
			return list
		}
	}
	return append(list, l)
}

// unwanted lists who is left out by what was asked for.
func (r *run) unwanted() []leftOut {
	list := r.names.leftOut()
	for _, l := range []struct {
		why string
		space.LeftOut
	}{
		{"excluded by --exclude", r.targets.Excluded()},
		{"in a special-purpose range, which --allow-reserved lets in", r.targets.ExcludedSpecial()},
	} {
		if l.Targets > 0 {
			list = append(list, leftOut{l.why, l.Targets, l.Example.String()})
		}
	}
	return list
}

// leftOut lists all that a run leaves out.
func (r *run) leftOut() []leftOut { return append(r.unwanted(), r.net.leftOut()...) }

// unrouted tells of targets that are left out; nil where none are.
func (n *network) unrouted() func(netip.Addr) bool {
	if len(n.leftOut()) == 0 {
		return nil
	}
	return func(dst netip.Addr) bool { return !n.hops.Leads(dst) }
}

// nothingLeft is the error of a survey all of whose targets are left out.
func (r *routes) nothingLeft() error {
	return noneOf("no target can be reached", r.leftOut())
}

// noneOf is an error that says why there are none.
func noneOf(what string, list []leftOut) error {
	var lines []string
	for _, l := range list {
		lines = append(lines, l.String())
	}
	return errors.New(what + ": " + strings.Join(lines, "; "))
}
