package bsd

import (
	"net/netip"

	"github.com/hopquote/hopquote/cmd/internal/bsd/option"
	"github.com/hopquote/hopquote/frame"
)

// method is the engine's method for a protocol. GRE, SCTP and the generic
// layout are bodies of raw probes, which package lbl writes.
func method(p option.Protocol) frame.Method {
	switch p.Kind {
	case option.UDP:
		return frame.UDP
	case option.UDPLite:
		return frame.UDPLite
	case option.TCP:
		return frame.TCP
	case option.ICMP:
		return frame.ICMP
	}
	return frame.Raw
}

// template is what all probes share.
func template(o *option.Options, src netip.Addr) (frame.Probe, error) {
	p := frame.Probe{
		Method: method(o.Protocol), Src: src, Dst: o.Addr, TOS: o.TOS, DF: o.DontFragment, Size: o.Size,
		Payload: frame.PayloadZero, NoChecksum: o.NoChecksum,
	}
	switch p.Method {
	case frame.TCP:
		p.TCP.Flags = frame.FlagSYN
	case frame.UDPLite:
		p.Coverage = wholeDatagram
	case frame.Raw:
		p.Protocol = o.Protocol.Number
	}
	if len(o.Gateways) == 0 {
		return p, nil
	}
	route, err := frame.NewRoute(frame.LSRROnce, o.Gateways)
	p.Route = route
	return p, err
}

// wholeDatagram puts all of a UDP-Lite datagram under its checksum.
const wholeDatagram = 65535

// firstHop is where probes are headed to at first.
func firstHop(o *option.Options) netip.Addr {
	if len(o.Gateways) > 0 {
		return o.Gateways[0]
	}
	return o.Addr
}
