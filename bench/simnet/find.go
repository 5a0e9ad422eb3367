package simnet

// matches tells whether the rule is for the packet, apart from its TTL.
func (r *rule) matches(p *ipPacket) bool {
	if !r.family.takes(p.v6) || r.protocol != anyProtocol && r.protocol != p.protocol {
		return false
	}
	if !r.hasPort {
		return true
	}
	_, dst, ok := p.ports()
	return ok && dst >= r.ports[0] && dst <= r.ports[1]
}

// weight tells how much the rule says about the probes it is for: of several
// rules the one with most counts, and of those the last.
func (r *rule) weight() int {
	switch {
	case r.hasPort:
		return 2
	case r.protocol != anyProtocol:
		return 1
	}
	return 0
}

// findHop gives the hop line for a packet with this TTL and its index, nil if
// there is none.
func (s *Script) findHop(p *ipPacket, ttl int) (*rule, int) {
	return s.find(func(r *rule) bool { return !r.dest && ttl >= r.low && ttl <= r.top && r.matches(p) })
}

// findDest gives the dest line for a packet and its index.
func (s *Script) findDest(p *ipPacket) (*rule, int) {
	return s.find(func(r *rule) bool { return r.dest && r.matches(p) })
}

func (s *Script) find(fits func(*rule) bool) (best *rule, at int) {
	for i := range s.rules {
		r := &s.rules[i]
		if fits(r) && (best == nil || r.weight() >= best.weight()) {
			best, at = r, i
		}
	}
	return best, at
}

// distance is the least TTL that takes the packet to its destination.
func (s *Script) distance(p *ipPacket) int {
	for ttl := 1; ttl < int(p.ttl); ttl++ {
		if rule, _ := s.findHop(p, ttl); rule == nil {
			return ttl
		}
	}
	return int(p.ttl)
}

// tooSmall gives the first link on the packet's way that it is too long for.
// A packet that ends at a hop does not cross that hop's link.
func (s *Script) tooSmall(p *ipPacket, endsAtHop bool) *mtuStep {
	if !p.df {
		return nil
	}
	last := int(p.ttl) - 1
	if !endsAtHop {
		last = s.distance(p) - 1
	}
	var first *mtuStep
	for i := range s.mtus {
		m := &s.mtus[i]
		if m.hop <= last && len(p.ip) > m.size && (first == nil || m.hop < first.hop) {
			first = m
		}
	}
	return first
}
