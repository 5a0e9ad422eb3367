package text

import (
	"net/netip"
	"strings"
	"time"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/scheduler/hops"
)

// The network of the printing cases: routers r1 to r3 before the target.
var (
	r1     = netip.MustParseAddr("10.1.1.1")
	r2     = netip.MustParseAddr("10.1.2.1")
	r3     = netip.MustParseAddr("10.1.3.1")
	target = netip.MustParseAddr("10.2.2.2")
)

// rtt is every answer's time; transcripts show it as X.
const rtt = 1234567 * time.Nanosecond

const shownRTT = "1.235 ms"

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// te is a time exceeded in transit, of the family of its sender.
func te(from netip.Addr) hops.Answer {
	return icmp(from, frame.KindTimeExceeded, pick(from, 11, 3), 0)
}

// un is a destination unreachable with the code.
func un(from netip.Addr, code uint8) hops.Answer {
	return icmp(from, frame.KindUnreachable, pick(from, 3, 1), code)
}

// big is a too-big error with the next-hop MTU.
func big(from netip.Addr, mtu uint32) hops.Answer {
	a := icmp(from, frame.KindTooBig, pick(from, 3, 2), pick(from, 4, 0))
	a.MTU = mtu
	return a
}

// seg is a TCP segment from the target.
func seg(flags uint8) hops.Answer {
	return hops.Answer{From: target, RTT: rtt, Kind: frame.KindTCP, Flags: flags}
}

func direct(from netip.Addr, kind frame.Kind) hops.Answer {
	return hops.Answer{From: from, RTT: rtt, Kind: kind}
}

func icmp(from netip.Addr, kind frame.Kind, typ, code uint8) hops.Answer {
	return hops.Answer{From: from, RTT: rtt, Kind: kind, Type: typ, Code: code}
}

func pick(a netip.Addr, v4, v6 uint8) uint8 {
	if a.Is4() {
		return v4
	}
	return v6
}

// outcomeOf tells a probe's outcome as the strategy would; the zero Answer is
// a lost probe.
func outcomeOf(a hops.Answer) hops.Outcome {
	port := pick(a.From, 3, 4)
	switch {
	case a.Kind == frame.KindNone:
		return hops.Lost
	case !a.From.IsValid():
		return hops.TooBig
	case a.Kind == frame.KindTimeExceeded && a.Code == 0:
		return hops.Hop
	case a.Kind.IsAnswer(), a.Kind == frame.KindUnreachable && a.Code == port:
		return hops.Arrived
	}
	return hops.Refused
}

var lost hops.Answer

// hop is one line's probes.
type hop struct {
	ttl     int
	answers []hops.Answer
}

func at(ttl int, answers ...hops.Answer) hop { return hop{ttl, answers} }

// play prints the hops and gives the text with times shown as X.
func play(w *Writer, out *strings.Builder, hopList []hop) (string, error) {
	for _, h := range hopList {
		for q, a := range h.answers {
			if err := w.Probe(hops.Settled{TTL: h.ttl, Query: q, Outcome: outcomeOf(a), Answer: a}); err != nil {
				return "", err
			}
		}
	}
	err := w.End()
	return strings.ReplaceAll(out.String(), shownRTT, "X ms"), err
}
