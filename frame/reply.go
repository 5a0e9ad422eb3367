package frame

import "net/netip"

// Kind classifies a received frame. Decode always sets one.
type Kind uint8

// The kinds of replies. From KindTimeExceeded to KindICMPOther the frame is an
// ICMP error or notice; from KindEchoReply on it is a direct answer.
const (
	KindNone         Kind = iota // not IP
	KindTruncated                // ends before its headers do
	KindMalformed                // a header contradicts itself
	KindFragment                 // a later fragment: no transport header to read
	KindTimeExceeded             // ICMP 11, ICMPv6 3
	KindUnreachable              // ICMP 3 except code 4, ICMPv6 1
	KindTooBig                   // ICMP 3/4, ICMPv6 2; Reply.MTU is set
	KindParamProblem             // ICMP 12, ICMPv6 4
	KindRedirect                 // ICMP 5
	KindSourceQuench             // ICMP 4
	KindICMPOther                // any other ICMP message
	KindEchoReply                // ICMP 0, ICMPv6 129
	KindUDP                      // UDP datagram
	KindTCP                      // TCP segment
	KindUDPLite                  // UDP-Lite datagram
	KindDCCP                     // DCCP packet; Type is its type
	KindRaw                      // packet of any other protocol
)

// IsError tells whether the kind is an ICMP error that quotes a packet.
func (k Kind) IsError() bool { return k >= KindTimeExceeded && k <= KindSourceQuench }

// IsAnswer tells whether the kind is a direct answer, which quotes nothing.
func (k Kind) IsAnswer() bool { return k >= KindEchoReply }

// Checksum is what is known of a checksum.
type Checksum uint8

// The states of a checksum.
const (
	ChecksumUnknown Checksum = iota // not checked: truncated capture, offload, or none there
	ChecksumGood
	ChecksumBad
)

// Reply is one received frame, taken apart. Its byte slices point into the
// frame and live as long as the frame does.
type Reply struct {
	Kind     Kind
	From, To netip.Addr // addresses of the reply's own IP header
	TTL      uint8      // the reply's own TTL or hop limit
	TOS      uint8      // the reply's own TOS or traffic class
	ID       uint16     // the reply's own IPv4 identification
	Size     int        // whole IP length in bytes, as its header says
	Protocol uint8      // IP protocol number, behind extension headers; 0 where it was not reached

	Checksum Checksum // of the transport; unknown for KindRaw
	Type     uint8    // ICMP; the packet type of DCCP
	Code     uint8    // ICMP only
	MTU      uint32   // KindTooBig only: next-hop MTU in bytes, 0 when not told

	// Direct answers only.
	SrcPort uint16 // source port; echo identifier
	DstPort uint16 // destination port; echo identifier
	Seq     uint32 // TCP sequence number; DCCP's low 32 bits; echo sequence
	Ack     uint32 // TCP; DCCP's low 32 bits; valid where HasAck
	Flags   uint8  // TCP

	// Mark is what an echo reply brings back of the probe's payload, as in Quote.
	Mark   uint32
	Marked bool

	Quote Quote  // for IsError kinds; Quote.Bytes is 0 when there is none
	Body  []byte // for IsError kinds: all that follows the ICMP header, quote and extensions as they stand
	Ext   []byte // RFC 4884 extension structure, header included; nil when none
	// ExtCompliant tells whether Ext was found by the message's length field;
	// false means the RFC 4884 section 5.5 place, 128 bytes into the quote.
	ExtCompliant bool
}

// HasAck tells whether a direct answer acknowledges a sequence number: a TCP
// segment with ACK, or a DCCP packet of any type but Request and Data.
func (r *Reply) HasAck() bool {
	switch r.Kind {
	case KindTCP:
		return r.Flags&FlagACK != 0
	case KindDCCP:
		return dccpHasAck(r.Type)
	}
	return false
}

// Quote is the part of our packet that an ICMP error carries back.
type Quote struct {
	Bytes     int  // how many bytes of it came back, its IP header included
	Transport int  // how many of them are past its IP header and extension headers
	Malformed bool // its IP header contradicts itself
	Fragment  bool // a later fragment: no transport header
	Protocol  uint8
	Method    Method     // that has Protocol for its own in the quote's family; else 0
	Src, Dst  netip.Addr // as quoted
	TTL       uint8      // as quoted: 1 where every router behaves
	TOS       uint8
	ID        uint16 // IPv4
	DF        bool   // IPv4
	Length    int    // whole IP length as quoted (IPv6: payload length + 40)
	Label     uint32 // IPv6

	// Valid as far as Transport reaches: ports need 4 bytes, Checksum 8 (ICMP: 4,
	// TCP: 18), Seq 8 (DCCP: 16).
	SrcPort  uint16 // of methods with ports; the echo identifier for ICMP
	DstPort  uint16 // of methods with ports; 0 for ICMP
	Seq      uint32 // TCP sequence number; DCCP's low 32 bits; echo sequence
	Checksum uint16 // transport checksum; 0 when it did not come back

	// Mark is the first four bytes of the payload of UDP, UDP-Lite and echo
	// requests. Marked tells that they came back (Transport is 12 or more) and are
	// neither zeros nor the pattern, so that they can be a PayloadMark; else Mark
	// is 0.
	Mark   uint32
	Marked bool
}
