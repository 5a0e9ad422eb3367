package pmtu

import (
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/scheduler/hops"
)

// NewTold makes the classic strategy of package hops follow every too-big
// answer that tells a usable MTU, as traceroute --mtu does: the probe is sent
// again in that size, and all later ones are no larger. The engine's window
// should be 1, so that no probe of the old size is under way then.
func NewTold(cfg hops.Config) (*hops.Hops, error) {
	cfg.Resize = told
	return hops.New(cfg)
}

// told gives the MTU that the answer to a probe tells, when it is one that
// makes the probe smaller and leaves room for its headers.
func told(sent *frame.Probe, m *rx.Match) (size int, usable bool) {
	if m.Reply.Kind != frame.KindTooBig {
		return 0, false
	}
	mtu := int64(m.Reply.MTU)
	least := int64(frame.MinSize(sent.Method, sent.IsIPv6()))
	return int(mtu), least <= mtu && mtu < int64(sent.Size)
}
