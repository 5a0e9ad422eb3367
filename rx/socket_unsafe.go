package rx

import (
	"encoding/binary"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// batchLen is how many packets one recvmmsg(2) takes. A call that gives
	// fewer has taken all there were.
	batchLen = 16
	// maxPacket has room for the longest IP packet and its link header, in whole
	// pages.
	maxPacket = 68 << 10
	// controlLen has room for a time stamp and struct tpacket_auxdata, with
	// their headers (cmsg(3)).
	controlLen = 128
)

// messages are the arguments of recvmmsg(2): made once, so that receiving
// allocates nothing.
type messages struct {
	heads    [batchLen]message
	vectors  [batchLen]unix.Iovec
	names    [batchLen]unix.RawSockaddrLinklayer
	controls [batchLen][controlLen / 8]uint64 // aligned as struct cmsghdr
	packets  []byte                           // of maxPacket each; nil once released
	header   int                              // of a made-up link header, bytes
}

// message is struct mmsghdr.
type message struct {
	unix.Msghdr
	length uint32
}

// init maps memory for the packets, of which those that come touch little, and
// which stays out of what the garbage collector goes by. It leaves header bytes
// before each.
func (m *messages) init(header int) (err error) {
	m.header = header
	m.packets, err = unix.Mmap(-1, 0, batchLen*maxPacket, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return os.NewSyscallError("mmap", err)
	}
	for i := range m.heads {
		m.vectors[i].Base = &m.packets[i*maxPacket+header]
		m.vectors[i].SetLen(maxPacket - header)
		h := &m.heads[i].Msghdr
		h.Iov = &m.vectors[i]
		h.SetIovlen(1)
		h.Name = (*byte)(unsafe.Pointer(&m.names[i]))
		h.Control = (*byte)(unsafe.Pointer(&m.controls[i]))
	}
	return nil
}

// release gives the memory back.
func (m *messages) release() error {
	if m.packets == nil {
		return nil
	}
	err := unix.Munmap(m.packets)
	m.packets = nil
	return os.NewSyscallError("munmap", err)
}

// receive takes the packets that wait, up to batchLen, without waiting.
func (m *messages) receive(fd int) (int, syscall.Errno) {
	for i := range m.heads {
		// The kernel left what the last packet had.
		m.heads[i].Namelen = unix.SizeofSockaddrLinklayer
		m.heads[i].SetControllen(controlLen)
	}
	n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&m.heads)), batchLen, unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

// data is packet i, cut where it was longer than any can be.
func (m *messages) data(i int) []byte {
	start := i * maxPacket
	end := start + min(m.header+int(m.heads[i].length), maxPacket)
	return m.packets[start:end:end]
}

// describe tells of packet i what came with it, and whether it was received at
// all, not sent. shift is the epoch in nanoseconds of the wall clock.
func (m *messages) describe(i int, p *Packet, shift int64) bool {
	if m.names[i].Pkttype == unix.PACKET_OUTGOING {
		return false
	}
	if m.header > 0 {
		makeUp(p.Data[:m.header], &m.names[i])
	}
	all := unsafe.Slice((*byte)(unsafe.Pointer(&m.controls[i])), controlLen)
	rest := all[:min(int(m.heads[i].Controllen), controlLen)]
	for len(rest) >= unix.SizeofCmsghdr {
		h, data, next, err := unix.ParseOneSocketControlMessage(rest)
		if err != nil {
			break
		}
		rest = next
		switch {
		case h.Level == unix.SOL_SOCKET && h.Type == unix.SCM_TIMESTAMPNS && len(data) >= int(unsafe.Sizeof(unix.Timespec{})):
			stamp := (*unix.Timespec)(unsafe.Pointer(unsafe.SliceData(data)))
			p.At = time.Duration(stamp.Nano() - shift)
		case h.Level == unix.SOL_PACKET && h.Type == unix.PACKET_AUXDATA && len(data) >= 4:
			// tp_status, the first field of struct tpacket_auxdata.
			status := binary.NativeEndian.Uint32(data)
			p.Offloaded = status&unix.TP_STATUS_CSUMNOTREADY != 0 && status&unix.TP_STATUS_CSUM_VALID == 0
		}
	}
	return true
}
