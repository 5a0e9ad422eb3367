package bsd

import (
	"errors"
	"fmt"
	"slices"
	"syscall"

	"github.com/hopquote/hopquote/cmd/internal/bsd/option"
	"github.com/hopquote/hopquote/frame/link"
	"github.com/hopquote/hopquote/scheduler"
)

// sender shows what is about to leave and goes on past failures: what could
// not be sent is reported, counts as sent, and will stay unanswered.
type sender struct {
	session *session
	to      scheduler.Sender
	mtu     int  // bytes of IP packet; 0: no limit
	again   bool // these frames were tried before
}

// Send implements scheduler.Sender.
func (s *sender) Send(frames [][]byte) (int, error) {
	if !s.again {
		for _, f := range frames {
			s.session.sending(f)
		}
	}
	var n int
	err := s.refused(frames)
	if err == nil {
		n, err = s.to.Send(frames)
	}
	s.again = err == nil && n < len(frames)
	if err == nil {
		return n, nil
	}
	s.session.unsent(frames[n], err)
	return n + 1, nil
}

// refused refuses what the kernel would: every packet that leads to a gateway
// with -r, and one that is too long and may not be fragmented.
func (s *sender) refused(frames [][]byte) error {
	if s.mtu > 0 && len(s.session.packet(frames[0])) > s.mtu {
		return syscall.EMSGSIZE
	}
	return s.session.refuse
}

// sending keeps the packet and shows it in very verbose mode.
func (s *session) sending(f []byte) {
	packet := s.packet(f)
	s.sent = slices.Clone(packet)
	if s.opts.Verbose > 1 {
		s.check(s.out.Sending(packet))
	}
}

// unsent reports a packet that did not leave.
func (s *session) unsent(f []byte, err error) {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		err = &link.OpError{Op: "sendto", Err: errno}
	}
	fmt.Fprintf(s.stderr, "%s: %v\n", option.Program, err)
	s.check(s.out.Unsent(s.opts.Host, len(s.packet(f))))
}
