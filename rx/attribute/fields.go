package attribute

import (
	"net/netip"

	"encoding/binary"

	"github.com/hopquote/hopquote/rx/anomaly"
)

// ICMP types of queries and their answers, RFC 792; ICMPv6's echo types are
// brought to these.
const (
	icmpEchoReply   = 0
	icmpEcho        = 8
	icmpTimestamp   = 13
	icmpMaskRequest = 17
	icmpMaskReply   = 18
)

// IP protocol numbers (IANA).
const (
	protoICMP    = 1
	protoTCP     = 6
	protoUDP     = 17
	protoDCCP    = 33
	protoICMPv6  = 58
	protoUDPLite = 136
)

// has tells which fields of a packet are there to be compared.
type has uint8

const (
	hasID    has = 1 << iota // identification of IPv4 or a fragment, flow label of IPv6
	hasPorts                 // ports; or ICMP type and identifier
	hasWord                  // the word: see fields.word
	hasSum                   // transport checksum
	hasLength
	hasAddrs
)

// fields is what tells one packet from others, in one form for both IP
// versions, for packets as sent and as quoted.
type fields struct {
	src, dst netip.Addr
	protocol uint8 // ICMPv6 as ICMP
	ttl      uint8
	have     has
	sport    uint16 // ICMP: identifier
	dport    uint16 // ICMP: type
	sum      uint16 // as it left, see anomaly.Header.SentChecksum
	offset   int32  // of a fragment
	length   int32
	id       uint32
	word     uint32 // TCP sequence, ICMP sequence; others: bytes 4 to 7 with the checksum as it left
	ack      uint32 // TCP
	flags    uint8  // TCP
	body     [4]byte
	hasBody  bool
}

// read takes the fields out of a header; it gives false where there are no
// addresses.
func (f *fields) read(h *anomaly.Header) bool {
	*f = fields{}
	if h.Short || h.Version != 4 && h.Version != 6 {
		return false
	}
	f.src, f.dst, f.ttl = h.Src, h.Dst, h.TTL
	f.protocol = h.Protocol
	if h.Version == 6 && f.protocol == protoICMPv6 {
		f.protocol = protoICMP
	}
	f.length, f.offset = int32(h.Length), int32(h.Offset)
	f.have = hasAddrs | hasLength
	f.id = h.ID
	if h.Version == 6 && !h.HasID {
		f.id = h.Label
	}
	if f.id != 0 {
		f.have |= hasID
	}
	if h.Malformed || len(h.Transport) < 4 {
		return true
	}
	f.readTransport(h)
	return true
}

func (f *fields) readTransport(h *anomaly.Header) {
	t := h.Transport
	f.have |= hasPorts
	f.sport, f.dport = binary.BigEndian.Uint16(t), binary.BigEndian.Uint16(t[2:])
	icmp := h.IsICMP()
	if icmp {
		f.sport, f.dport = 0, uint16(h.EchoType())
		if len(t) >= 6 {
			f.sport = binary.BigEndian.Uint16(t[4:])
		} else {
			f.have &^= hasPorts
		}
	}
	f.sum, _ = h.SentChecksum()
	if f.sum != 0 {
		f.have |= hasSum
	}
	if len(t) < 8 {
		return
	}
	f.have |= hasWord
	f.word = binary.BigEndian.Uint32(t[4:])
	switch {
	case icmp:
		f.word = uint32(binary.BigEndian.Uint16(t[6:]))
	case f.protocol == protoUDP, f.protocol == protoUDPLite:
		f.word = f.word&0xffff0000 | uint32(f.sum)
		if f.sum == 0 {
			f.have &^= hasWord
		}
	case f.protocol == protoTCP && len(t) >= 14:
		f.ack, f.flags = binary.BigEndian.Uint32(t[8:]), t[13]
	}
	if (f.protocol == protoUDP || icmp) && len(t) >= 12 {
		f.body, f.hasBody = [4]byte(t[8:12]), true
	}
}

// v6 tells the family.
func (f *fields) v6() bool { return f.dst.Is6() }

// ports gives both ports in one word.
func (f *fields) ports() uint64 { return uint64(f.sport)<<16 | uint64(f.dport) }

// mix spreads the bits of both values over the result.
func mix(a, b uint64) uint64 {
	a ^= b * 0x9e3779b97f4a7c15
	a ^= a >> 32
	a *= 0xd6e8feb86659fd93
	a ^= a >> 32
	a *= 0xd6e8feb86659fd93
	return a ^ a>>32
}

func mixAddr(a uint64, addr netip.Addr) uint64 {
	b := addr.As16()
	return mix(mix(a, binary.BigEndian.Uint64(b[:8])), binary.BigEndian.Uint64(b[8:]))
}
