package frame

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/google/gopacket/layers"
)

// Loose source route, RFC 791 section 3.1: type, length, pointer, then slots of
// four bytes.
const (
	optNOP       = 1
	optLSRR      = 0x83
	lsrrFixedLen = 3
	lsrrPointer  = 4 // to the first slot, counted from 1
)

// Routing header, RFC 8200 section 4.4: offsets in bytes. The second word is
// reserved in types 0 and 2 and holds more in type 4.
const (
	routingLengthAt = 1 // in words of 8 bytes behind the first
	routingTypeAt   = 2
	routingLeftAt   = 3 // segments left
	routingFixedLen = 8
	segmentLastAt   = 4 // type 4: index of the list's last entry, RFC 8754 section 2
)

// routingTypes holds the routing type of each kind.
var routingTypes = map[RouteKind]uint8{Routing0: 0, Routing2: 2, Routing4: 4}

// ipv4Options gives the options that carry r to dst: the first gateway is in
// the header's destination, the others and dst in the slots. Nil for no route.
func (r Route) ipv4Options(dst netip.Addr) []layers.IPv4Option {
	if r.IsZero() {
		return nil
	}
	data := append([]byte{lsrrPointer}, r.gateways[4:]...)
	data = append(data, dst.AsSlice()...)
	if r.kind == LSRR {
		data = append(data, dst.AsSlice()...)
	}
	return []layers.IPv4Option{
		{OptionType: optNOP, OptionLength: 1},
		{OptionType: optLSRR, OptionLength: uint8(2 + len(data)), OptionData: data},
	}
}

// appendRoutingHeader appends the routing header that carries r to dst, in
// front of a header of protocol next. The first gateway is in the IPv6 header's
// destination, the others and dst in the list, in type 4 the last one first.
func (r Route) appendRoutingHeader(b []byte, next uint8, dst netip.Addr) []byte {
	n := r.Gateways()
	last := uint8(0)
	if r.kind == Routing4 {
		last = uint8(n - 1)
	}
	b = append(b, next, uint8(2*n), routingTypes[r.kind], uint8(n), last, 0, 0, 0)
	if r.kind != Routing4 {
		b = append(b, r.gateways[16:]...)
		return append(b, dst.AsSlice()...)
	}
	b = append(b, dst.AsSlice()...)
	for i := n - 1; i > 0; i-- {
		b = append(b, r.gateways[16*i:16*i+16]...)
	}
	return b
}

var errOptions = errors.New("IPv4 options are not laid out as in a probe")

// readIPv4Options takes the options b of a packet to first back into its route
// and final destination.
func readIPv4Options(first netip.Addr, b []byte) (Route, netip.Addr, error) {
	if !isRouteOption(b) {
		return Route{}, netip.Addr{}, errOptions
	}
	r := Route{kind: LSRROnce}
	slots := b[1+lsrrFixedLen:]
	n := len(slots) / 4
	dst := addr4(slots[4*(n-1):])
	others := slots[:4*(n-1)]
	if n > 1 && addr4(slots[4*(n-2):]) == dst {
		r.kind = LSRR
		others = slots[:4*(n-2)]
	}
	addr := first.As4()
	r.gateways = string(addr[:]) + string(others)
	if r.Gateways() > MaxGateways4 {
		return Route{}, netip.Addr{}, errOptions
	}
	return r, dst, nil
}

// isRouteOption tells whether the options b, of whole words, are a NOP and an
// unused source route with a slot or more.
func isRouteOption(b []byte) bool {
	n := len(b) - 1
	return n >= lsrrFixedLen+4 && b[0] == optNOP && b[1] == optLSRR && int(b[2]) == n && b[3] == lsrrPointer
}

// routingHeaderLen gives the length of the routing header that b starts with,
// or 0 when b ends inside it or it is of a type that no Route has.
func routingHeaderLen(b []byte) int {
	if len(b) < routingFixedLen {
		return 0
	}
	n := routingFixedLen + 8*int(b[routingLengthAt])
	if n > len(b) || routingKind(b[routingTypeAt]) == 0 {
		return 0
	}
	return n
}

// routingKind gives the kind with a routing type, or 0.
func routingKind(typ uint8) RouteKind {
	for kind, t := range routingTypes {
		if t == typ {
			return kind
		}
	}
	return 0
}

var errRouting = errors.New("routing header is not laid out as in a probe")

// readRouting takes the routing header at the start of b, behind an IPv6 header
// to first, back into its route and final destination, and tells what follows.
func readRouting(first netip.Addr, b []byte) (r Route, dst netip.Addr, next uint8, err error) {
	if len(b) < routingFixedLen {
		return r, dst, 0, errRouting
	}
	n := int(b[routingLengthAt]) / 2
	if r.kind = routingKind(b[routingTypeAt]); r.kind == 0 {
		return Route{}, dst, 0, fmt.Errorf("routing header type %d is of no probe", b[routingTypeAt])
	}
	last := uint8(0)
	if r.kind == Routing4 {
		last = uint8(n - 1)
	}
	if n < 1 || n > r.most() || int(b[routingLengthAt]) != 2*n || int(b[routingLeftAt]) != n ||
		b[segmentLastAt] != last || b[5]|b[6]|b[7] != 0 || len(b) < routingFixedLen+16*n {
		return Route{}, dst, 0, errRouting
	}
	list := b[routingFixedLen : routingFixedLen+16*n]
	addr := first.As16()
	gateways := append(make([]byte, 0, 16*n), addr[:]...)
	if r.kind == Routing4 {
		dst = addr6(list)
		for i := n - 1; i > 0; i-- {
			gateways = append(gateways, list[16*i:16*i+16]...)
		}
	} else {
		dst = addr6(list[16*(n-1):])
		gateways = append(gateways, list[:16*(n-1)]...)
	}
	r.gateways = string(gateways)
	for i := range n {
		if r.Gateway(i).Is4In6() {
			return Route{}, dst, 0, errRouting
		}
	}
	return r, dst, b[0], nil
}
