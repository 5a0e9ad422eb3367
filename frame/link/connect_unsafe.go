package link

import (
	"encoding/binary"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Options and values of linux/in6.h that the unix package lacks.
const (
	ipv6FlowlabelMgr  = 32
	ipv6FlowinfoSend  = 33
	flowlabelGet      = 0   // IPV6_FL_A_GET
	flowlabelShareAny = 255 // IPV6_FL_S_ANY
	flowlabelCreate   = 1   // IPV6_FL_F_CREATE
)

// in6FlowlabelReq is struct in6_flowlabel_req.
type in6FlowlabelReq struct {
	dst     [16]byte
	label   [4]byte // network byte order
	action  uint8
	share   uint8
	flags   uint16
	expires uint16
	linger  uint16
	_       uint32
}

// dial is connect(2), which unix.Connect can't ask for a flow label.
func (c *Connector) dial(fd int, dst netip.Addr, port uint16) error {
	if c.cfg.Label == nil || dst.Is4() {
		sa, err := sockaddr("connect", dst, port)
		if err != nil {
			return err
		}
		return unix.Connect(fd, sa)
	}
	id, err := scope("connect", dst)
	if err != nil {
		return err
	}
	req := in6FlowlabelReq{dst: dst.As16(), action: flowlabelGet, share: flowlabelShareAny, flags: flowlabelCreate}
	binary.BigEndian.PutUint32(req.label[:], *c.cfg.Label)
	lease := unsafe.String((*byte)(unsafe.Pointer(&req)), unsafe.Sizeof(req))
	if err := unix.SetsockoptString(fd, unix.IPPROTO_IPV6, ipv6FlowlabelMgr, lease); err != nil {
		return opError("setsockopt IPV6_FLOWLABEL_MGR", err)
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, ipv6FlowinfoSend, 1); err != nil {
		return opError("setsockopt IPV6_FLOWINFO_SEND", err)
	}
	sa := unix.RawSockaddrInet6{
		Family: unix.AF_INET6, Port: networkOrder(port), Addr: dst.As16(), Scope_id: id,
		Flowinfo: binary.NativeEndian.Uint32(req.label[:]),
	}
	if _, _, errno := unix.Syscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&sa)), unsafe.Sizeof(sa)); errno != 0 {
		return errno
	}
	return nil
}

// networkOrder gives a number whose bytes in memory are v's in network order.
func networkOrder(v uint16) uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, v))
}
