package link

import (
	"encoding/binary"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	// maxAsked is how many questions are on their way at once.
	maxAsked = 32
	// answerRoom is what an answer may take of the socket's buffer, in bytes: the
	// kernel makes each in a page, whatever its length.
	answerRoom = 6 << 10
)

// askAll sends many questions of one kind, several at a time, which is several
// times as fast as one by one. take gets the answer to each, in their order, or
// its errno; the body is valid until it returns. After an error the kernel must
// not be asked again.
func (k *kernel) askAll(kind uint16, questions [][]byte, take func(i int, body []byte, err error) error) error {
	raw, err := k.conn.SyscallConn()
	if err != nil {
		return opError("netlink", err)
	}
	room, err := k.conn.ReadBuffer()
	if err != nil {
		return opError("netlink", err)
	}
	most := max(1, min(maxAsked, room/answerRoom))
	in, out := make([]byte, 32<<10), make([]byte, 0, 8<<10)
	for first := 0; first < len(questions); first += most {
		batch := questions[first:min(first+most, len(questions))]
		out = out[:0]
		for i, q := range batch {
			out = appendQuestion(out, kind, uint32(first+i), q)
		}
		if err := sendAll(raw, out); err != nil {
			return opError("netlink send", err)
		}
		for next := first; next < first+len(batch); {
			n, err := receiveOne(raw, in)
			if err != nil {
				return opError("netlink receive", err)
			}
			if next, err = answers(in[:n], next, take); err != nil {
				return err
			}
		}
	}
	return nil
}

// appendQuestion appends a message, struct nlmsghdr first (netlink(7)).
func appendQuestion(b []byte, kind uint16, number uint32, body []byte) []byte {
	b = binary.NativeEndian.AppendUint32(b, uint32(unix.NLMSG_HDRLEN+len(body)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = binary.NativeEndian.AppendUint16(b, unix.NLM_F_REQUEST)
	b = binary.NativeEndian.AppendUint32(b, number)
	b = binary.NativeEndian.AppendUint32(b, 0)
	b = append(b, body...)
	return append(b, make([]byte, -len(body)&(unix.NLMSG_ALIGNTO-1))...)
}

// answers hands out the messages of b, the first of which answers question next,
// and tells whose answer is due then.
func answers(b []byte, next int, take func(i int, body []byte, err error) error) (int, error) {
	for len(b) > 0 {
		if len(b) < unix.NLMSG_HDRLEN {
			return next, fmt.Errorf("netlink message of %d bytes, not at least %d", len(b), unix.NLMSG_HDRLEN)
		}
		size := int(binary.NativeEndian.Uint32(b))
		kind, number := binary.NativeEndian.Uint16(b[4:]), binary.NativeEndian.Uint32(b[8:])
		if size < unix.NLMSG_HDRLEN || size > len(b) || number != uint32(next) {
			return next, fmt.Errorf("netlink message %d of %d bytes in %d, want message %d", number, size, len(b), next)
		}
		body := b[unix.NLMSG_HDRLEN:size]
		var err error
		if kind == unix.NLMSG_ERROR {
			if len(body) < 4 {
				return next, fmt.Errorf("netlink error of %d bytes, not at least 4", len(body))
			}
			err = unix.Errno(-int32(binary.NativeEndian.Uint32(body)))
		}
		if err := take(next, body, err); err != nil {
			return next, err
		}
		next++
		b = b[min((size+unix.NLMSG_ALIGNTO-1)&^(unix.NLMSG_ALIGNTO-1), len(b)):]
	}
	return next, nil
}

func sendAll(raw syscall.RawConn, b []byte) (err error) {
	werr := raw.Write(func(fd uintptr) bool {
		err = unix.Sendto(int(fd), b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
		return err != unix.EAGAIN && err != unix.EINTR
	})
	if err == nil {
		err = werr
	}
	return err
}

func receiveOne(raw syscall.RawConn, b []byte) (n int, err error) {
	rerr := raw.Read(func(fd uintptr) bool {
		n, _, err = unix.Recvfrom(int(fd), b, unix.MSG_DONTWAIT)
		return err != unix.EAGAIN && err != unix.EINTR
	})
	if err == nil {
		err = rerr
	}
	return n, err
}
