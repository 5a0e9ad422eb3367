package link

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// EqualHop is one of several next hops of a route.
type EqualHop struct {
	Interface int        // index
	NextHop   netip.Addr // not valid: the destination is on the link
	Weight    int        // its part of the flows, 1 or more
}

// routeNextHop is RTA_NH_ID, linux/rtnetlink.h.
const routeNextHop = 30

// Attributes and header of a next hop object, linux/nexthop.h.
const (
	nextHopHeader = 8
	nhID          = 1
	nhGroup       = 2
	nhBlackhole   = 4
	nhInterface   = 5
	nhGateway     = 6
	groupMember   = 8 // bytes of struct nexthop_grp
)

// equal finds the next hops of equal cost for the steps that the questions were
// about, where these leave this host.
func (r *Router) equal(questions [][]byte, steps []Step) error {
	var of []int // steps, by question
	var ask [][]byte
	for i := range steps {
		if steps[i].Way != ByGateway && steps[i].Way != OnLink {
			continue
		}
		q := questions[i]
		binary.NativeEndian.PutUint32(q[8:], unix.RTM_F_FIB_MATCH) // the route itself, not what becomes of a packet
		of, ask = append(of, i), append(ask, q)
	}
	objects := map[int]uint32{}
	err := r.kernel.askAll(unix.RTM_GETROUTE, ask, func(i int, body []byte, err error) error {
		if err != nil {
			return nil // such as from a kernel that does not tell: there is the one step
		}
		s := &steps[of[i]]
		object, err := parseEqual(body, &s.Equal)
		if object != 0 {
			objects[of[i]] = object
		}
		return err
	})
	known := map[uint32][]EqualHop{}
	for i, object := range objects {
		if err != nil {
			break
		}
		if _, ok := known[object]; !ok {
			known[object], err = r.kernel.nextHops(object)
		}
		steps[i].Equal = known[object]
	}
	for i := range steps {
		if len(steps[i].Equal) > 0 {
			steps[i].Equal = r.sorted(steps[i].Equal)
		}
	}
	return err
}

// sorted gives the next hops that the interface of the Router, if it has one,
// leads to. The kernel lists those of IPv6 from the one on that it chose.
func (r *Router) sorted(list []EqualHop) []EqualHop {
	list = slices.Clone(list)
	if r.oif != 0 {
		list = slices.DeleteFunc(list, func(h EqualHop) bool { return h.Interface != r.oif })
	}
	if len(list) < 2 {
		return nil
	}
	slices.SortFunc(list, func(a, b EqualHop) int {
		return cmp.Or(cmp.Compare(a.Interface, b.Interface), a.NextHop.Compare(b.NextHop), cmp.Compare(a.Weight, b.Weight))
	})
	return list
}

// parseEqual reads the next hops of a struct rtmsg that has several, or the
// number of the object that has them.
func parseEqual(body []byte, equal *[]EqualHop) (object uint32, err error) {
	if len(body) < unix.SizeofRtMsg {
		return 0, fmt.Errorf("route message of %d bytes, not at least %d", len(body), unix.SizeofRtMsg)
	}
	ad, err := netlink.NewAttributeDecoder(body[unix.SizeofRtMsg:])
	if err != nil {
		return 0, err
	}
	for ad.Next() {
		switch ad.Type() {
		case routeNextHop:
			object = ad.Uint32()
		case unix.RTA_MULTIPATH:
			*equal, err = multipath(ad.Bytes())
			if err != nil {
				return 0, err
			}
		}
	}
	return object, ad.Err()
}

// multipath reads a list of struct rtnexthop with their attributes
// (rtnetlink(7)). Those that are dead are left out.
func multipath(b []byte) (list []EqualHop, err error) {
	for len(b) > 0 {
		if len(b) < unix.SizeofRtNexthop {
			return nil, fmt.Errorf("next hop of %d bytes, not at least %d", len(b), unix.SizeofRtNexthop)
		}
		size := int(binary.NativeEndian.Uint16(b))
		if size < unix.SizeofRtNexthop || size > len(b) {
			return nil, fmt.Errorf("next hop of %d bytes in %d", size, len(b))
		}
		h := EqualHop{Interface: int(binary.NativeEndian.Uint32(b[4:])), Weight: int(b[3]) + 1}
		ad, err := netlink.NewAttributeDecoder(b[unix.SizeofRtNexthop:size])
		if err != nil {
			return nil, err
		}
		for ad.Next() {
			switch ad.Type() {
			case unix.RTA_GATEWAY:
				h.NextHop, _ = netip.AddrFromSlice(ad.Bytes())
			case unix.RTA_VIA: // as parseRoute's
				if via := ad.Bytes(); len(via) > 2 {
					h.NextHop, _ = netip.AddrFromSlice(via[2:])
				}
			}
		}
		if err := ad.Err(); err != nil {
			return nil, err
		}
		if b[2]&unix.RTNH_F_DEAD == 0 {
			list = append(list, h)
		}
		b = b[min((size+3)&^3, len(b)):]
	}
	return list, nil
}

// nextHops gives those of a next hop object, none where it is no group.
func (k *kernel) nextHops(object uint32) (list []EqualHop, err error) {
	_, group, err := k.nextHop(object)
	for ; err == nil && len(group) >= groupMember; group = group[groupMember:] {
		h, _, err := k.nextHop(binary.NativeEndian.Uint32(group))
		if err != nil {
			return nil, err
		}
		if h.Interface != 0 {
			// Two bytes of weight less one, the upper of which is newer.
			h.Weight = (int(group[5])<<8 | int(group[4])) + 1
			list = append(list, h)
		}
	}
	return list, err
}

// nextHop looks up an object: what leads to a gateway or onto a link, with
// interface 0 if it leads nowhere, or the members of a group.
func (k *kernel) nextHop(object uint32) (h EqualHop, group []byte, err error) {
	ae := netlink.NewAttributeEncoder()
	ae.Uint32(nhID, object)
	body, err := k.ask(unix.RTM_GETNEXTHOP, make([]byte, nextHopHeader), ae)
	if err != nil {
		return h, nil, fmt.Errorf("next hop object %d: %w", object, err)
	}
	if len(body) < nextHopHeader {
		return h, nil, fmt.Errorf("next hop object %d: message of %d bytes, not at least %d", object, len(body), nextHopHeader)
	}
	ad, err := netlink.NewAttributeDecoder(body[nextHopHeader:])
	if err != nil {
		return h, nil, fmt.Errorf("next hop object %d: %w", object, err)
	}
	lost := binary.NativeEndian.Uint32(body[4:])&unix.RTNH_F_DEAD != 0
	for ad.Next() {
		switch ad.Type() {
		case nhGroup:
			group = ad.Bytes()
		case nhBlackhole:
			lost = true
		case nhInterface:
			h.Interface = int(ad.Uint32())
		case nhGateway:
			h.NextHop, _ = netip.AddrFromSlice(ad.Bytes())
		}
	}
	if lost {
		h.Interface = 0
	}
	return h, group, ad.Err()
}
