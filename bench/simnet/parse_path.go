package simnet

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/hopquote/hopquote/frame"
)

// maxChoices bounds the choices of a line and the replies of a choice.
const maxChoices = 256

// protocols are the words for IP protocols; "proto N" names any.
var protocols = map[string]int{"icmp": protoICMP, "tcp": protoTCP, "udp": protoUDP, "dccp": protoDCCP, "udplite": protoUDPLite}

// hop parses "hop TTLS [PROTOCOL [PORTS]] CHOICES".
func (p *parser) hop(c *cursor) error {
	w, ok := c.take()
	if !ok {
		return fmt.Errorf("TTL is missing: 3, 3-5 or 3-")
	}
	low, top, err := parseSpan(w, "TTL", 1, 255)
	if err != nil {
		return err
	}
	return p.rule(c, rule{low: int(low), top: int(top)})
}

// dest parses "dest [PROTOCOL [PORTS]] CHOICES".
func (p *parser) dest(c *cursor) error { return p.rule(c, rule{dest: true}) }

// rule parses the rest of a hop or dest line.
func (p *parser) rule(c *cursor, r rule) error {
	if err := r.matching(c); err != nil {
		return err
	}
	var from netip.Addr
	for {
		ch, err := p.choice(c, &from)
		if err != nil {
			return err
		}
		if r.choices = append(r.choices, ch); len(r.choices) > maxChoices {
			return fmt.Errorf("more than %d choices", maxChoices)
		}
		if !c.skip(",") {
			break
		}
		if c.skip("cycle") {
			r.cycle = true
			break
		}
	}
	if err := r.check(); err != nil {
		return err
	}
	for _, ch := range r.choices {
		for _, re := range ch {
			if re.from.IsValid() {
				p.known[re.from] = true
			}
		}
	}
	p.rules = append(p.rules, r)
	return nil
}

// matching parses which probes the rule is for.
func (r *rule) matching(c *cursor) error {
	r.protocol = anyProtocol
	if number, ok := protocols[c.peek()]; ok {
		c.take()
		r.protocol = number
	} else if c.skip("proto") {
		n, err := c.number("protocol", 0, 255)
		if err != nil {
			return err
		}
		r.protocol = int(n)
		return nil
	}
	switch w := c.peek(); {
	case c.skip("*"):
	case w != "" && strings.Trim(w[:1], "0123456789") == "":
		if r.protocol == anyProtocol || r.protocol == protoICMP {
			return fmt.Errorf("port %q: only after udp, tcp, udplite or dccp", w)
		}
		first, last, err := parseSpan(w, "port", 0, 65535)
		if err != nil {
			return err
		}
		c.take()
		r.hasPort, r.ports = true, [2]uint16{uint16(first), uint16(last)}
	}
	return nil
}

// choice parses "REPLY [+ REPLY]...". from is the address of the line's latest
// reply, which one without an address of its own shares.
func (p *parser) choice(c *cursor, from *netip.Addr) (choice, error) {
	var ch choice
	for {
		re, err := p.reply(c)
		if err != nil {
			return nil, err
		}
		if !re.from.IsValid() {
			re.from = *from
		}
		*from = re.from
		if ch = append(ch, re); len(ch) > maxChoices {
			return nil, fmt.Errorf("more than %d replies to one probe", maxChoices)
		}
		if !c.skip("+") {
			return ch, nil
		}
	}
}

// check finds what a whole rule contradicts itself in, and its family.
func (r *rule) check() error {
	for _, ch := range r.choices {
		for _, re := range ch {
			if err := r.checkReply(&re, len(ch)); err != nil {
				return err
			}
			if !re.from.IsValid() {
				continue
			}
			f := familyOf(re.from)
			if r.family != bothFamilies && r.family != f {
				return fmt.Errorf("from %s: IPv4 and IPv6 need a line each", re.from)
			}
			r.family = f
		}
	}
	return nil
}

func (r *rule) checkReply(re *reply, inChoice int) error {
	switch {
	case (re.kind == lost || re.kind == arrive) && inChoice > 1:
		return fmt.Errorf("%s: cannot be one of several replies", re.kind)
	case re.kind == arrive && r.dest:
		return fmt.Errorf("arrive: the probe is there already")
	case re.kind.isError() && !r.dest && !re.from.IsValid():
		return fmt.Errorf("%s: from and an address are missing", re.kind)
	case (re.kind == redirect || re.kind == quench) && re.from.Is6():
		return fmt.Errorf("%s: IPv4 only; IPv6 may have type T/C", re.kind)
	}
	return nil
}

// mtu parses "mtu HOP SIZE [silent] [says N] [MODIFIER]...".
func (p *parser) mtu(c *cursor) error {
	hop, err := c.number("hop", 0, 255)
	if err != nil {
		return err
	}
	size, err := c.number("MTU", frame.MinMTUv4, 65535)
	if err != nil {
		return err
	}
	if hop == 0 { // the probing host's own link, which its kernel minds
		p.MTU = int(size)
		return nil
	}
	m := mtuStep{hop: int(hop), size: int(size)}
	if c.skip("silent") {
		m.silent = true
	}
	re := p.base
	re.kind, re.rest = tooBig, uint32(size)
	if c.skip("says") {
		n, err := c.number("says", 0, 1<<32-1)
		if err != nil {
			return err
		}
		re.rest = uint32(n)
	}
	if err := p.modifiers(c, &re); err != nil {
		return err
	}
	if re.from.IsValid() {
		p.known[re.from] = true
	}
	m.reply[0], m.reply[1] = re, re
	p.mtus = append(p.mtus, m)
	return nil
}

// placeMTU finds where the hop's own replies come from in each family.
func (p *parser) placeMTU(m *mtuStep) error {
	given := m.reply[0].from
	found := false
	for i, f := range []family{onlyIPv4, onlyIPv6} {
		if given.IsValid() {
			if familyOf(given) != f {
				m.reply[i].from = netip.Addr{}
			}
			found = true
			continue
		}
		if from := p.hopAddress(m.hop, f); from.IsValid() {
			m.reply[i].from = from
			found = true
		}
	}
	if !found && !m.silent {
		return fmt.Errorf("mtu %d %d: no address in a hop %d line; say silent, or from and an address", m.hop, m.size, m.hop)
	}
	return nil
}

// hopAddress is an address that replies of a TTL come from.
func (s *Script) hopAddress(ttl int, f family) netip.Addr {
	var from netip.Addr
	for _, r := range s.rules {
		if r.dest || ttl < r.low || ttl > r.top || r.family != f {
			continue
		}
		for _, ch := range r.choices {
			if ch[0].from.IsValid() {
				from = ch[0].from
				break
			}
		}
	}
	return from
}
