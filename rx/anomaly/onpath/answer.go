package onpath

import (
	"net/netip"

	"github.com/hopquote/hopquote/rx/anomaly"
)

// Answer is one probe that was answered, as Add takes it.
type Answer struct {
	TTL int // of the hop that the responder is
	// Beyond tells that the probe had TTL to spare when it came to the
	// responder: more than one is to be quoted, and TTL is no place of the path.
	Beyond bool

	From, Target netip.Addr // responder, and whom the probe was for
	Back         int        // hops that the answer came over, as far as its TTL tells; 0: not known
	// Expired tells a time exceeded in transit, which a router sends that has
	// the packet with TTL 1.
	Expired bool

	Probe []byte // as sent, from the IP header on
	Quote []byte // what came back of it, the same way; empty for an answer that quotes nothing
}

// seen is what is kept of an Answer.
type seen struct {
	ttl     int
	beyond  bool
	from    netip.Addr
	target  bool // the responder is the probe's target
	back    int
	expired bool

	quoted  bool // there is a quote whose IP header can be read
	routed  bool // the probe had a source route, which routers rewrite
	version uint8
	reach   int  // bytes that came back from the transport header on
	whole   bool // all of the transport header came back, TCP options included
	payload bool // and bytes behind it
	udp     bool // for UDP and UDP-Lite
	spoiled bool // nothing but the wrapping can be compared
	changes []Change
	sum     skew // of the IPv4 header checksum
}

// tcpProtocol is TCP's IP protocol number, and so on.
const (
	protoTCP     = 6
	protoUDP     = 17
	protoUDPLite = 136
)

// look takes the headers of an answer apart.
func look(a *Answer) (s seen, p, q anomaly.Header) {
	s = seen{
		ttl: a.TTL, beyond: a.Beyond, from: a.From, back: a.Back, expired: a.Expired,
		target: a.From == a.Target && a.From.IsValid(),
	}
	anomaly.Headers(a.Probe, a.Quote, &p, &q)
	s.quoted = !p.Short && !q.Short && (q.Version == 4 || q.Version == 6)
	if !s.quoted {
		return s, p, q
	}
	s.version, s.reach = q.Version, len(q.Transport)
	s.spoiled = q.Malformed || p.Malformed
	s.routed = isRouted(&p)
	s.udp = p.Protocol == protoUDP || p.Protocol == protoUDPLite
	header := transportHeader(&p)
	s.whole, s.payload = s.reach >= header, s.reach > header
	return s, p, q
}

// transportHeader is how long the probe's transport header is, in bytes.
func transportHeader(p *anomaly.Header) int {
	switch {
	case p.Protocol == protoTCP && len(p.Transport) >= 13:
		return int(p.Transport[12]>>4) * 4
	case p.Protocol == protoTCP:
		return 20
	case p.HasPorts() || p.IsICMP():
		return 8
	}
	return 0
}

// isRouted tells whether the probe carries a loose or strict source route (RFC
// 791 section 3.1) or a routing header (RFC 8200 section 4.4).
func isRouted(p *anomaly.Header) bool {
	if p.Version == 6 {
		return len(p.Bytes) > 6 && p.Bytes[6] == 43
	}
	for o := p.Options; len(o) > 1 && o[0] != 0; {
		if o[0] == 1 { // NOP
			o = o[1:]
			continue
		}
		if o[0] == 131 || o[0] == 137 {
			return true
		}
		n := int(o[1])
		if n < 2 || n > len(o) {
			return false
		}
		o = o[n:]
	}
	return false
}

// fields tells how many transport bytes must have come back for a field of that
// name to be among them; those of the IP header are not in it.
var fields = map[string]int{
	"src-port": 4, "dst-port": 4, "identifier": 6, "icmp-type": 2, "icmp-seq": 8,
	"udp-length": 6, "tcp-seq": 8, "tcp-ack": 12, "tcp-offset": 13, "tcp-flags": 14,
	"tcp-window": 16, "tcp-urgent": 20,
}

// shows tells whether the quote has the field, changed or not.
func (s *seen) shows(name string) bool {
	if s.spoiled {
		return name == wrapping
	}
	if n, ok := fields[name]; ok {
		return s.reach >= n
	}
	switch {
	case name == "checksum":
		return s.whole || s.udp && s.reach >= 8
	case name == "payload":
		return s.payload
	case len(name) > 4 && name[:4] == "tcp-":
		return s.whole
	case name == "ttl":
		return !s.beyond
	case name == "id", name == "fragment-bits", name == "ip-options":
		return s.version == 4
	case name == "flow-label", name == "extension-headers":
		return s.version == 6
	}
	return true
}
