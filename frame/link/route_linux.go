package link

import (
	"fmt"
	"net/netip"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// route is the kernel's answer to RTM_GETROUTE.
type route struct {
	kind    uint8 // RTN_*
	oif     int
	gateway netip.Addr // not valid when on link
	mtu     int        // 0 when the route has none
}

// route asks for the route to e.Dst, by interface oif if not 0, as connect(2)
// looks it up: for IPv4 once more with the source that it chose, for IPv6 with
// a source only if the caller bound one.
func (k *kernel) route(w *Want, e *Envelope, oif int) (route, error) {
	if e.Dst.Is4() {
		return k.getRoute(w, e, oif, true)
	}
	bound := w.Src.IsValid()
	r, err := k.getRoute(w, e, oif, bound)
	if oif == 0 || !bound || (err == nil && (r.oif == oif || r.kind == unix.RTN_LOCAL)) {
		return r, err
	}
	// With a source, the kernel takes the interface of an IPv6 look-up for a
	// hint, which a bound socket does not.
	if strict, err := k.getRoute(w, e, oif, false); err == nil {
		return strict, nil
	}
	return r, err
}

func (k *kernel) getRoute(w *Want, e *Envelope, oif int, withSource bool) (route, error) {
	question, err := routeQuestion(w, e, oif, withSource)
	if err != nil {
		return route{}, err
	}
	body, err := k.ask(unix.RTM_GETROUTE, question, netlink.NewAttributeEncoder())
	if err != nil {
		return route{}, err
	}
	return parseRoute(body)
}

// routeQuestion is the body of an RTM_GETROUTE.
func routeQuestion(w *Want, e *Envelope, oif int, withSource bool) ([]byte, error) {
	bits := uint8(e.Dst.BitLen())
	header := make([]byte, unix.SizeofRtMsg)
	header[0] = family(e.Dst)
	header[1] = bits
	header[3] = w.TOS &^ 3 // the ECN bits route nothing and newer kernels refuse them
	ae := netlink.NewAttributeEncoder()
	ae.Bytes(unix.RTA_DST, e.Dst.AsSlice())
	if withSource && !e.Src.IsUnspecified() {
		header[2] = bits
		ae.Bytes(unix.RTA_SRC, e.Src.AsSlice())
	}
	if oif != 0 {
		ae.Uint32(unix.RTA_OIF, uint32(oif))
	}
	if w.Mark != 0 {
		ae.Uint32(unix.RTA_MARK, w.Mark)
	}
	if w.Protocol != 0 {
		ae.Uint8(unix.RTA_IP_PROTO, w.Protocol)
		if w.DstPort != 0 && (w.Protocol == unix.IPPROTO_UDP || w.Protocol == unix.IPPROTO_TCP) {
			// Network byte order, as the one of struct sockaddr_in.
			ae.Bytes(unix.RTA_DPORT, []byte{byte(w.DstPort >> 8), byte(w.DstPort)})
		}
	}
	a, err := ae.Encode()
	return append(header, a...), err
}

// parseRoute reads a struct rtmsg and its attributes (rtnetlink(7)).
func parseRoute(body []byte) (route, error) {
	if len(body) < unix.SizeofRtMsg {
		return route{}, fmt.Errorf("route message of %d bytes, not at least %d", len(body), unix.SizeofRtMsg)
	}
	r := route{kind: body[7]}
	ad, err := netlink.NewAttributeDecoder(body[unix.SizeofRtMsg:])
	if err != nil {
		return route{}, err
	}
	for ad.Next() {
		switch ad.Type() {
		case unix.RTA_OIF:
			r.oif = int(ad.Uint32())
		case unix.RTA_GATEWAY:
			r.gateway, _ = netip.AddrFromSlice(ad.Bytes())
		case unix.RTA_VIA:
			// struct rtvia: family, then the address, here of the other family.
			if b := ad.Bytes(); len(b) > 2 {
				r.gateway, _ = netip.AddrFromSlice(b[2:])
			}
		case unix.RTA_METRICS:
			ad.Nested(func(metrics *netlink.AttributeDecoder) error {
				for metrics.Next() {
					if metrics.Type() == unix.RTAX_MTU {
						r.mtu = int(metrics.Uint32())
					}
				}
				return nil
			})
		}
	}
	if err := ad.Err(); err != nil {
		return route{}, err
	}
	if _, refuses := refusals[r.kind]; r.oif == 0 && !refuses {
		return route{}, fmt.Errorf("route message without an interface")
	}
	return r, nil
}
