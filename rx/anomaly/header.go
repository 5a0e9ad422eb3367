package anomaly

import (
	"encoding/binary"
	"net/netip"
)

// IP protocol numbers (IANA).
const (
	protoICMP    = 1
	protoIPIP    = 4
	protoTCP     = 6
	protoUDP     = 17
	protoDCCP    = 33
	protoIPv6    = 41
	protoGRE     = 47
	protoICMPv6  = 58
	protoUDPLite = 136

	extHopByHop    = 0
	extRouting     = 43
	extFragment    = 44
	extAuth        = 51
	extDestination = 60
)

// Header is an IP packet, or as much of one as there is, taken apart. Its
// slices point into the bytes it was read from.
type Header struct {
	Bytes     []byte
	Version   uint8 // 4 or 6; anything else is Malformed
	Malformed bool  // the version or a header length is impossible
	Short     bool  // ends inside its fixed IP header: nothing below is set

	Src, Dst  netip.Addr
	TOS, TTL  uint8
	Length    int    // whole IP length, as it says
	ID        uint32 // IPv4, or of the IPv6 fragment header
	HasID     bool
	FlagBits  uint8 // IPv4: reserved, DF, MF; IPv6 fragment header: MF
	Offset    int   // of a fragment, in bytes
	Label     uint32
	Checksum  uint16 // of the IPv4 header
	Protocol  uint8  // behind extension headers, as far as they came
	Options   []byte // IPv4 options, IPv6 extension headers
	Transport []byte // what came from the transport header on; nil for later fragments
}

// FlagMF is the more-fragments bit of Header.FlagBits, FlagDF don't fragment.
const (
	FlagMF = 1
	FlagDF = 2
)

// Parse takes b apart as far as it goes. It never fails and allocates nothing.
func (h *Header) Parse(b []byte) {
	*h = Header{Bytes: b}
	if len(b) == 0 {
		h.Short = true
		return
	}
	h.Version = b[0] >> 4
	switch h.Version {
	case 4:
		h.parse4(b)
	case 6:
		h.parse6(b)
	default:
		h.Malformed = true
	}
}

func (h *Header) parse4(b []byte) {
	size := int(b[0]&0xf) * 4
	if size < 20 {
		h.Malformed = true
	}
	if len(b) < 20 {
		h.Short = true
		return
	}
	h.TOS, h.TTL, h.Protocol = b[1], b[8], b[9]
	h.Length = int(binary.BigEndian.Uint16(b[2:]))
	h.ID, h.HasID = uint32(binary.BigEndian.Uint16(b[4:])), true
	h.FlagBits = b[6] >> 5
	h.Offset = int(binary.BigEndian.Uint16(b[6:])&0x1fff) * 8
	h.Checksum = binary.BigEndian.Uint16(b[10:])
	h.Src = netip.AddrFrom4([4]byte(b[12:16]))
	h.Dst = netip.AddrFrom4([4]byte(b[16:20]))
	if size < 20 || size > len(b) {
		h.Malformed = true
		return
	}
	h.Options = b[20:size]
	if h.Offset == 0 {
		h.Transport = b[size:]
	}
}

func (h *Header) parse6(b []byte) {
	if len(b) < 40 {
		h.Short = true
		return
	}
	first := binary.BigEndian.Uint32(b)
	h.TOS, h.Label = uint8(first>>20), first&0xfffff
	h.Length = 40 + int(binary.BigEndian.Uint16(b[4:]))
	h.Protocol, h.TTL = b[6], b[7]
	h.Src = netip.AddrFrom16([16]byte(b[8:24]))
	h.Dst = netip.AddrFrom16([16]byte(b[24:40]))
	at := 40
	for isExtension(h.Protocol) {
		if len(b) < at+8 {
			h.Options = b[40:]
			return
		}
		size := (int(b[at+1]) + 1) * 8
		switch h.Protocol {
		case extFragment:
			size = 8
			word := binary.BigEndian.Uint16(b[at+2:])
			h.Offset, h.FlagBits = int(word&^7), uint8(word&1)
			h.ID, h.HasID = binary.BigEndian.Uint32(b[at+4:]), true
		case extAuth:
			size = (int(b[at+1]) + 2) * 4
		}
		if len(b) < at+size {
			h.Options = b[40:]
			return
		}
		h.Protocol = b[at]
		at += size
		if h.Offset != 0 {
			break // what follows is the middle of the packet
		}
	}
	h.Options = b[40:at]
	if h.Offset == 0 {
		h.Transport = b[at:]
	}
}

func isExtension(protocol uint8) bool {
	switch protocol {
	case extHopByHop, extRouting, extFragment, extAuth, extDestination:
		return true
	}
	return false
}

// IsICMP tells whether the packet is ICMP or ICMPv6.
func (h *Header) IsICMP() bool {
	return h.Version == 4 && h.Protocol == protoICMP || h.Version == 6 && h.Protocol == protoICMPv6
}

// HasPorts tells whether the transport begins with two ports.
func (h *Header) HasPorts() bool {
	switch h.Protocol {
	case protoUDP, protoTCP, protoUDPLite, protoDCCP:
		return true
	}
	return false
}

// word16 gives 16 bits of the transport header, and whether they are there.
func (h *Header) word16(at int) (uint16, bool) {
	if at < 0 || len(h.Transport) < at+2 {
		return 0, false
	}
	return binary.BigEndian.Uint16(h.Transport[at:]), true
}

// checksumAt is where the transport checksum stands, -1 where none is known.
func (h *Header) checksumAt() int {
	switch {
	case h.IsICMP():
		return 2
	case h.Protocol == protoUDP, h.Protocol == protoUDPLite, h.Protocol == protoDCCP:
		return 6
	case h.Protocol == protoTCP:
		return 16
	}
	return -1
}

// normal gives the protocol, ICMPv6 as ICMP, so that both versions compare.
func (h *Header) normal() uint8 {
	if h.Version == 6 && h.Protocol == protoICMPv6 {
		return protoICMP
	}
	return h.Protocol
}

// EchoType gives an ICMP type, with the echo types of ICMPv6 as those of ICMP.
func (h *Header) EchoType() uint8 {
	t := h.Transport[0]
	if h.Version == 6 {
		switch t {
		case 128:
			return 8
		case 129:
			return 0
		}
	}
	return t
}
