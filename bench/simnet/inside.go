package simnet

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/hopquote/hopquote/frame"
)

// layer is what a router has a probe inside of: another packet, or labels.
type layer struct {
	kind     layerKind
	from, to netip.Addr // of the packet around it
	labels   []byte
}

type layerKind uint8

const (
	inIP    layerKind = iota // RFC 2003, RFC 4213
	inGRE                    // RFC 2784
	inError                  // quoted by an ICMP time exceeded
	inMPLS                   // RFC 3032
)

// maxLayers bounds what a script may put around a quote.
const maxLayers = 4

// Protocols that carry packets, and what labels are in Ethernet and GRE, IANA
// registries.
const (
	protoIPIP = 4
	protoIPv6 = 41
	protoGRE  = 47
	protoMPLS = 137 // RFC 4023

	etherTypeMPLS = 0x8847
)

// layer parses "ip|gre|error FROM TO" or "mpls L/E/S/T[,...]".
func (q *quote) layer(c *cursor) error {
	if len(q.layers) >= maxLayers {
		return fmt.Errorf("inside: more than %d layers", maxLayers)
	}
	var l layer
	switch w, _ := c.take(); w {
	case "ip":
		l.kind = inIP
	case "gre":
		l.kind = inGRE
	case "error":
		l.kind = inError
	case "mpls":
		l.kind = inMPLS
		var err error
		if l.labels, err = parseLabels(c); err != nil {
			return err
		}
	default:
		return fmt.Errorf("inside %q: must be ip, gre, error or mpls", w)
	}
	if l.kind != inMPLS {
		var err error
		if l.from, l.to, err = c.ends("inside"); err != nil {
			return err
		}
	}
	q.layers = append(q.layers, l)
	return nil
}

// ends reads two addresses of one family.
func (c *cursor) ends(what string) (from, to netip.Addr, err error) {
	if from, err = c.addr(what); err != nil {
		return from, to, err
	}
	if to, err = c.addr(what); err == nil && from.Is4() != to.Is4() {
		err = fmt.Errorf("%s %v %v: must be two addresses of one family", what, from, to)
	}
	return from, to, err
}

// around puts the layer around b: an IP packet, or where inner is not nil what
// that layer made of one.
func (l *layer) around(b []byte, inner *layer) []byte {
	protocol, etherType := protoIPIP, etherTypeIPv4
	switch {
	case inner != nil && inner.kind == inMPLS:
		protocol, etherType = protoMPLS, etherTypeMPLS
	case len(b) > 0 && b[0]>>4 == 6:
		protocol, etherType = protoIPv6, etherTypeIPv6
	}
	switch l.kind {
	case inIP:
		return l.packet(protocol, b)
	case inGRE:
		header := binary.BigEndian.AppendUint16([]byte{0, 0}, uint16(etherType))
		return l.packet(protoGRE, append(header, b...))
	case inError:
		m := frame.ErrorMessage{From: l.from, To: l.to, TTL: 1, Type: choose(l.from.Is6(), 11, 3), Quote: b}
		return m.Append(nil)
	}
	return append(append([]byte(nil), l.labels...), b...)
}

// packet puts an IP header with a TTL of 1 around b, which expired together with
// it.
func (l *layer) packet(protocol int, b []byte) []byte {
	return appendIP(nil, frame.Link{}, l.from, l.to, 1, 0, 0, protocol, b)[ethernetLen:]
}
