package link

import (
	"errors"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/hopquote/hopquote/frame"
)

// tap sees the SYNs that this host sends by one interface.
type tap struct {
	fd   int
	link frame.LinkType
	buf  []byte
}

// maxSYN is more than any SYN takes, with its link header and fast-open data.
const maxSYN = 2048

// openTap opens a packet socket for them. Only one bound to every protocol sees
// outgoing packets, packet(7), so the filter goes before that.
func openTap(e *Envelope) (_ *tap, err error) {
	kind := unix.SOCK_RAW
	if e.Header.Type == frame.LinkRaw {
		kind = unix.SOCK_DGRAM
	}
	fd, err := unix.Socket(unix.AF_PACKET, kind|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, opError("socket", err)
	}
	t := &tap{fd: fd, link: e.Header.Type, buf: make([]byte, maxSYN)}
	defer func() {
		if err != nil {
			t.close()
		}
	}()
	code, err := bpf.Assemble(synFilter(uint32(e.Header.Type.HeaderLen()), e.Src.Is6()))
	if err != nil {
		return nil, err
	}
	filter := make([]unix.SockFilter, len(code))
	for i, c := range code {
		filter[i] = unix.SockFilter{Code: c.Op, Jt: c.Jt, Jf: c.Jf, K: c.K}
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &program); err != nil {
		return nil, opError("setsockopt SO_ATTACH_FILTER", err)
	}
	sa := unix.SockaddrLinklayer{Protocol: networkOrder(unix.ETH_P_ALL), Ifindex: e.Interface.Index}
	if err := unix.Bind(fd, &sa); err != nil {
		return nil, opError("bind", err)
	}
	return t, nil
}

// synFilter passes outgoing TCP segments of the family with SYN and without ACK
// (RFC 9293 section 3.1), whose IP header is at ip.
func synFilter(ip uint32, v6 bool) []bpf.Instruction {
	const outgoing, synAck, syn = unix.PACKET_OUTGOING, 0x12, 0x02
	version, protocolAt := uint32(4), ip+9
	find := []bpf.Instruction{bpf.LoadMemShift{Off: ip}} // X = header length
	if v6 {
		version, protocolAt = 6, ip+6
		find = []bpf.Instruction{bpf.LoadConstant{Dst: bpf.RegX, Val: 40}}
	}
	code := []bpf.Instruction{
		bpf.LoadExtension{Num: bpf.ExtType},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: outgoing, SkipTrue: 10},
		bpf.LoadAbsolute{Off: ip, Size: 1},
		bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: 4},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: version, SkipTrue: 7},
		bpf.LoadAbsolute{Off: protocolAt, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.IPPROTO_TCP, SkipTrue: 5},
	}
	code = append(code, find...)
	return append(code,
		bpf.LoadIndirect{Off: ip + 13, Size: 1},
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: synAck},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: syn, SkipTrue: 1},
		bpf.RetConstant{Val: maxSYN},
		bpf.RetConstant{Val: 0},
	)
}

// clear forgets what has been seen.
func (t *tap) clear() {
	for {
		if _, err := t.read(); err != nil {
			return
		}
	}
}

func (t *tap) read() (int, error) {
	for {
		n, _, err := unix.Recvfrom(t.fd, t.buf, 0)
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

// wait gives the frame of a SYN from the port, nil when none leaves in time or
// before its socket fails.
func (t *tap) wait(port uint16, socket int, patience time.Duration) []byte {
	deadline := time.Now().Add(patience)
	for failed := false; ; {
		n, err := t.read()
		switch {
		case err == nil:
			var r frame.Reply
			frame.Decode(t.buf[:n], t.link, true, &r)
			if r.Kind == frame.KindTCP && r.SrcPort == port {
				return t.buf[:n]
			}
			continue
		case !errors.Is(err, unix.EAGAIN):
			return nil
		}
		left := time.Until(deadline)
		if left <= 0 || failed {
			return nil
		}
		ready := []unix.PollFd{{Fd: int32(t.fd), Events: unix.POLLIN}, {Fd: int32(socket)}}
		if _, err := unix.Poll(ready, int(left/time.Millisecond)+1); err != nil && !errors.Is(err, unix.EINTR) {
			return nil
		}
		failed = ready[1].Revents != 0 // look once more: an answer takes a SYN
	}
}

func (t *tap) close() error { return unix.Close(t.fd) }
