package anomaly

import (
	"bytes"
	"math/bits"

	"github.com/hopquote/hopquote/frame"
)

// minTransport is how many bytes behind the IP header every router quotes, RFC
// 792.
const minTransport = 8

// Compare compares the probe as it was sent with the quote that came back,
// both from their IP headers on. Either may be incomplete: what both have is
// compared. Zeros that a router padded its quote with do no harm.
//
// A quote in another IP version is compared as far as translation (RFC 7915)
// lets it; one around another packet is unwrapped once if the probe is no such
// packet itself.
func Compare(probe, quote []byte) Report {
	var r Report
	r.Compare(probe, quote)
	return r
}

// Compare is the function of this name; it fills r and keeps its memory. The
// values point into probe and quote.
func (r *Report) Compare(probe, quote []byte) {
	r.reset()
	var p, q Header
	if r.Wrapping = Headers(probe, quote, &p, &q); r.Wrapping != "" {
		r.Flags = Encapsulated
	}
	r.compare(&p, &q)
}

// Headers takes both packets apart as Compare does, and gives the name of what
// it unwrapped the quote from, "" for nothing.
func Headers(probe, quote []byte, p, q *Header) (wrapping string) {
	p.Parse(probe)
	q.Parse(quote)
	inner, name := Unwrap(quote)
	if name == "" || sameWrapping(p, q) {
		return ""
	}
	q.Parse(inner)
	return name
}

// sameWrapping tells whether the probe itself is what the quote's outside is.
func sameWrapping(p, q *Header) bool {
	return p.Version == q.Version && p.Protocol == q.Protocol &&
		(!p.IsICMP() || len(p.Transport) > 0 && len(q.Transport) > 0 && p.Transport[0] == q.Transport[0])
}

func (r *Report) compare(p, q *Header) {
	if q.Short {
		r.Flags |= Truncated
	}
	if q.Malformed {
		r.Flags |= Malformed
	}
	if q.Short || p.Short || p.Malformed || q.Version != 4 && q.Version != 6 {
		return
	}
	if p.Version != q.Version {
		r.add(Translated, "version", number(p.Version), number(q.Version))
	}
	r.compareIP(p, q)
	switch {
	case q.Malformed:
	case q.Offset != 0:
		r.Flags |= Fragment
	case p.Offset != 0:
	default:
		if len(q.Transport) < minTransport && q.transportLen() > len(q.Transport) {
			r.Flags |= Truncated
		}
		r.compareTransport(p, q)
	}
}

func (r *Report) compareIP(p, q *Header) {
	same := p.Version == q.Version
	if p.TOS != q.TOS {
		if p.TOS>>2 != q.TOS>>2 {
			r.add(DSCP, "dscp", number(p.TOS>>2), number(q.TOS>>2))
		}
		if p.TOS&3 != q.TOS&3 {
			r.add(ECN, "ecn", number(p.TOS&3), number(q.TOS&3))
		}
	}
	if same && p.Version == 6 && p.Label != q.Label {
		r.add(Label, "flow-label", hexa(p.Label), hexa(q.Label))
	}
	r.compareLength(p, q)
	if same {
		r.compareID(p, q)
	}
	if same && p.Version == 4 && p.FlagBits != q.FlagBits {
		r.add(FragmentBits, "fragment-bits", number(p.FlagBits), number(q.FlagBits))
	}
	if q.TTL != 1 {
		r.add(TTL, "ttl", number(p.TTL), number(q.TTL))
	}
	if p.normal() != q.normal() && !(q.Version == 6 && isExtension(q.Protocol)) {
		r.add(Protocol, "protocol", number(p.Protocol), number(q.Protocol))
	}
	if q.Version == 4 && !q.Malformed {
		if right := headerChecksum(q); right != q.Checksum {
			r.add(IPChecksum, "ip-checksum", hexa(right), hexa(q.Checksum))
		}
	}
	if p.Src != q.Src && same {
		r.add(Source, "src-address", address(p.Src), address(q.Src))
	}
	if p.Dst != q.Dst && !(!same && Tail(p.Dst) == Tail(q.Dst)) {
		r.add(Destination, "dst-address", address(p.Dst), address(q.Dst))
	}
	if same && !q.Malformed {
		r.compareOptions(p, q)
	}
}

// compareOptions compares IPv4 options, and IPv6 extension headers as far as
// they were quoted.
func (r *Report) compareOptions(p, q *Header) {
	if p.Version == 4 {
		if !bytes.Equal(p.Options, q.Options) {
			r.add(IPOptions, "ip-options", raw(p.Options), raw(q.Options))
		}
		return
	}
	po, qo := p.Options, q.Options
	if len(q.Bytes) == 40+len(qo) && len(qo) < len(po) {
		po = po[:len(qo)] // the quote ends inside them
	}
	if !bytes.Equal(po, qo) {
		r.add(ExtensionHeaders, "extension-headers", raw(po), raw(qo))
	}
}

func (r *Report) compareLength(p, q *Header) {
	sent, quoted := p.Length, q.Length
	if p.Version != q.Version {
		// Fixed headers of 20 and 40 bytes are exchanged, RFC 7915 section 4.1.
		if q.Version == 4 {
			sent -= 20
		} else {
			sent += 20
		}
	}
	if sent == quoted {
		return
	}
	header := 0
	swapped := uint16(quoted)
	if q.Version == 6 {
		header = 40 // Length counts it, the field does not
		swapped = uint16(quoted - header)
	}
	flag := Length
	switch {
	case int(bits.ReverseBytes16(swapped))+header == sent:
		flag = LengthSwapped
	case quoted == sent-(len(p.Bytes)-len(p.Transport)) && p.Offset == 0:
		flag = LengthShort
	}
	r.add(flag, "length", number(sent), number(quoted))
}

func (r *Report) compareID(p, q *Header) {
	if !p.HasID || !q.HasID || p.ID == q.ID {
		return
	}
	flag := ID
	switch {
	case q.ID == 0:
		flag = IDZero
	case p.Version == 4 && uint16(q.ID) == bits.ReverseBytes16(uint16(p.ID)):
		flag = IDSwapped
	case q.ID == p.ID+1, p.Version == 4 && uint16(q.ID) == uint16(p.ID+1):
		flag = IDPlusOne
	}
	r.add(flag, "id", number(p.ID), number(q.ID))
}

// headerChecksum computes what a quoted IPv4 header's checksum should be.
func headerChecksum(q *Header) uint16 {
	n := 20 + len(q.Options)
	sum := frame.Sum(q.Bytes[:10], 0)
	return ^frame.Fold(frame.Sum(q.Bytes[12:n], sum))
}
