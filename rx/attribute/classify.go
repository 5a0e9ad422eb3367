package attribute

import (
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx/anomaly"
)

// Classes that only Packet knows, beside Other and Probe.
const (
	classError    Class = iota + 100 // quotes a packet
	classAnswer                      // answers if anything
	classDatagram                    // answers, if there is something to answer; else a probe
)

// classify tells what a packet can be, by itself.
func classify(h *anomaly.Header) (Class, Reason) {
	switch {
	case len(h.Bytes) == 0:
		return Other, ReasonNotIP
	case h.Version != 4 && h.Version != 6:
		return Other, ReasonNotIP
	case h.Short || h.Malformed:
		return Other, ReasonHeader
	case h.Dst.IsMulticast() || h.Dst == broadcast:
		return Other, ReasonMulticast
	case h.Offset != 0:
		return Probe, ReasonNone
	case h.IsICMP():
		return classifyICMP(h)
	case len(h.Transport) < 4:
		return Probe, ReasonNone
	}
	t := h.Transport
	switch h.Protocol {
	case protoTCP:
		const opened = frame.FlagSYN | frame.FlagACK
		if len(t) >= 14 && (t[13]&frame.FlagRST != 0 || t[13]&opened == opened) {
			return classAnswer, ReasonNone
		}
	case protoUDP, protoUDPLite:
		return classDatagram, ReasonNone
	case protoDCCP:
		const response, reset = 1, 7 // RFC 4340 section 5.1
		if len(t) >= 9 && (t[8]>>1&0xf == response || t[8]>>1&0xf == reset) {
			return classAnswer, ReasonNone
		}
	}
	return Probe, ReasonNone
}

func classifyICMP(h *anomaly.Header) (Class, Reason) {
	if len(h.Transport) == 0 {
		return Other, ReasonHeader
	}
	t := h.Transport[0]
	if h.Version == 6 {
		switch {
		case t >= 1 && t <= 4:
			return classError, ReasonNone
		case t == 128:
			return Probe, ReasonNone
		case t == 129:
			return classAnswer, ReasonNone
		}
		return Other, ReasonICMP
	}
	switch t {
	case 3, 4, 5, 11, 12:
		return classError, ReasonNone
	case icmpEchoReply, icmpTimestamp + 1, icmpMaskReply:
		return classAnswer, ReasonNone
	case icmpEcho, icmpTimestamp, icmpMaskRequest:
		return Probe, ReasonNone
	}
	return Other, ReasonICMP
}
