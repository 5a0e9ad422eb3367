package survey

import (
	"github.com/hopquote/hopquote/frame/link"
	"github.com/hopquote/hopquote/scheduler"
)

// senders are what the frames of a loop leave by: one, or two where only the
// kernel can tell the families apart (on this host itself).
type senders struct {
	list [2]*link.Sender // nil: none, or the first sends its frames too
	ip   int             // where the IP header of a frame is
}

// openSenders opens what sends for the envelopes, by family.
func openSenders(envelopes [2]*link.Envelope, cfg link.SenderConfig) (s senders, err error) {
	if four, six := envelopes[0], envelopes[1]; four != nil && six != nil && !four.Local && !six.Local {
		cfg.Also = six
		envelopes[1] = nil
	}
	for f, e := range envelopes {
		if e == nil {
			continue
		}
		s.ip = e.Header.Type.HeaderLen()
		if s.list[f], err = link.OpenSender(*e, cfg); err != nil {
			for _, open := range s.all() {
				_ = open.Close()
			}
			return senders{}, err
		}
	}
	return s, nil
}

// all are those that there are.
func (s *senders) all() []*link.Sender {
	var all []*link.Sender
	for _, one := range s.list {
		if one != nil {
			all = append(all, one)
		}
	}
	return all
}

// failures are what went wrong so far. It is for the goroutine that sends.
func (s *senders) failures() (f failures) {
	for _, one := range s.all() {
		c := one.Counts()
		f.add(failures{c.Refused, c.NoRoom, c.Undelivered})
	}
	return f
}

// sender is what the engine sends by.
func (s *senders) sender() scheduler.Sender {
	switch {
	case s.list[0] == nil:
		return s.list[1]
	case s.list[1] == nil:
		return s.list[0]
	}
	return s
}

// Send implements scheduler.Sender.
func (s *senders) Send(frames [][]byte) (int, error) {
	for from := 0; from < len(frames); {
		v6, to := s.isIPv6(frames[from]), from+1
		for to < len(frames) && s.isIPv6(frames[to]) == v6 {
			to++
		}
		of := s.list[0]
		if v6 {
			of = s.list[1]
		}
		n, err := of.Send(frames[from:to])
		if from += n; err != nil || from < to {
			return from, err
		}
	}
	return len(frames), nil
}

func (s *senders) isIPv6(f []byte) bool { return f[s.ip]>>4 == 6 }

// sends tells how frames leave, and why not as was asked.
func (n *network) sends() (tx link.Tx, why error) {
	for _, s := range n.senders {
		for _, s := range s.all() {
			tx = s.Tx()
			if why = s.Fallback(); why != nil {
				return tx, why
			}
		}
	}
	return tx, nil
}

// unsent is how many calls of the kernel found no room.
func (n *network) unsent() uint64 {
	var sum uint64
	for _, s := range n.senders {
		for _, s := range s.all() {
			sum += s.Counts().NoRoom
		}
	}
	return sum
}
