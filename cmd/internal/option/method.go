package option

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/hopquote/hopquote/frame"
)

// method is one way to probe, with the keywords that -O knows for it.
type method struct {
	name      string
	exclusive bool // only one of its keywords may be given, once
	keywords  []keyword
}

// keyword is one option of a method.
type keyword struct {
	name   string
	abbrev bool   // may be cut to two letters or more
	value  string // name of the value; empty for a flag
	help   string
	// set takes the value, empty for a flag, and tells whether it is usable.
	set func(p *parser, value string) bool
}

// methods gives all methods. Those without keywords ignore -O.
func methods() []method {
	return []method{
		{name: "default"},
		{name: "udp"},
		{name: "udplite", keywords: []keyword{
			{name: "coverage", abbrev: true, value: "NUM", help: "How many bytes the checksum covers, at least and unless given 8",
				set: func(p *parser, value string) bool {
					v, ok := wholeUint(value)
					p.opts.Coverage = uint16(min(v, math.MaxUint16))
					return ok
				}},
		}},
		{name: "icmp", exclusive: true, keywords: []keyword{
			{name: "raw", help: "Accepted for compatibility; probes leave by a packet socket either way",
				set: ignore},
			{name: "dgram", help: "The same",
				set: ignore},
		}},
		{name: "tcp", keywords: tcpKeywords()},
		{name: "dccp", keywords: []keyword{
			{name: "service", abbrev: true, value: "NUM", help: "Service code, 1885957735 unless given",
				set: func(p *parser, value string) bool {
					v, ok := wholeUint(value)
					p.opts.Service, p.opts.ServiceGiven = v, true
					return ok
				}},
		}},
		{name: "raw", keywords: []keyword{
			{name: "protocol", abbrev: true, value: "PROT", help: "IP protocol by number or name, 253 unless given",
				set: func(p *parser, value string) bool {
					v, ok := leadingUint(value)
					if !ok {
						v, ok = p.names.protocol(value)
					}
					p.protocol = v
					return ok
				}},
		}},
		{name: "tcpconn"},
	}
}

func tcpKeywords() []keyword {
	var all []keyword
	for i, name := range []string{"syn", "ack", "fin", "rst", "psh", "urg", "ece", "cwr"} {
		bit := []uint8{frame.FlagSYN, frame.FlagACK, frame.FlagFIN, frame.FlagRST,
			frame.FlagPSH, frame.FlagURG, frame.FlagECE, frame.FlagCWR}[i]
		text := "Add the flag " + strings.ToUpper(name)
		if bit == frame.FlagSYN {
			text += ", the only one unless flags are given"
		}
		all = append(all, keyword{name: name, help: text, set: func(p *parser, _ string) bool {
			p.opts.TCP.Flags |= bit
			p.opts.TCP.FlagsGiven = true
			return true
		}})
	}
	return append(all,
		keyword{name: "flags", abbrev: true, value: "NUM", help: "Flags as a number, in place of those given before",
			set: func(p *parser, value string) bool {
				v, ok := leadingUint(value)
				p.opts.TCP.Flags, p.opts.TCP.FlagsGiven = uint8(v), true
				return ok
			}},
		keyword{name: "ecn", help: "Ask for ECN (RFC 3168): SYN with ECE and CWR, unless flags are given",
			set: tcpSwitch(func(t *TCPOptions) *bool { return &t.ECN })},
		keyword{name: "sack", help: "Send the option SACK permitted",
			set: tcpSwitch(func(t *TCPOptions) *bool { return &t.SACK })},
		keyword{name: "timestamps", abbrev: true, help: "Send the timestamps option",
			set: tcpSwitch(func(t *TCPOptions) *bool { return &t.Timestamps })},
		keyword{name: "window_scaling", abbrev: true, help: "Send the window scale option",
			set: tcpSwitch(func(t *TCPOptions) *bool { return &t.WindowScaling })},
		keyword{name: "sysctl", help: "Take these four from net.ipv4.tcp_* of the kernel, as is done when no flag " +
			"and none of the four is given",
			set: tcpSwitch(func(t *TCPOptions) *bool { return &t.Sysctl })},
		keyword{name: "reuse", help: "Accepted for compatibility; each probe has a source port of its own",
			set: tcpSwitch(func(t *TCPOptions) *bool { return &t.Reuse })},
		keyword{name: "mss", value: "NUM", help: "Value of the MSS option that goes with SYN, from the route's MTU unless given",
			set: func(p *parser, value string) bool {
				v, ok := wholeUint(value)
				p.opts.TCP.MSS, p.opts.TCP.MSSGiven = uint16(v), v != 0
				return ok
			}},
		keyword{name: "info", help: "Print the flags of the answer that ends the trace",
			set: tcpSwitch(func(t *TCPOptions) *bool { return &t.Info })},
	)
}

func tcpSwitch(field func(*TCPOptions) *bool) func(*parser, string) bool {
	return func(p *parser, _ string) bool {
		*field(&p.opts.TCP) = true
		return true
	}
}

func ignore(*parser, string) bool { return true }

// findMethod gives the method of a name in any case, or nil.
func findMethod(name string) *method {
	all := methods()
	i := slices.IndexFunc(all, func(m method) bool { return strings.EqualFold(m.name, name) })
	if i < 0 {
		return nil
	}
	return &all[i]
}

// checkItems applies the items of -O to the method. Messages count the items
// from 1.
func (p *parser) checkItems() error {
	m := findMethod(p.method)
	if len(m.keywords) == 0 {
		return nil
	}
	for i, item := range p.items {
		argc := i + 1
		if len(item) > 1 && item[0] == '-' && item[1] != '-' {
			return usage(fmt.Sprintf("Bad option `%s' (argc %d)", item[:2], argc))
		}
		name, value, joined := strings.Cut(item, "=")
		k := m.find(name)
		switch {
		case k == nil || joined && k.value == "":
			return usage(fmt.Sprintf("`%s' (argc %d): arguments are not allowed", item, argc))
		case k.value != "" && !joined:
			return usage(fmt.Sprintf("Keyword `%s' (argc %d) requires an argument: `%s=%s'", k.name, argc, k.name, k.value))
		case m.exclusive && i > 0:
			return usage(fmt.Sprintf("Keyword `%s' (argc %d): Only one of:\n    %s\nmay be specified.", k.name, argc, m.choices()))
		case !k.set(p, value):
			return usage(fmt.Sprintf("Cannot handle `%s' keyword with arg `%s' (argc %d)", k.name, value, argc))
		}
	}
	return nil
}

func (m *method) find(name string) *keyword {
	for i := range m.keywords {
		k := &m.keywords[i]
		if k.name == name || k.abbrev && len(name) >= 2 && strings.HasPrefix(k.name, name) {
			return k
		}
	}
	return nil
}

// choices lists the keywords of an exclusive method.
func (m *method) choices() string {
	names := make([]string, len(m.keywords))
	for i, k := range m.keywords {
		names[i] = k.name
	}
	return strings.Join(names, " | ")
}
