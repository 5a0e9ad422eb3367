package link

import (
	"encoding/binary"
	"os"

	"golang.org/x/sys/unix"
)

// Alone tells whether an interface is the only one that is up, the loopback
// aside: what answers its frames comes in by it or not at all. It needs no
// privilege, and asks in the calling thread's namespace.
//
// The kernel's list is read up to the first other interface that is up, without
// what it says of each but its flags: a host may have thousands.
func Alone(index int) (bool, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return false, os.NewSyscallError("socket", err)
	}
	defer unix.Close(fd)
	request := listRequest()
	if err := unix.Sendto(fd, request[:], 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return false, os.NewSyscallError("sendto RTM_GETLINK", err)
	}
	var buf [32 << 10]byte // what the kernel makes a part of the list of at most
	for {
		n, _, err := unix.Recvfrom(fd, buf[:], 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return false, os.NewSyscallError("recvfrom RTM_GETLINK", err)
		}
		if another, ended := findAnother(buf[:n], index); another || ended {
			return !another, nil
		}
	}
}

// Places in a netlink message: struct nlmsghdr, and behind it struct ifinfomsg
// (netlink(7), rtnetlink(7)).
const (
	messageTypeAt    = 4
	messageFlagsAt   = 6
	interfaceIndexAt = unix.SizeofNlMsghdr + 4
	interfaceFlagsAt = unix.SizeofNlMsghdr + 8
	interfaceLen     = unix.SizeofNlMsghdr + unix.SizeofIfInfomsg

	// skipStats is RTEXT_FILTER_SKIP_STATS of linux/rtnetlink.h.
	skipStats = 1 << 3
)

// listRequest asks for all interfaces, without their counters.
func listRequest() (b [interfaceLen + unix.SizeofRtAttr + 4]byte) {
	e := binary.NativeEndian
	e.PutUint32(b[:], uint32(len(b)))
	e.PutUint16(b[messageTypeAt:], unix.RTM_GETLINK)
	e.PutUint16(b[messageFlagsAt:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	a := b[interfaceLen:]
	e.PutUint16(a, uint16(len(a)))
	e.PutUint16(a[2:], unix.IFLA_EXT_MASK)
	e.PutUint32(a[unix.SizeofRtAttr:], skipStats)
	return b
}

// findAnother looks through a part of the list for an interface that is up,
// other than the one with the index and no loopback. ended tells that no part
// follows: what can't be read ends the list as if there was another.
func findAnother(b []byte, index int) (another, ended bool) {
	e := binary.NativeEndian
	for len(b) > 0 {
		if len(b) < unix.SizeofNlMsghdr {
			return true, true
		}
		size := int(e.Uint32(b))
		if size < unix.SizeofNlMsghdr || size > len(b) {
			return true, true
		}
		switch e.Uint16(b[messageTypeAt:]) {
		case unix.NLMSG_DONE:
			return false, true
		case unix.NLMSG_ERROR:
			return true, true
		case unix.RTM_NEWLINK:
			if size < interfaceLen {
				return true, true
			}
			flags := e.Uint32(b[interfaceFlagsAt:])
			if int(int32(e.Uint32(b[interfaceIndexAt:]))) != index && flags&unix.IFF_UP != 0 && flags&unix.IFF_LOOPBACK == 0 {
				return true, false
			}
		}
		b = b[min((size+3)&^3, len(b)):]
	}
	return false, false
}
