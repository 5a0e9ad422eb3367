package virtual

import (
	"net/netip"

	"github.com/hopquote/hopquote/frame"
)

// Links puts MTUs on the links of a path. Probes that fit go on to Next.
type Links struct {
	// MTU has the links in order, in bytes of IP packet: MTU[n] is what the
	// n-th router (the sending host for 0) can forward. 0 and those past the
	// end take everything.
	MTU []int
	// Router gives the address that the n-th router tells from; one without an
	// address drops silently what does not fit.
	Router map[int]netip.Addr
	// Tell, when set, is what a router tells as the MTU in place of the true
	// one.
	Tell map[int]uint32

	Next func(Sent) []Reply
}

// Respond implements Net.Respond. Only probes with DF, and IPv6 ones, can be
// too big.
func (l *Links) Respond(p Sent) []Reply {
	if p.Probe.DF || p.Probe.IsIPv6() {
		for n, mtu := range l.MTU[:min(len(l.MTU), int(p.Probe.TTL))] {
			if mtu != 0 && p.Probe.Size > mtu {
				return l.drop(n, p)
			}
		}
	}
	return l.Next(p)
}

func (l *Links) drop(n int, p Sent) []Reply {
	from := l.Router[n]
	if !from.IsValid() {
		return nil
	}
	mtu, other := l.Tell[n]
	if !other {
		mtu = uint32(l.MTU[n])
	}
	return []Reply{{Frame: Step{Kind: frame.KindTooBig, From: from, MTU: mtu}.frame(p)}}
}
