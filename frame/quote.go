package frame

import "encoding/binary"

// decodeQuote takes the original datagram field b of an ICMP error apart. The
// version nibble of the quote decides its family, so what a translator (NAT64)
// brings back untranslated is read as what it is; q.Src and q.Dst tell.
//
// q.Bytes counts from the start of the quoted IP header to the end of b, but
// padding is not quote: what lies beyond the quoted packet's own length does
// not count if all of it is zero. Bytes that are not zero count whatever that
// length says, since some hosts quote it in their own byte order or without
// the header.
//
// Of a quote shorter than its fixed IP header nothing but Bytes and, for an
// impossible version or header length, Malformed is set. A malformed one has the fields of the fixed header as they stand. Where no
// transport header can be read (malformed, later fragment, cut extension
// header) q.Transport is 0.
func decodeQuote(b []byte, q *Quote) {
	q.Bytes = len(b)
	if len(b) == 0 {
		return
	}
	if version := b[0] >> 4; version != 4 {
		if version == 6 {
			decodeQuoteIPv6(b, q)
		} else {
			q.Malformed = true
		}
		return
	}
	header := int(b[0]&0x0f) * 4
	if len(b) < ipv4HeaderLen {
		q.Malformed = header < ipv4HeaderLen
		return
	}
	q.Protocol = b[ipv4ProtocolAt]
	q.Src = addr4(b[ipv4SrcAt:])
	q.Dst = addr4(b[ipv4DstAt:])
	q.TTL = b[ipv4TTLAt]
	q.TOS = b[ipv4TOSAt]
	q.ID = binary.BigEndian.Uint16(b[ipv4IDAt:])
	q.Length = int(binary.BigEndian.Uint16(b[ipv4LengthAt:]))
	fragment := binary.BigEndian.Uint16(b[ipv4FragmentAt:])
	q.DF = fragment&ipv4DontFragment != 0
	if header < ipv4HeaderLen || header > len(b) {
		q.Malformed = true
		return
	}
	b = b[:quotedBytes(b, header, q.Length)]
	q.Bytes = len(b)
	if fragment&ipv4OffsetMask != 0 {
		q.Fragment = true
		return
	}
	decodeQuoteTransport(b[header:], false, q)
}

// DecodeQuote takes a quoted packet apart as Decode does, from its IP header on.
// It is for what is found inside a quote.
func DecodeQuote(b []byte, q *Quote) {
	*q = Quote{}
	decodeQuote(b, q)
}

func decodeQuoteIPv6(b []byte, q *Quote) {
	if len(b) < ipv6HeaderLen {
		return
	}
	q.Protocol = b[ipv6NextHeaderAt]
	q.Src = addr6(b[ipv6SrcAt:])
	q.Dst = addr6(b[ipv6DstAt:])
	q.TTL = b[ipv6HopLimitAt]
	q.TOS = ipv6TrafficClass(b)
	q.Label = binary.BigEndian.Uint32(b) & maxLabel
	q.Length = ipv6HeaderLen + int(binary.BigEndian.Uint16(b[ipv6LengthAt:]))
	b = b[:quotedBytes(b, ipv6HeaderLen, q.Length)]
	q.Bytes = len(b)

	c := ipv6Chain{protocol: q.Protocol}
	if isExtHeader(c.protocol) {
		c = walkExtHeaders(c.protocol, b[ipv6HeaderLen:])
		q.Protocol = c.protocol
	}
	switch {
	case c.flags&chainLong != 0:
		q.Malformed = true
	case c.flags&chainLater != 0:
		q.Fragment = true
	case c.flags&chainShort == 0:
		decodeQuoteTransport(b[ipv6HeaderLen+c.offset:], true, q)
	}
}

// quotedBytes gives how much of the original datagram field b is quote. length
// is the quoted packet's own whole length, at least header if it is plausible.
func quotedBytes(b []byte, header, length int) int {
	if length < header || length >= len(b) || !allZero(b[length:]) {
		return len(b)
	}
	return length
}

func allZero(b []byte) bool {
	for len(b) >= 8 {
		if binary.LittleEndian.Uint64(b) != 0 {
			return false
		}
		b = b[8:]
	}
	for _, v := range b {
		if v != 0 {
			return false
		}
	}
	return true
}

// decodeQuoteTransport reads the transport header as far as b goes.
func decodeQuoteTransport(b []byte, v6 bool, q *Quote) {
	q.Transport = len(b)
	switch q.Protocol {
	case protoUDP:
		q.Method = UDP
	case protoTCP:
		q.Method = TCP
	case protoUDPLite:
		q.Method = UDPLite
	case protoDCCP:
		q.Method = DCCP
	case protocolOf(ICMP, v6):
		// Only an echo request can be a probe of ours.
		if len(b) > icmpTypeAt && b[icmpTypeAt] == echoRequestType(v6) {
			q.Method = ICMP
			decodeQuoteEcho(b, q)
		}
		return
	default:
		return
	}
	if len(b) < 4 {
		return
	}
	q.SrcPort = binary.BigEndian.Uint16(b[portSrcAt:])
	q.DstPort = binary.BigEndian.Uint16(b[portDstAt:])
	if len(b) < 8 {
		return
	}
	switch q.Method {
	case TCP:
		q.Seq = binary.BigEndian.Uint32(b[tcpSeqAt:])
		if len(b) >= tcpChecksumAt+2 {
			q.Checksum = binary.BigEndian.Uint16(b[tcpChecksumAt:])
		}
	case DCCP:
		q.Checksum = binary.BigEndian.Uint16(b[dccpChecksumAt:])
		if len(b) >= dccpSeqLowAt+4 {
			q.Seq = binary.BigEndian.Uint32(b[dccpSeqLowAt:])
		}
	default:
		q.Checksum = binary.BigEndian.Uint16(b[udpChecksumAt:])
		q.Mark, q.Marked = readMark(b, udpPattern)
	}
}

func decodeQuoteEcho(b []byte, q *Quote) {
	if len(b) >= icmpChecksumAt+2 {
		q.Checksum = binary.BigEndian.Uint16(b[icmpChecksumAt:])
	}
	if len(b) >= icmpIDAt+2 {
		q.SrcPort = binary.BigEndian.Uint16(b[icmpIDAt:])
	}
	if len(b) >= icmpSeqAt+2 {
		q.Seq = uint32(binary.BigEndian.Uint16(b[icmpSeqAt:]))
		q.Mark, q.Marked = readMark(b, icmpPattern)
	}
}
