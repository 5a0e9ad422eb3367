package attribute

import "math/bits"

// What known programs look at, as far as it does not need their own probes:
// the fields that they carry their state in are compared with those of the
// probes that were seen.

func first28(f *fields) (uint64, bool) {
	if f.have&(hasWord|hasLength) != hasWord|hasLength {
		return 0, false
	}
	h, _ := (partDst | partSrc | partPorts | partLength).hash(f)
	return mix(h, uint64(f.word)<<32|uint64(f.id)), true
}

// tracerouteKey is what Linux traceroute's sockets tell apart. TCP sequence
// and identification are not looked at.
func tracerouteKey(f *fields) (uint64, bool) {
	if f.protocol == protoICMP {
		return (partDst | partPorts | partSequence).hash(f)
	}
	if f.have&hasPorts == 0 {
		return partDst.hash(f)
	}
	return (partDst | partSrc | partPorts).hash(f)
}

// hopquoteKey is frame.Key with what the match table verifies behind it.
func hopquoteKey(f *fields) (uint64, bool) {
	switch f.protocol {
	case protoICMP, protoTCP:
		return (partDst | partSrc | partPorts | partSequence).hash(f)
	case protoUDP, protoUDPLite, protoDCCP:
		return (partDst | partSrc | partPorts).hash(f)
	}
	return (partDst | partSrc | partID).hash(f)
}

// tieID is how hopquote chooses from probes that share a key.
func tieID(probe, reply *fields) bool { return reply.have&hasID != 0 && probe.id == reply.id }

// scamperKey: the probe's number stands in the sequence for ICMP, in the
// sequence or identification for TCP, and for UDP in the checksum, which is
// the identification too; in IPv6 in the checksum alone.
func scamperKey(f *fields) (uint64, bool) { return scamperNumber(f, scamperOf(f)) }

func scamperOf(f *fields) uint32 {
	switch {
	case f.protocol == protoICMP:
		return f.word
	case f.v6() && f.sum != 0:
		return uint32(f.sum)
	}
	return f.id
}

func scamperNumber(f *fields, number uint32) (uint64, bool) {
	h, ok := (partDst | partPorts).hash(f)
	return mix(h, uint64(number)), ok && number != 0
}

// scamperTries tries the identification as it came, one less, and in the other
// byte order; for UDP the checksum is believed if it is equal to it.
func scamperTries(f *fields, try int) (hash uint64, ok, more bool) {
	number := scamperOf(f)
	if f.protocol != protoICMP && !f.v6() {
		switch try {
		case 1:
			number = uint32(uint16(number - 1))
		case 2:
			number = uint32(bits.ReverseBytes16(uint16(number)))
		}
		more = try < 2 && f.id != 0
	}
	hash, ok = scamperNumber(f, number)
	return hash, ok && (f.id != 0 || f.v6() || f.protocol == protoICMP), more
}

// caracalKey: the length is the TTL; the identification, made of the probe's
// fields, is checked. IPv6 has no such check.
func caracalKey(f *fields) (uint64, bool) {
	if f.v6() {
		return (partDst | partPorts | partLength).hash(f)
	}
	return (partDst | partPorts | partLength | partID).hash(f)
}
