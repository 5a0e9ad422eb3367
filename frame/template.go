package frame

import (
	"fmt"
	"net/netip"
)

// Template is the finished frame of the probes that share a Shape. It is
// immutable, so any number of goroutines may Put from it.
type Template struct {
	frame     []byte // the fields that Put writes are zero
	ip        int    // offset of the IP header
	transport int    // offset of the transport header
	method    Method
	v6        bool
	addrBits  int    // of an address
	unsummed  bool   // the transport checksum stays zero
	ackSeq    bool   // the TCP acknowledgment is Seq
	routed    bool   // the destination is part of the frame
	pseudo    bool   // the transport checksum covers the destination
	marked    bool   // the payload starts with Mark
	fixed     bool   // the payload has the balance of Sum
	unfilled  uint32 // takes what is in the balance's place out of sum
	word      uint32 // first word of the IPv6 header, label zero
	ipSum     uint32 // of the IPv4 header, folded
	sum       uint32 // that the transport checksum covers, folded
}

// NewTemplate serializes the frame of p once. The fields that Put takes from
// its own probe are free here. A TCP or DCCP probe's Size may be 0 for
// HeaderLen.
//
// It fails when the addresses are not two of one family, unmapped and without
// zone, or Route is of the other; when the method or link type is unknown; when
// Size is outside HeaderLen to MaxSize or a TCP or DCCP probe's is not
// HeaderLen; when Shift is above MaxShift; when Protocol is none for Raw; or when
// the probe has no room for its Mark or Fixed (LeastSize), a method that knows
// neither, or Fixed with NoChecksum.
func NewTemplate(link Link, p *Probe) (*Template, error) {
	size, err := checkProbe(link, p)
	if err != nil {
		return nil, fmt.Errorf("new template: %w", err)
	}
	built, err := serialize(link, p, size)
	if err != nil {
		return nil, fmt.Errorf("new template: serialize %s probe of %d bytes: %w", p.Method, size, err)
	}
	// Short Ethernet frames come padded to 60 bytes. Padding is the device's
	// work, and the kernel's own frames show none.
	ip := link.Type.HeaderLen()
	t := &Template{
		frame:     built[:ip+size],
		ip:        ip,
		transport: ip + ipHeaderLen(p.IsIPv6()) + p.Route.HeaderLen(),
		method:    p.Method,
		v6:        p.IsIPv6(),
		addrBits:  p.Dst.BitLen(),
		unsummed:  p.NoChecksum && p.Method != UDPLite,
		routed:    !p.Route.IsZero(),
		pseudo:    p.Method != Raw && (p.Method != ICMP || p.IsIPv6()), // ICMP has none in IPv4
		marked:    p.Payload == PayloadMark,
		fixed:     p.Fixed,
		ackSeq:    p.TCP.AckSeq,
	}
	t.prepare(p)
	return t, nil
}

// Len is the frame's length in bytes, link header included.
func (t *Template) Len() int { return len(t.frame) }

// checkProbe gives the whole IP length that p asks for.
func checkProbe(link Link, p *Probe) (size int, err error) {
	if link.Type != LinkRaw && link.Type != LinkEthernet {
		return 0, fmt.Errorf("unknown link type %d", link.Type)
	}
	for _, a := range []netip.Addr{p.Src, p.Dst} {
		if !a.IsValid() || a.Is4In6() || a.Zone() != "" {
			return 0, fmt.Errorf("address %q is not an unmapped IPv4 or IPv6 address without zone", a)
		}
	}
	if p.Src.Is4() != p.Dst.Is4() {
		return 0, fmt.Errorf("source %s and destination %s are of different families", p.Src, p.Dst)
	}
	if !p.Route.IsZero() && p.Route.IsIPv6() != p.IsIPv6() {
		return 0, fmt.Errorf("route %v is not of the family of %s", p.Route, p.Dst)
	}
	low, size := p.HeaderLen(), p.Size
	switch {
	case low == 0:
		return 0, fmt.Errorf("unknown method %d", p.Method)
	case p.Method == TCP && p.TCP.WScale && p.TCP.Shift > MaxShift:
		return 0, fmt.Errorf("window scale shift %d, want 0..%d", p.TCP.Shift, MaxShift)
	case p.Method == Raw && !isRawProtocol(p.Protocol, p.IsIPv6()):
		return 0, fmt.Errorf("raw protocol %d, want 1..255 and for IPv6 no extension header", p.Protocol)
	case p.Method.hasPayload():
		if size < low || size > MaxSize {
			return 0, fmt.Errorf("%s probe of %d bytes, want %d..%d", p.Method, size, low, MaxSize)
		}
	case size == 0:
		size = low
	case size != low:
		return 0, fmt.Errorf("%s probe of %d bytes, want %d for these headers, or 0", p.Method, size, low)
	}
	return size, p.checkKeyed(size)
}

// Protocol numbers of the IP header (IANA).
const (
	protoICMP    = 1
	protoTCP     = 6
	protoUDP     = 17
	protoDCCP    = 33
	protoICMPv6  = 58
	protoUDPLite = 136
)

// protocolOf gives the IP protocol number of a method, 0 for Raw.
func protocolOf(m Method, v6 bool) uint8 {
	switch m {
	case UDP:
		return protoUDP
	case TCP:
		return protoTCP
	case UDPLite:
		return protoUDPLite
	case DCCP:
		return protoDCCP
	case ICMP:
		if v6 {
			return protoICMPv6
		}
		return protoICMP
	}
	return 0
}

// protocol gives the probe's IP protocol number.
func (p *Probe) protocol() uint8 {
	if p.Method == Raw {
		return p.Protocol
	}
	return protocolOf(p.Method, p.IsIPv6())
}

// isRawProtocol tells whether a Raw probe may have the protocol. The payload
// would not do for the IPv6 extension headers that every node reads.
func isRawProtocol(protocol uint8, v6 bool) bool {
	return protocol != 0 && !(v6 && isExtHeader(protocol))
}
