package option

import (
	"fmt"
	"math"
	"net/netip"
	"strings"

	"github.com/hopquote/hopquote/frame"
)

const (
	maxHops        = 255
	maxQueries     = 10
	sendWaitMillis = 10        // from here on -z counts milliseconds
	flowLabelMask  = 1<<20 - 1 // RFC 8200 section 3
)

// takePositionals reads host and packetlen.
func (p *parser) takePositionals() error {
	words := p.positionals
	switch {
	case len(words) == 0:
		return usage(`Specify "host" missing argument.`)
	case len(words) > 2:
		return usage(fmt.Sprintf("Extra arg `%s' (position 3, argc %d)", words[2].text, words[2].argc))
	}
	addr, before, ok := p.resolve(words[0].text, p.family)
	if !ok {
		return badPositional(before, "host", words[0], 1)
	}
	p.opts.Host, p.opts.Addr = words[0].text, addr
	p.family = familyOf(addr)
	if len(words) == 1 {
		return nil
	}
	if p.packetLen, ok = wholeInt(words[1].text); !ok {
		return badPositional("", "packetlen", words[1], 2)
	}
	return nil
}

func badPositional(before, name string, w word, position int) error {
	return usage(fmt.Sprintf("%sCannot handle %q cmdline arg `%s' on position %d (argc %d)", before, name, w.text, position, w.argc))
}

// check tests the values that need each other, in the reference's order.
func (p *parser) check() error {
	switch {
	case findMethod(p.method) == nil:
		return usage("Unknown traceroute module " + p.method)
	case p.first == 0 || p.first > p.max:
		return usage("first hop out of range")
	case p.max > maxHops:
		return usage(fmt.Sprintf("max hops cannot be more than %d", maxHops))
	case p.queries == 0 || p.queries > maxQueries:
		return usage(fmt.Sprintf("no more than %d probes per hop", maxQueries))
	case p.wait[0] < 0 || p.wait[1] < 0 || p.wait[2] < 0:
		return usage(fmt.Sprintf("bad wait specifications `%s,%s,%s' used", formatG(p.wait[0]), formatG(p.wait[1]), formatG(p.wait[2])))
	case p.packetLen > maxPacketLen:
		return usage(fmt.Sprintf("too big packetlen %d specified", p.packetLen))
	case p.opts.SourceAddr.IsValid() && familyOf(p.opts.SourceAddr) != p.family:
		return usage("IP version mismatch in addresses specified")
	case p.sendWait < 0:
		return usage(fmt.Sprintf("bad sendtime `%s' specified", formatG(p.sendWait)))
	}
	return nil
}

// resolveGateways finds the addresses of the gateways, hosts of the right
// family. Of several for IPv6 the first may be a number instead, the type of
// the routing header.
func (p *parser) resolveGateways() error {
	gateways, typ := p.gateways, anyType
	if p.family == 4 && len(gateways) > frame.MaxGateways4 {
		return usage(fmt.Sprintf("Too many gateways specified. No more than %d", frame.MaxGateways4))
	}
	if p.family == 6 && len(gateways) > 1 {
		if v, whole := wholeUint(gateways[0]); whole || gateways[0] == "" {
			gateways, typ = gateways[1:], int64(v)
		}
	}
	var addrs []netip.Addr
	for _, g := range gateways {
		addr, before, ok := p.resolve(g, p.family)
		if !ok {
			return usage(before)
		}
		addrs = append(addrs, addr)
	}
	return p.route(addrs, typ)
}

// anyType stands for a routing header's type that is not given.
const anyType int64 = -1

