package rx

import (
	"math/bits"
	"strings"

	"github.com/hopquote/hopquote/frame"
)

// Diff is the set of quoted fields that differ from what was sent. Routers
// must quote a packet as they received it (RFC 1812 section 4.3.2.3), so each
// bit but QuotedTTL points at something on the way that rewrites packets, or
// at a router that quotes badly.
type Diff uint16

// The differences.
const (
	// QuotedTTL notes a quoted TTL or hop limit that isn't 1. In a time
	// exceeded it is 0 after zero-TTL forwarding and above 1 behind hidden
	// MPLS hops; in an unreachable it is what the probe had left. It doesn't
	// make a reply Rewritten.
	QuotedTTL Diff = 1 << iota
	// TOS is the IPv4 TOS or IPv6 traffic class, ECN included.
	TOS
	// ID is the IPv4 identification.
	ID
	// IDSwapped is the IPv4 identification in the wrong byte order, instead of
	// ID.
	IDSwapped
	// Length is the whole IP length.
	Length
	// LengthSwapped is the IPv4 length in the wrong byte order, instead of
	// Length.
	LengthSwapped
	// DF is the IPv4 don't-fragment bit.
	DF
	// Label is the IPv6 flow label.
	Label
	// Checksum is a quoted UDP or UDP-Lite checksum of zero, of a probe that had
	// one.
	Checksum
)

var diffNames = [...]string{
	"ttl", "tos", "id", "id-swapped", "length", "length-swapped", "df", "label", "checksum",
}

// Rewrites is the set without QuotedTTL: what makes a reply Rewritten.
func (d Diff) Rewrites() Diff { return d &^ QuotedTTL }

// String lists the fields by name with commas between, or gives "none".
func (d Diff) String() string {
	if d == 0 {
		return "none"
	}
	var b strings.Builder
	for rest := d; rest != 0; rest &= rest - 1 {
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(name(diffNames[:], bits.TrailingZeros16(uint16(rest))))
	}
	return b.String()
}

// diff compares the quote with the probe it was matched to. What the match
// rests on (addresses, ports, echo identifier, sequence) is equal already.
func (e *entry) diff(q *frame.Quote) Diff {
	var d Diff
	if q.TTL != 1 {
		d |= QuotedTTL
	}
	if q.TOS != e.tos {
		d |= TOS
	}
	if e.dst.Is6() {
		if q.Label != e.label {
			d |= Label
		}
		if e.size != 0 && q.Length != int(e.size) {
			d |= Length
		}
	} else {
		d |= e.diff4(q)
	}
	if (e.method == frame.UDP || e.method == frame.UDPLite) && q.Checksum == 0 && !e.unsummed {
		d |= Checksum
	}
	return d
}

func (e *entry) diff4(q *frame.Quote) Diff {
	var d Diff
	switch {
	case q.ID == e.id:
	case q.ID == bits.ReverseBytes16(e.id):
		d |= IDSwapped
	default:
		d |= ID
	}
	switch {
	case e.size == 0 || q.Length == int(e.size):
	case q.Length == int(bits.ReverseBytes16(e.size)):
		d |= LengthSwapped
	default:
		d |= Length
	}
	if q.DF != e.df {
		d |= DF
	}
	return d
}
