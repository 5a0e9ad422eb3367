package frame

import "encoding/binary"

// UDP header, RFC 768: offsets in bytes. TCP has its ports in the same place.
const (
	portSrcAt     = 0
	portDstAt     = 2
	udpLengthAt   = 4
	udpChecksumAt = 6
)

// TCP header, RFC 9293 section 3.1: offsets in bytes.
const (
	tcpSeqAt      = 4
	tcpAckAt      = 8
	tcpOffsetAt   = 12 // header length in words of 4 bytes, in the upper four bits
	tcpFlagsAt    = 13
	tcpChecksumAt = 16
)

// decodeTransport takes a direct answer of r.Protocol apart, which is not the
// ICMP of its family.
func decodeTransport(s *segment, r *Reply) {
	switch r.Protocol {
	case protoUDP:
		decodeUDP(s, r)
	case protoTCP:
		decodeTCP(s, r)
	case protoUDPLite:
		decodeUDPLite(s, r)
	case protoDCCP:
		decodeDCCP(s, r)
	default:
		r.Kind = KindRaw
	}
}

// verify checks the checksum inside data, which covers the pseudo header of
// addrs too (RFC 9293 section 3.1, RFC 8200 section 8.1).
func verify(addrs, data []byte, protocol uint8) Checksum {
	return verdict(Sum(data, Sum(addrs, uint32(protocol)+uint32(len(data)))))
}

// verdict judges the sum of a message that carries its checksum.
func verdict(sum uint32) Checksum {
	if Fold(sum) == 0xffff {
		return ChecksumGood
	}
	return ChecksumBad
}

func decodeUDP(s *segment, r *Reply) {
	b := s.data
	if len(b) < udpHeaderLen {
		r.Kind = KindTruncated
		return
	}
	length := int(binary.BigEndian.Uint16(b[udpLengthAt:]))
	if length < udpHeaderLen || length > s.length && !s.first {
		r.Kind = KindMalformed
		return
	}
	r.Kind = KindUDP
	r.SrcPort = binary.BigEndian.Uint16(b[portSrcAt:])
	r.DstPort = binary.BigEndian.Uint16(b[portDstAt:])
	if !s.whole {
		return
	}
	if b[udpChecksumAt] == 0 && b[udpChecksumAt+1] == 0 {
		// No checksum was sent. IPv4 allows that, RFC 8200 section 8.1 does not.
		if len(s.addrs) != 2*4 {
			r.Checksum = ChecksumBad
		}
		return
	}
	r.Checksum = verify(s.addrs, b[:length], protoUDP)
}

func decodeTCP(s *segment, r *Reply) {
	b := s.data
	if len(b) < tcpHeaderLen {
		r.Kind = KindTruncated
		return
	}
	header := int(b[tcpOffsetAt]>>4) * 4
	if header < tcpHeaderLen || header > s.length && !s.first {
		r.Kind = KindMalformed
		return
	}
	r.Kind = KindTCP
	r.SrcPort = binary.BigEndian.Uint16(b[portSrcAt:])
	r.DstPort = binary.BigEndian.Uint16(b[portDstAt:])
	r.Seq = binary.BigEndian.Uint32(b[tcpSeqAt:])
	r.Ack = binary.BigEndian.Uint32(b[tcpAckAt:])
	r.Flags = b[tcpFlagsAt]
	if s.whole {
		r.Checksum = verify(s.addrs, b, protoTCP)
	}
}