// route makes the source route over the gateways.
func (p *parser) route(gateways []netip.Addr, typ int64) error {
	if len(gateways) == 0 {
		return nil
	}
	kind := frame.LSRR
	switch {
	case p.family == 4:
	case typ == 0, typ == anyType && len(gateways) > 1:
		kind = frame.Routing0
	case typ == 2, typ == anyType:
		kind = frame.Routing2
	case typ == 4:
		kind = frame.Routing4
	default:
		return usage(fmt.Sprintf("hopquote: routing header type %d: known are 0, 2 and 4", typ))
	}
	bare := make([]netip.Addr, len(gateways))
	for i, g := range gateways {
		bare[i] = g.WithZone("")
	}
	var err error
	if p.opts.Route, err = frame.NewRoute(kind, bare); err != nil {
		return usage(fmt.Sprintf("hopquote: %d gateways: a routing header of type 2 has one", len(gateways)))
	}
	p.opts.Gateway = gateways[0]
	return nil
}

// checkTogether refuses what can't be done together.
func (p *parser) checkTogether() error {
	method := findMethod(p.method).name
	switch {
	case p.opts.PathMTU == MTUProbe && !hasPayload(method):
		return usage("hopquote: --mtu=probe needs probes of any size: not TCP or DCCP")
	case method == "tcpconn" && !p.opts.Route.IsZero():
		return usage("hopquote: the kernel's connections can't be routed over gateways: -M tcpconn goes without -g")
	}
	return nil
}

// finish turns what was read into Options. NaN, which the checks let pass,
// becomes what it amounts to.
func (p *parser) finish() *Options {
	o := p.opts
	o.Family = p.family
	o.PacketLen = int(max(p.packetLen, -1))
	o.First, o.Max, o.Queries = int(p.first), int(p.max), int(p.queries)
	o.Sim = int(max(p.sim, 1))
	o.Method = findMethod(p.method).name
	o.Port, o.PortGiven = uint16(p.port), p.port != 0
	o.Mark = p.mark
	o.Protocol = p.protocol
	if o.Method == "raw" && o.Port != 0 {
		o.Protocol = uint32(o.Port)
	}
	o.TOS = int(int32(p.tos))
	o.FlowLabel, o.FlowLabelGiven = p.label&flowLabelMask, p.label != 0
	o.Wait = Wait{p.wait[0], notNaN(p.wait[1], 0), notNaN(p.wait[2], 0)}
	o.Wait.Max = notNaN(o.Wait.Max, math.Inf(1))
	o.SendWait = notNaN(p.sendWait, 0)
	if o.SendWait >= sendWaitMillis {
		o.SendWait /= 1000
	}
	o.SourcePort, o.SourcePortGiven = uint16(p.sourcePort), p.sourcePort != 0
	o.DontFragment = o.DontFragment || o.PathMTU != ""
	if p.asPath && o.ASSource == "" {
		o.ASSource = "whois"
	}
	if o.PathMTU == MTUTold {
		o.Sim = 1
	}
	if o.Method == "raw" && o.Family == 6 && o.FlowLabelGiven {
		o.Sim = 1 // the label is all that could tell them apart
	}
	if o.SourcePortGiven {
		o.Sim, o.Wait.Here, o.Wait.Near = 1, 0, 0
	}
	return o
}

func notNaN(v, instead float64) float64 {
	if math.IsNaN(v) {
		return instead
	}
	return v
}

// resolve finds the one address of a name: the first of the family, without a
// family the first IPv4 address if there is one. Without success before is the
// line that explains it, empty if the address is of the other family.
func (p *parser) resolve(name string, family int) (addr netip.Addr, before string, ok bool) {
	addrs, err := p.hosts.Lookup(p.ctx, name, family)
	if err == nil && len(addrs) == 0 {
		err = errNoAddress
	}
	if err != nil {
		text := strings.ReplaceAll(err.Error(), "\n", " ")
		return netip.Addr{}, name + ": " + text + "\n", false
	}
	addr = addrs[0].Unmap()
	for i := 1; i < len(addrs) && family == 0 && !addr.Is4(); i++ {
		if a := addrs[i].Unmap(); a.Is4() {
			addr = a
		}
	}
	if !addr.IsValid() || family != 0 && familyOf(addr) != family {
		return netip.Addr{}, "", false
	}
	return addr, "", true
}

func familyOf(a netip.Addr) int {
	if a.Is4() {
		return 4
	}
	return 6
}
