package lab

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/jsimonetti/rtnetlink/v2"
	"github.com/jsimonetti/rtnetlink/v2/driver"
	"golang.org/x/sys/unix"
)

// newVeth makes a pair, one end in each host, both down: the kernel cannot set
// up an end in the same request. The indexes must differ: the kernel delays
// the carrier of a link whose peer has its own index by up to a second.
func newVeth(a, b *Host, names [2]string, indexes [2]uint32, mtu int) error {
	end := func(i int, h *Host) *rtnetlink.LinkMessage {
		return &rtnetlink.LinkMessage{
			Index: indexes[i],
			Attributes: &rtnetlink.LinkAttributes{
				Name:    names[i],
				MTU:     uint32(mtu),
				Address: macAddress(indexes[i]),
			},
		}
	}
	peer := end(1, b)
	peer.Attributes.NetNS = rtnetlink.NetNSForFD(uint32(b.ns.Fd()))
	link := end(0, a)
	link.Attributes.Info = &rtnetlink.LinkInfo{Kind: "veth", Data: &driver.Veth{PeerInfo: peer}}
	if err := a.conn.Link.New(link); err != nil {
		return fmt.Errorf("lab: make veth pair %s and %s: %w", names[0], names[1], err)
	}
	return nil
}

// macAddress is a locally administered address that tells the link's index.
func macAddress(index uint32) net.HardwareAddr {
	return net.HardwareAddr{2, 0, byte(index >> 24), byte(index >> 16), byte(index >> 8), byte(index)}
}

// link finds the index, flags and state of an interface by name.
func (h *Host) link(name string) (rtnetlink.LinkMessage, error) {
	links, err := h.conn.Link.List()
	if err != nil {
		return rtnetlink.LinkMessage{}, fmt.Errorf("lab: list links of %s: %w", h.name, err)
	}
	for _, l := range links {
		if l.Attributes != nil && l.Attributes.Name == name {
			return l, nil
		}
	}
	return rtnetlink.LinkMessage{}, fmt.Errorf("lab: %s has no link %q: %w", h.name, name, unix.ENODEV)
}

// SetLink sets the link up or down. Down takes the routes through it away.
func (h *Host) SetLink(name string, up bool) error {
	l, err := h.link(name)
	if err != nil {
		return err
	}
	flags := uint32(0)
	if up {
		flags = unix.IFF_UP
	}
	err = h.conn.Link.Set(&rtnetlink.LinkMessage{Index: l.Index, Flags: flags, Change: unix.IFF_UP})
	if err != nil {
		return fmt.Errorf("lab: set %s of %s up=%t: %w", name, h.name, up, err)
	}
	return nil
}

// SetMTU sets the link's MTU in bytes of IP, 68..65535. Below 1280 the kernel
// takes IPv6 off the link.
func (h *Host) SetMTU(name string, mtu int) error {
	if mtu < 68 || mtu > 65535 {
		return fmt.Errorf("lab: set MTU %d on %s of %s: not within 68..65535", mtu, name, h.name)
	}
	l, err := h.link(name)
	if err != nil {
		return err
	}
	err = h.conn.Link.Set(&rtnetlink.LinkMessage{Index: l.Index, Attributes: &rtnetlink.LinkAttributes{MTU: uint32(mtu)}})
	if err != nil {
		return fmt.Errorf("lab: set MTU %d on %s of %s: %w", mtu, name, h.name, err)
	}
	return nil
}

// DeleteLink removes the link, and with it the other end of its pair.
func (h *Host) DeleteLink(name string) error {
	l, err := h.link(name)
	if err != nil {
		return err
	}
	if err := h.conn.Link.Delete(l.Index); err != nil {
		return fmt.Errorf("lab: delete %s of %s: %w", name, h.name, err)
	}
	return nil
}

// AddAddress gives the link an address. When the link is up, neighbours can
// reach the address as soon as AddAddress returns.
func (h *Host) AddAddress(name string, p netip.Prefix) error {
	m, err := h.addressMessage(name, p)
	if err != nil {
		return err
	}
	if err := h.conn.Address.New(m); err != nil {
		return fmt.Errorf("lab: add %s to %s of %s: %w", p, name, h.name, err)
	}
	return h.settle(name)
}

// settle waits until no IPv6 address of a running link is tentative. A worker
// of the kernel makes an address answer neighbour solicitations, even without
// duplicate address detection (IFA_F_NODAD would only hide that it is not done
// yet); a solicitation that comes before is lost, and repeated a second later.
func (h *Host) settle(name string) error {
	deadline := time.Now().Add(readyWait)
	for {
		l, err := h.link(name)
		if err != nil || l.Flags&unix.IFF_RUNNING == 0 {
			return err
		}
		addresses, err := h.conn.Address.List()
		if err != nil {
			return fmt.Errorf("lab: list addresses of %s: %w", h.name, err)
		}
		if !slices.ContainsFunc(addresses, func(a rtnetlink.AddressMessage) bool {
			return a.Index == l.Index && a.Family == unix.AF_INET6 && a.Flags&unix.IFA_F_TENTATIVE != 0
		}) {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("lab: an IPv6 address on %s of %s is still tentative after %v", name, h.name, readyWait)
		}
		time.Sleep(100 * time.Microsecond)
	}
}

// DeleteAddress takes an address from the link.
func (h *Host) DeleteAddress(name string, p netip.Prefix) error {
	m, err := h.addressMessage(name, p)
	if err != nil {
		return err
	}
	if err := h.conn.Address.Delete(m); err != nil {
		return fmt.Errorf("lab: delete %s from %s of %s: %w", p, name, h.name, err)
	}
	return nil
}

func (h *Host) addressMessage(name string, p netip.Prefix) (*rtnetlink.AddressMessage, error) {
	if !p.IsValid() || p.Addr().Is4In6() {
		return nil, fmt.Errorf("lab: address %s for %s of %s: not an IPv4 or IPv6 address with its prefix length", p, name, h.name)
	}
	l, err := h.link(name)
	if err != nil {
		return nil, err
	}
	m := &rtnetlink.AddressMessage{
		Family:       family(p.Addr()),
		PrefixLength: uint8(p.Bits()),
		Index:        l.Index,
		Attributes:   &rtnetlink.AddressAttributes{Address: p.Addr().AsSlice()},
	}
	if p.Addr().Is4() {
		m.Attributes.Local = p.Addr().AsSlice()
	}
	return m, nil
}

func family(a netip.Addr) uint8 {
	if a.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}
