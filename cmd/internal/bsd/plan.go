package bsd

import (
	"net/netip"

	"github.com/hopquote/hopquote/cmd/internal/bsd/option"
	"github.com/hopquote/hopquote/frame"
)

// method is the engine's method for a protocol.
func method(p option.Protocol) frame.Method {
	switch p.Kind {
	case option.UDP:
		return frame.UDP
	case option.TCP:
		return frame.TCP
	case option.ICMP:
		return frame.ICMP
	}
	return 0
}

// template is what all probes share.
func template(o *option.Options, src netip.Addr) frame.Probe {
	p := frame.Probe{
		Method: method(o.Protocol), Src: src, Dst: o.Addr, TOS: o.TOS, DF: o.DontFragment, Size: o.Size,
	}
	if p.Method == frame.TCP {
		p.TCP.Flags = frame.FlagSYN
	}
	return p
}
