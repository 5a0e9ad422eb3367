package link

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// registerMemory hands memory to the kernel in chunks (XDP_UMEM_REG).
func registerMemory(fd int, memory []byte, chunk int) error {
	reg := unix.XDPUmemReg{
		Addr: uint64(uintptr(unsafe.Pointer(unsafe.SliceData(memory)))),
		Len:  uint64(len(memory)),
		Size: uint32(chunk),
	}
	_, _, errno := unix.Syscall6(unix.SYS_SETSOCKOPT, uintptr(fd), unix.SOL_XDP, unix.XDP_UMEM_REG,
		uintptr(unsafe.Pointer(&reg)), unsafe.Sizeof(reg), 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// ringOffsets tells where in their mappings the rings' parts are. Kernels before
// 5.4 have no flags in them, without which this side would not know when to
// kick.
func ringOffsets(fd int) (o unix.XDPMmapOffsets, err error) {
	n, err := getsockopt(fd, unix.XDP_MMAP_OFFSETS, unsafe.Pointer(&o), unsafe.Sizeof(o))
	if err == nil && n < unsafe.Sizeof(o) {
		err = unix.EOPNOTSUPP
	}
	return o, err
}

// xdpStatistics reads the socket's counters. Older kernels fill in the first
// three.
func xdpStatistics(fd int) (s unix.XDPStatistics, err error) {
	_, err = getsockopt(fd, unix.XDP_STATISTICS, unsafe.Pointer(&s), unsafe.Sizeof(s))
	return s, err
}

// getsockopt fills the size bytes at p, or as many as it returns.
func getsockopt(fd, option int, p unsafe.Pointer, size uintptr) (uintptr, error) {
	n := uint32(size)
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_XDP, uintptr(option),
		uintptr(p), uintptr(unsafe.Pointer(&n)), 0)
	if errno != 0 {
		return 0, errno
	}
	return uintptr(n), nil
}

// mapRing maps the ring that the socket has at a page offset.
func mapRing[T any](fd int, at int64, o *unix.XDPRingOffset, entries int) (r xdpRing[T], err error) {
	var entry T
	size := o.Desc + uint64(entries)*uint64(unsafe.Sizeof(entry))
	if max(o.Producer, o.Consumer, o.Flags) > o.Desc-4 || o.Desc < 4 || size > 1<<30 {
		return r, unix.EOPNOTSUPP
	}
	r.memory, err = unix.Mmap(fd, at, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE)
	if err != nil {
		return r, err
	}
	word := func(at uint64) *uint32 { return (*uint32)(unsafe.Pointer(&r.memory[at])) }
	r.producer, r.consumer, r.flags = word(o.Producer), word(o.Consumer), word(o.Flags)
	r.entries = unsafe.Slice((*T)(unsafe.Pointer(&r.memory[o.Desc])), entries)
	return r, nil
}
