package link

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"github.com/hopquote/hopquote/frame"
	"github.com/jsimonetti/rtnetlink/v2"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// kernel asks the kernel's routing, interface and neighbour tables
// (rtnetlink(7)). It stays in the namespace it was opened in.
type kernel struct {
	conn *netlink.Conn
}

func openKernel() (*kernel, error) {
	conn, err := netlink.Dial(unix.NETLINK_ROUTE, nil)
	if err != nil {
		return nil, opError("socket", err)
	}
	return &kernel{conn}, nil
}

func (k *kernel) close() { k.conn.Close() }

// ask sends one request and gives the body of its one answer. rtnetlink's typed
// messages lack attributes that we ask with, so requests are encoded here.
func (k *kernel) ask(kind netlink.HeaderType, header []byte, attributes *netlink.AttributeEncoder) ([]byte, error) {
	a, err := attributes.Encode()
	if err != nil {
		return nil, err
	}
	answers, err := k.conn.Execute(netlink.Message{
		Header: netlink.Header{Type: kind, Flags: netlink.Request},
		Data:   append(header, a...),
	})
	if err != nil {
		return nil, err
	}
	if len(answers) != 1 {
		return nil, fmt.Errorf("rtnetlink: %d answers to one question", len(answers))
	}
	return answers[0].Data, nil
}

// device is an interface as it matters to frames.
type device struct {
	Interface
	kind  uint16 // ARPHRD_*
	flags uint32 // IFF_*
	mtu   int
	mac   []byte
}

// device looks up an interface by index.
func (k *kernel) device(index int) (device, error) {
	header := make([]byte, unix.SizeofIfInfomsg)
	binary.NativeEndian.PutUint32(header[4:], uint32(index))
	body, err := k.ask(unix.RTM_GETLINK, header, netlink.NewAttributeEncoder())
	if err != nil {
		return device{}, fmt.Errorf("interface %d: %w", index, err)
	}
	var m rtnetlink.LinkMessage
	if err := m.UnmarshalBinary(body); err != nil {
		return device{}, fmt.Errorf("interface %d: %w", index, err)
	}
	if m.Attributes == nil {
		return device{}, fmt.Errorf("interface %d: the kernel tells nothing of it", index)
	}
	return device{
		Interface: Interface{Index: index, Name: m.Attributes.Name},
		kind:      m.Type,
		flags:     m.Flags,
		mtu:       int(m.Attributes.MTU),
		mac:       m.Attributes.Address,
	}, nil
}

// header gives the link header of the interface's frames.
func (d *device) header() (frame.Link, error) {
	switch d.kind {
	case unix.ARPHRD_ETHER, unix.ARPHRD_LOOPBACK:
		h := frame.Link{Type: frame.LinkEthernet}
		if copy(h.Src[:], d.mac) != len(h.Src) || len(d.mac) != len(h.Src) {
			return h, fmt.Errorf("interface %s: hardware address of %d bytes, not 6", d.Name, len(d.mac))
		}
		return h, nil
	case unix.ARPHRD_NONE, unix.ARPHRD_RAWIP, unix.ARPHRD_PPP, unix.ARPHRD_TUNNEL,
		unix.ARPHRD_TUNNEL6, unix.ARPHRD_SIT, unix.ARPHRD_IPGRE, unix.ARPHRD_IP6GRE:
		return frame.Link{Type: frame.LinkRaw}, nil
	}
	return frame.Link{}, fmt.Errorf("interface %s: link layer %d is neither Ethernet, loopback nor a bare IP tunnel", d.Name, d.kind)
}

// Neighbour states in which the kernel itself would send: NUD_VALID.
const usableStates = unix.NUD_REACHABLE | unix.NUD_PERMANENT | unix.NUD_NOARP |
	unix.NUD_DELAY | unix.NUD_PROBE | unix.NUD_STALE

// neighbour gives the link-layer address of addr in the kernel's table, and
// whether it has a usable one.
func (k *kernel) neighbour(index int, addr netip.Addr) (mac [6]byte, ok bool, err error) {
	header := make([]byte, unix.SizeofNdMsg)
	header[0] = family(addr)
	binary.NativeEndian.PutUint32(header[4:], uint32(index))
	ae := netlink.NewAttributeEncoder()
	ae.Bytes(unix.NDA_DST, addr.AsSlice())
	body, err := k.ask(unix.RTM_GETNEIGH, header, ae)
	if errors.Is(err, unix.ENOENT) {
		return mac, false, nil
	}
	if err != nil {
		return mac, false, fmt.Errorf("neighbour %v: %w", addr, err)
	}
	var m rtnetlink.NeighMessage
	if err := m.UnmarshalBinary(body); err != nil {
		return mac, false, fmt.Errorf("neighbour %v: %w", addr, err)
	}
	if m.State&usableStates == 0 || m.Attributes == nil || len(m.Attributes.LLAddress) != len(mac) {
		return mac, false, nil
	}
	copy(mac[:], m.Attributes.LLAddress)
	return mac, true, nil
}

func family(addr netip.Addr) uint8 {
	if addr.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}
