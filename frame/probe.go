package frame

import "net/netip"

// Method is the transport a probe travels in.
type Method uint8

// The probe methods. The zero Method is none of them.
const (
	UDP     Method = iota + 1 // UDP datagram, RFC 768
	ICMP                      // ICMP or ICMPv6 echo request, RFC 792, RFC 4443
	TCP                       // TCP segment without payload, RFC 9293
	UDPLite                   // UDP-Lite datagram, RFC 3828
	DCCP                      // DCCP Request without options, RFC 4340
	Raw                       // payload right behind the IP header, of any protocol
)

// String gives the method's name as the command line knows it.
func (m Method) String() string {
	switch m {
	case UDP:
		return "udp"
	case ICMP:
		return "icmp"
	case TCP:
		return "tcp"
	case UDPLite:
		return "udplite"
	case DCCP:
		return "dccp"
	case Raw:
		return "raw"
	}
	return "unknown"
}

// HasPorts tells whether the method's probes have a source and a destination
// port.
func (m Method) HasPorts() bool {
	return m == UDP || m == TCP || m == UDPLite || m == DCCP
}

// hasPayload tells whether Size may be more than the headers' length.
func (m Method) hasPayload() bool { return m != TCP && m != DCCP }

// Probe describes one packet that we send, by value.
//
// Everything but Dst, TTL, ID, Label, SrcPort, DstPort, Seq, Mark and Sum is its
// shape, which the Template that it is built from fixes; Shape gives it. With a
// Route, Dst is of the shape too.
type Probe struct {
	Method   Method
	Src, Dst netip.Addr // of one family, IPv4 unmapped, without zone
	TOS      uint8      // IPv4 TOS or IPv6 traffic class, ECN bits included
	DF       bool       // IPv4 don't-fragment; no meaning for IPv6
	Size     int        // whole IP length in bytes, HeaderLen..65535; for TCP and DCCP HeaderLen, or 0 for it
	TCP      TCPHeader  // for method TCP only
	Coverage uint16     // UDPLite: bytes under the checksum; below 8 means 8, above the datagram all of it
	Service  uint32     // DCCP: service code; DefaultService is that of Linux traceroute
	Protocol uint8      // Raw: IP protocol number 1..255; for IPv6 no extension header's
	Route    Route      // gateways to pass on the way to Dst; zero for none
	Body     string     // Raw: what follows the IP header, as bytes; UDP, UDP-Lite and ICMP: what follows the places of Mark and Sum in the payload. Payload fills the rest of Size
	Payload  Payload    // what fills a probe up to Size

	// Fixed gives the probe the checksum Sum, of UDP, UDP-Lite or ICMP: two bytes
	// of the payload make up the difference, wherever Sum is not 0.
	Fixed bool

	// NoChecksum leaves the transport checksum of UDP (no checksum, RFC 768)
	// and TCP (wrong) zero. The other methods ignore it.
	NoChecksum bool

	TTL     uint8  // IPv4 TTL or IPv6 hop limit
	ID      uint16 // IPv4 identification
	Label   uint32 // IPv6 flow label, 20 bits
	SrcPort uint16 // of methods with ports; the echo identifier for ICMP; unused for Raw
	DstPort uint16 // of methods with ports; unused for ICMP and Raw
	Seq     uint32 // TCP sequence number; DCCP's low 32 bits; the echo sequence (16 bits) for ICMP
	Mark    uint32 // first four bytes of a PayloadMark
	Sum     uint16 // transport checksum of a Fixed probe; 0 for whatever comes out
}

// Shape gives p without what Put takes from each probe: probes of one Shape and
// Link share a Template.
func (p *Probe) Shape() Probe {
	s := *p
	s.TTL, s.ID, s.Label, s.SrcPort, s.DstPort, s.Seq, s.Mark, s.Sum = 0, 0, 0, 0, 0, 0, 0, 0
	if p.Route.IsZero() {
		s.Dst = netip.Addr{}
	}
	return s
}

// Payload is what the bytes behind a probe's headers are.
type Payload uint8

// The payloads.
const (
	PayloadPattern Payload = iota // 0x40 to 0x7f over and over, as Linux traceroute sends
	PayloadZero                   // zeros, as BSD traceroute sends
	PayloadMark                   // Mark, then as PayloadPattern; of UDP, UDP-Lite and ICMP only
)

// DefaultService is the DCCP service code "ping" that Linux traceroute asks for.
const DefaultService = 1885957735

// TCP flag bits, RFC 9293 section 3.1 and RFC 3168 section 6.1.
const (
	FlagFIN = 1 << iota
	FlagSYN
	FlagRST
	FlagPSH
	FlagACK
	FlagURG
	FlagECE
	FlagCWR
)

// TCPHeader is the part of a TCP probe that all probes of a run share.
//
// Options go on the wire in the order MSS, SACK-permitted, timestamps, window
// scale, padded with NOPs as Linux traceroute lays them out.
type TCPHeader struct {
	Flags      uint8
	Window     uint16
	Ack        uint32 // acknowledgment field, sent whatever the flags say
	AckSeq     bool   // the acknowledgment field is the probe's own Seq in place of Ack: a RST to an ACK repeats it (RFC 9293 section 3.10.7)
	MSS        uint16 // value of the MSS option; 0 leaves the option out
	SACK       bool   // SACK-permitted
	Timestamps bool   // timestamps option with TSVal and TSEcr
	TSVal      uint32
	TSEcr      uint32
	WScale     bool  // window scale option with Shift
	Shift      uint8 // 0..14
}

// LinkType says what precedes the IP header in a frame.
type LinkType uint8

// The link types. The zero LinkType is a bare IP packet.
const (
	LinkRaw      LinkType = iota // no link header: tun, point-to-point tunnels
	LinkEthernet                 // 14 bytes: destination, source, EtherType
)

// HeaderLen is the link header's length in bytes.
func (t LinkType) HeaderLen() int {
	if t == LinkEthernet {
		return 14
	}
	return 0
}

// Link is the link header that a template puts before the IP header. The
// destination stays zero in a template: the sender fills it in once the next
// hop's address is known.
type Link struct {
	Type     LinkType
	Src, Dst [6]byte
}

// IsIPv6 tells the probe's family.
func (p *Probe) IsIPv6() bool { return p.Dst.Is6() }
