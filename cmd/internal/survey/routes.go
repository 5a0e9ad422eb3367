package survey

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/frame/link"
	"github.com/hopquote/hopquote/scheduler/survey/space"
)

// routes are where the targets of a survey go first. All probes leave by one
// interface: the one that most targets are reached by.
type routes struct {
	groups    []*group
	index     int     // of the interface
	local     bool    // only this host itself is surveyed
	bySource  [2]bool // by family: rules or routes look at the source address
	envelopes [2]*link.Envelope
	solicits  bool // next hops must be asked for their link addresses
}

// group are targets that take the same first step.
type group struct {
	step     link.Step // of the example; NextHop is not valid on the link
	v6       bool
	hops     []link.EqualHop // gateways on the survey's interface that share the targets' flows, two or more, or none
	silent   []netip.Addr    // of hops: these do not answer
	device   string          // the interface's name
	why      string          // they are left out; empty: they are not
	targets  uint64
	example  netip.Addr // one of them
	prefixes []netip.Prefix
	ranges   [][2]netip.Addr // what of the prefixes has targets; on the link only
}

// takes tells whether a step is the one of the group.
func (g *group) takes(s link.Step, v6 bool) bool {
	if len(s.Equal) > 0 || len(g.step.Equal) > 0 {
		return g.v6 == v6 && slices.Equal(g.step.Equal, s.Equal)
	}
	return g.v6 == v6 && g.step.Way == s.Way && g.step.Interface == s.Interface && g.step.NextHop == s.NextHop && g.step.Err == s.Err
}

// want is what the probes of a family ask of the routing tables.
func (o *options) want(v6 bool) link.Want {
	w := link.Want{Src: o.source4, Interface: o.iface, TOS: o.tos, DstPort: o.port}
	if v6 {
		w.Src = o.source6
	}
	switch {
	case o.method == frame.UDP:
		w.Protocol = 17
	case o.method == frame.TCP:
		w.Protocol = 6
	case v6:
		w.Protocol = 58
	default:
		w.Protocol = 1
	}
	return w
}

// findRoutes asks the kernel for them. Nothing is sent for that.
func findRoutes(o *options, targets *space.Space) (*routes, error) {
	if o.iface != "" {
		if _, err := net.InterfaceByName(o.iface); err != nil {
			return nil, fmt.Errorf("--interface %s: there is none of that name", o.iface)
		}
	}
	r := &routes{}
	for _, v6 := range []bool{false, true} {
		if err := r.find(o, targets, v6, netip.Addr{}); err != nil {
			return nil, err
		}
	}
	if err := r.choose(); err != nil {
		return nil, o.checkSource(err)
	}
	for _, v6 := range []bool{false, true} {
		if err := r.envelope(o, targets, v6); err != nil {
			return nil, o.checkSource(err)
		}
	}
	for _, g := range r.groups {
		if e := r.envelopes[familyOf(g.v6)]; g.why == "" && g.step.MTU > 0 && g.step.MTU < e.MTU {
			e.MTU = g.step.MTU
		}
	}
	return r, nil
}

func familyOf(v6 bool) int {
	if v6 {
		return 1
	}
	return 0
}

// apart are, by family, what the kernel sends elsewhere than its routing tables
// say: to itself, to all and to groups.
var apart = [2][]netip.Prefix{
	{netip.MustParsePrefix("0.0.0.0/32"), netip.MustParsePrefix("224.0.0.0/4"), netip.MustParsePrefix("255.255.255.255/32")},
	{netip.MustParsePrefix("::/128"), netip.MustParsePrefix("ff00::/8")},
}

// find groups the targets of a family. Its source is not valid where the kernel
// chooses it.
func (r *routes) find(o *options, targets *space.Space, v6 bool, src netip.Addr) error {
	if _, any := targets.First(v6); !any {
		return nil
	}
	router, err := link.OpenRouter(o.want(v6))
	if err != nil {
		return err
	}
	defer router.Close()
	tables, err := router.Tables(v6)
	if err != nil {
		return err
	}
	r.bySource[familyOf(v6)] = tables.BySource
	prefixes := append(tables.Prefixes, apart[familyOf(v6)]...)
	slices.SortFunc(prefixes, netip.Prefix.Compare)
	prefixes = slices.Compact(prefixes)
	if !src.IsValid() {
		src = o.want(v6).Src
	}
	list := cut(v6, prefixes, targets)
	examples := make([]netip.Addr, len(list))
	for i, p := range list {
		examples[i] = p.example
	}
	steps, err := router.Steps(examples, src, tables.Equal)
	if err != nil {
		return err
	}
	for i, p := range list {
		r.group(steps[i], v6, p.example).take(p)
	}
	return nil
}

