package lab

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ethtoolValue is struct ethtool_value of linux/ethtool.h.
type ethtoolValue struct {
	command uint32
	data    uint32
}

// ifreqData is struct ifreq of linux/if.h with its ifr_data member.
type ifreqData struct {
	name [unix.IFNAMSIZ]byte
	data unsafe.Pointer
	_    [24 - unsafe.Sizeof(uintptr(0))]byte
}

// checksumsBySender makes the kernel finish transport checksums before packets
// enter the link. A veth otherwise leaves that to hardware it does not have,
// and captures and quotes show half a checksum.
func checksumsBySender(h *Host, e EndPlan) error {
	return h.Do(func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("lab: open a socket in %s: %w", h.name, os.NewSyscallError("socket", err))
		}
		defer unix.Close(fd)
		value := ethtoolValue{command: unix.ETHTOOL_STXCSUM}
		req := ifreqData{data: unsafe.Pointer(&value)}
		copy(req.name[:unix.IFNAMSIZ-1], e.Name)
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&req))); errno != 0 {
			return fmt.Errorf("lab: turn off checksum offload on %s of %s: %w", e.Name, h.name, os.NewSyscallError("ioctl", errno))
		}
		return nil
	})
}
