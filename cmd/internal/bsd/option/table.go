package option

import (
	"time"
)

// spec is one option: a letter and, where it takes one, the name of its value.
type spec struct {
	letter byte
	value  string // empty for a flag
	set    func(p *parser, value string) error
}

// table gives all options in the order of the usage text.
func table() []spec {
	return []spec{
		{'a', "", flag(func(o *Options) { o.ASN = true })},
		{'d', "", flag(func(*Options) {})}, // socket debugging shows nothing
		{'D', "", flag(func(o *Options) { o.Diff = true })},
		{'e', "", flag(func(o *Options) { o.FixedPort = true })},
		{'F', "", flag(func(o *Options) { o.DontFragment = true })},
		{'I', "", flag(func(o *Options) { o.Protocol = protocols["icmp"] })},
		{'n', "", flag(func(o *Options) { o.Numeric = true })},
		{'r', "", flag(func(o *Options) { o.DontRoute = true })},
		{'S', "", flag(func(o *Options) { o.Summary = true })},
		{'v', "", flag(func(o *Options) { o.Verbose++ })},
		{'x', "", flag(func(o *Options) { o.NoChecksum = !o.NoChecksum })},
		{'A', "as_server", func(p *parser, v string) error { p.opts.ASN, p.opts.ASServer = true, v; return nil }},
		{'f', "first_ttl", integer("first ttl", 1, 255, setFirst)},
		{'g', "gateway", (*parser).addGateway},
		{'i', "interface", func(p *parser, v string) error { p.opts.Interface = v; return nil }},
		{'M', "first_ttl", integer("first ttl", 1, 255, setFirst)},
		{'m', "max_ttl", integer("max ttl", 1, 255, func(p *parser, v int64) { p.opts.Last = int(v) })},
		{'P', "protocol", func(p *parser, v string) (err error) { p.opts.Protocol, err = protocol(v); return err }},
		{'p', "port", integer("port", 1, 65535, func(p *parser, v int64) { p.port = uint16(v) })},
		{'q', "queries", integer("nprobes", 1, noLimit, func(p *parser, v int64) { p.opts.Queries = int(v) })},
		{'s', "source", func(p *parser, v string) error { p.source = v; return nil }},
		{'t', "tos", integer("tos", 0, 255, func(p *parser, v int64) { p.opts.TOS = uint8(v) })},
		{'w', "seconds", integer("wait time", 1, maxWait, func(p *parser, v int64) {
			p.opts.Wait = time.Duration(v) * time.Second
		})},
		{'z', "milliseconds", integer("pause msecs", 0, maxPause, func(p *parser, v int64) {
			p.opts.Pause = time.Duration(v) * time.Millisecond
		})},
	}
}

func setFirst(p *parser, v int64) { p.opts.First = int(v) }

func flag(set func(*Options)) func(*parser, string) error {
	return func(p *parser, _ string) error { set(&p.opts); return nil }
}

func integer(what string, least, most int64, set func(*parser, int64)) func(*parser, string) error {
	return func(p *parser, s string) error {
		v, err := number(s, what, least, most)
		if err == nil {
			set(p, v)
		}
		return err
	}
}

func (p *parser) addGateway(v string) error {
	if len(p.opts.Gateways) == MaxGateways {
		return refuse("No more than %d gateways", MaxGateways)
	}
	h, err := p.find(v, false)
	if err == nil {
		p.opts.Gateways = append(p.opts.Gateways, h.addr)
	}
	return err
}
