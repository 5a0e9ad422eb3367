package frame

// Key is the identity of a probe: the bits that a quote or an answer brings
// back and by which the match table finds the probe. Two probes may share a
// Key; the table then tells them apart by the fields it verifies.
//
// It holds the method and source and destination port, or echo identifier and
// sequence (ICMP), or protocol and IPv4 identification or IPv6 flow label (Raw);
// never addresses, which are verified after the look-up. IdentityFields has the
// whole table.
type Key uint64

func makeKey(m Method, src, dst uint16) Key {
	return Key(m)<<32 | Key(src)<<16 | Key(dst)
}

// rawKey holds id, an identification or flow label, below the protocol.
func rawKey(protocol uint8, id uint32) Key {
	return Key(Raw)<<32 | Key(protocol)<<20 | Key(id&maxLabel)
}

// Key gives the probe's identity.
func (p *Probe) Key() Key {
	switch {
	case p.Method == ICMP:
		return makeKey(ICMP, p.SrcPort, uint16(p.Seq))
	case p.Method == Raw && p.IsIPv6():
		return rawKey(p.Protocol, p.Label)
	case p.Method == Raw:
		return rawKey(p.Protocol, uint32(p.ID))
	}
	return makeKey(p.Method, p.SrcPort, p.DstPort)
}

// Key gives the identity that the reply claims to answer, and whether it
// carries one: an error needs 8 quoted transport bytes. It knows no Raw probes,
// whose protocol may be any: RawKey is for them.
func (r *Reply) Key() (Key, bool) {
	switch r.Kind {
	case KindUDP:
		return makeKey(UDP, r.DstPort, r.SrcPort), true
	case KindTCP:
		return makeKey(TCP, r.DstPort, r.SrcPort), true
	case KindUDPLite:
		return makeKey(UDPLite, r.DstPort, r.SrcPort), true
	case KindDCCP:
		return makeKey(DCCP, r.DstPort, r.SrcPort), true
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

// RawKey gives the identity of the Raw probe that the reply claims to answer,
// and whether it carries one: only an error does, which needs 8 quoted bytes
// behind the IP header, or all there were. A direct answer brings nothing back
// that tells Raw probes apart.
func (r *Reply) RawKey() (Key, bool) {
	q := &r.Quote
	switch {
	case !r.Kind.IsError() || !q.Src.IsValid() || q.Malformed || q.Fragment:
		return 0, false
	case q.Transport < 8 && q.Bytes < q.Length:
		return 0, false
	case q.Src.Is6():
		return rawKey(q.Protocol, q.Label), true
	}
	return rawKey(q.Protocol, uint32(q.ID)), true
}
