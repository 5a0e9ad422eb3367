package frame

// Key is the identity of a probe: the bits that a quote or an answer brings
// back and by which the match table finds the probe. Two probes may share a
// Key; the table then tells them apart by the fields it verifies.
//
// It holds protocol, source port and destination port (UDP, TCP) or protocol,
// echo identifier and echo sequence (ICMP); never addresses, which are
// verified after the look-up.
type Key uint64

func makeKey(m Method, src, dst uint16) Key {
	return Key(m)<<32 | Key(src)<<16 | Key(dst)
}

// Key gives the probe's identity.
func (p *Probe) Key() Key {
	if p.Method == ICMP {
		return makeKey(ICMP, p.SrcPort, uint16(p.Seq))
	}
	return makeKey(p.Method, p.SrcPort, p.DstPort)
}

// Key gives the identity that the reply claims to answer, and whether it
// carries one: an error needs 8 quoted transport bytes.
func (r *Reply) Key() (Key, bool) {
	switch r.Kind {
	case KindUDP:
		return makeKey(UDP, r.DstPort, r.SrcPort), true
	case KindTCP:
		return makeKey(TCP, r.DstPort, r.SrcPort), true
	case KindEchoReply:
		return makeKey(ICMP, r.SrcPort, uint16(r.Seq)), true
	}
	q := &r.Quote
	if !r.Kind.IsError() || q.Malformed || q.Fragment || q.Method == 0 || q.Transport < 8 {
		return 0, false
	}
	if q.Method == ICMP {
		return makeKey(ICMP, q.SrcPort, uint16(q.Seq)), true
	}
	return makeKey(q.Method, q.SrcPort, q.DstPort), true
}
