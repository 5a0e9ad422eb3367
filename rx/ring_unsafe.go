package rx

import (
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Places in a block, from linux/if_packet.h.
const (
	// blockHeaderOffset is hdr in struct tpacket_block_desc, behind version
	// and offset_to_priv.
	blockHeaderOffset = unsafe.Offsetof(unix.TpacketBlockDesc{}.Hdr)
	// packetHeaderLen is struct tpacket3_hdr, whose 48 bytes are aligned to 16
	// already, and struct sockaddr_ll.
	packetHeaderLen = unix.SizeofTpacket3Hdr + unix.SizeofSockaddrLinklayer
	// packetTypeOffset is sll_pkttype from the start of tpacket3_hdr.
	packetTypeOffset = unix.SizeofTpacket3Hdr + uint64(unsafe.Offsetof(unix.RawSockaddrLinklayer{}.Pkttype))
)

// blockHeader is the block's struct tpacket_hdr_v1. The block has at least a
// page, aligned as one.
func blockHeader(block []byte) *unix.TpacketHdrV1 {
	return (*unix.TpacketHdrV1)(unsafe.Pointer(&block[blockHeaderOffset]))
}

// packetHeader is the struct tpacket3_hdr at offset at, or nil where none fits
// or its alignment is wrong.
func packetHeader(block []byte, at uint64) *unix.Tpacket3Hdr {
	if at > uint64(len(block)) || uint64(len(block))-at < packetHeaderLen || at%8 != 0 {
		return nil
	}
	return (*unix.Tpacket3Hdr)(unsafe.Pointer(&block[at]))
}

// ready tells whether the kernel has handed the block over. The load orders
// all reads of the block after it.
func ready(block []byte) bool {
	return atomic.LoadUint32(&blockHeader(block).Block_status)&unix.TP_STATUS_USER != 0
}

// giveBack hands the block back to the kernel. The store orders all reads of
// the block before it.
func giveBack(block []byte) {
	atomic.StoreUint32(&blockHeader(block).Block_status, unix.TP_STATUS_KERNEL)
}

// ppollKeeping is ppoll(2) behind the back of Go's scheduler. The signal by
// which that wants its processor back ends it with EINTR.
func ppollKeeping(fds []unix.PollFd, timeout *unix.Timespec) error {
	_, _, errno := unix.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(unsafe.SliceData(fds))), uintptr(len(fds)),
		uintptr(unsafe.Pointer(timeout)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