// group gives the one that takes a step, which may be a new one.
func (r *routes) group(s link.Step, v6 bool, example netip.Addr) *group {
	for _, g := range r.groups {
		if g.takes(s, v6) {
			if s.MTU > 0 && (g.step.MTU == 0 || s.MTU < g.step.MTU) {
				g.step.MTU = s.MTU
			}
			return g
		}
	}
	g := &group{step: s, v6: v6, example: example}
	g.name()
	r.groups = append(r.groups, g)
	return g
}

// refusal says in a word what the error of a route means.
func refusal(err error) string {
	switch {
	case errors.Is(err, syscall.EHOSTUNREACH):
		return "unreachable route"
	case errors.Is(err, syscall.EACCES):
		return "prohibited route"
	case errors.Is(err, syscall.EINVAL):
		return "blackhole route"
	}
	return "no route"
}

// choose finds the interface, and who is left out for it.
func (r *routes) choose() error {
	by := map[int]uint64{}
	r.index, r.local = 0, true
	for _, g := range r.groups {
		if g.step.Way != link.ByGateway && g.step.Way != link.OnLink {
			continue
		}
		for _, index := range g.interfaces() {
			by[index] += g.targets
			if r.local || by[index] > by[r.index] {
				r.index, r.local = index, false
			}
		}
	}
	any := false
	for _, g := range r.groups {
		g.settle(r.index)
		switch g.why = ""; {
		case g.step.Way == link.Refused:
			g.why = refusal(g.step.Err)
		case g.step.Way == link.ToGroup:
			g.why = "broadcast, multicast or anycast"
		case g.step.Way == link.ToSelf && !r.local:
			g.why = "this host itself"
		case g.step.Way == link.ToSelf:
			r.index = g.step.Interface
		case g.step.Interface != r.index:
			g.why = fmt.Sprintf("reached by %s, use -i %s", g.device, g.device)
		}
		any = any || g.why == ""
	}
	if !any {
		return r.nothingLeft()
	}
	return nil
}

// checkSource finds a source address that this host does not have: its kernel
// has no routes for it.
func (o *options) checkSource(why error) error {
	have, err := net.InterfaceAddrs()
	if err != nil {
		return why
	}
	for _, a := range []netip.Addr{o.source4, o.source6} {
		if a.IsValid() && !slices.ContainsFunc(have, func(of net.Addr) bool {
			n, ok := of.(*net.IPNet)
			return ok && n.IP.Equal(a.AsSlice())
		}) {
			return fmt.Errorf("--source %s: no interface of this host has that address: %w", a, why)
		}
	}
	return why
}

// envelope looks up what a family's probes need, if it has any that leave.
func (r *routes) envelope(o *options, targets *space.Space, v6 bool) error {
	most := r.most(v6)
	if most == nil {
		return nil
	}
	w := o.want(v6)
	w.Dst = most.example
	if w.Interface == "" && len(most.interfaces()) > 1 {
		w.Interface = most.device // the kernel would take any
	}
	e, err := link.Lookup(w)
	if err != nil {
		return fmt.Errorf("route to %s: %w", w.Dst, err)
	}
	r.envelopes[familyOf(v6)] = &e
	router, err := link.OpenRouter(w)
	if err != nil {
		return err
	}
	defer router.Close()
	if r.solicits, err = router.Solicits(r.index); err != nil {
		return err
	}
	if !r.bySource[familyOf(v6)] || v6 || w.Src.IsValid() || r.local {
		return nil
	}
	// Routes depend on the source address, which is known only now. connect(2)
	// asks once more too.
	r.groups = slices.DeleteFunc(r.groups, func(g *group) bool { return g.v6 == v6 })
	if err := r.find(o, targets, v6, e.Src); err != nil {
		return err
	}
	was := r.index
	if err := r.choose(); err != nil {
		return err
	}
	if again := r.most(v6); r.index != was || again == nil {
		return fmt.Errorf("targets such as %s would leave from %s by another interface: use -i and -s", w.Dst, e.Src)
	}
	return nil
}

// most is the largest group of a family that is not left out, nil for none.
func (r *routes) most(v6 bool) (most *group) {
	for _, g := range r.groups {
		if g.v6 == v6 && g.why == "" && (most == nil || g.targets > most.targets) {
			most = g
		}
	}
	return most
}
