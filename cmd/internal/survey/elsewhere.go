package survey

import (
	"net"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/frame/link"
	"github.com/hopquote/hopquote/rx"
)

// elsewherePackets is how many replies may wait that came by other interfaces:
// as many as come in 10 ms at 800,000 in a second.
const elsewherePackets = 8 << 10

// hearElsewhere has the rings take in the replies that come by other interfaces,
// if there are any: each loop those to its probes.
func (n *network) hearElsewhere(o *options) error {
	env := n.any()
	if env.Local || env.Zone != "" {
		return nil
	}
	if alone, err := link.Alone(env.Interface.Index); err == nil && alone {
		return nil
	}
	spec := n.filter(o)
	spec.Link = frame.LinkRaw
	program, err := spec.Program()
	if err != nil {
		return err
	}
	list, err := rx.OpenElsewheres(o.loops, rx.ElsewhereConfig{
		Interface: &net.Interface{Index: env.Interface.Index, Name: env.Interface.Name}, Link: env.Header.Type, Filter: program,
		IPv4: spec.Local4.IsValid(), IPv6: spec.Local6.IsValid(), Packets: elsewherePackets, Epoch: n.epoch,
	})
	if err != nil {
		return err
	}
	for i, e := range list {
		n.rings[i].Hear(e)
	}
	return nil
}
