package wire

import (
	"errors"
	"net"
	"time"

	"golang.org/x/net/bpf"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/frame/link"
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/scheduler"
)

// Receiver is what a run receives by: an rx.Ring or an rx.Socket.
type Receiver interface {
	scheduler.Receiver
	Wake()
	Inject(data []byte, at time.Duration)
	Hear(e *rx.Elsewhere)
	Close() error
}

// socketWindow is the largest window that a socket receives for. With 2,000
// probes to send, a socket was never slower than a ring up to this window, and
// took less CPU time; larger windows are for a ring, whose room costs the kernel
// less and whose packets cost a fraction each.
const socketWindow = 1024

// copies is how many packets a socket has room for to each probe in flight:
// duplicates, and answers in several packets.
const copies = 2

// leastRoom is how many packets a socket has room for at least, some 200 KiB as
// the kernel gives any socket: look-alikes that come in a burst must not push out
// the answer between them.
const leastRoom = 48

// receiver opens a socket for a small window, whose first reply and whose end
// come sooner, and a ring for any other.
func (w *Wire) receiver(window int, filter []bpf.RawInstruction) (Receiver, error) {
	env := &w.Envelope
	ifi := &net.Interface{Index: env.Interface.Index, Name: env.Interface.Name}
	if window > 0 && window <= socketWindow {
		socket, err := rx.OpenSocket(rx.SocketConfig{
			Interface: ifi, Link: env.Header.Type, Filter: filter, Epoch: w.Epoch, Packets: max(copies*window, leastRoom),
		})
		if err == nil {
			return socket, nil
		}
		if !errors.Is(err, rx.ErrBuffer) {
			return nil, err
		}
	}
	ring, err := rx.OpenRing(rx.RingConfig{Interface: ifi, Link: env.Header.Type, Filter: filter, Epoch: w.Epoch})
	if err != nil {
		return nil, err
	}
	return ring, nil
}

// hearElsewhere has the receiver take in what comes by other interfaces, if
// there are any. What a link-local source sends is answered on its link, and
// what this host sends to itself by the loopback.
func (w *Wire) hearElsewhere(window int, spec rx.FilterSpec) error {
	env := &w.Envelope
	if env.Local || env.Zone != "" {
		return nil
	}
	if alone, err := link.Alone(env.Interface.Index); err == nil && alone {
		return nil
	}
	spec.Link = frame.LinkRaw
	filter, err := spec.Program()
	if err != nil {
		return err
	}
	e, err := rx.OpenElsewhere(rx.ElsewhereConfig{
		Interface: &net.Interface{Index: env.Interface.Index, Name: env.Interface.Name}, Link: env.Header.Type, Filter: filter,
		IPv4: env.Src.Is4(), IPv6: env.Src.Is6(), Packets: copies * min(window, socketWindow), Epoch: w.Epoch,
	})
	if err != nil {
		return err
	}
	w.Receiver.Hear(e)
	return nil
}
