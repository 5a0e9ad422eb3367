package internet

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/ringbuf"
	"github.com/mdlayher/packet"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/frame"
)

// latecomers sends the replies that the program in the kernel leaves to be
// sent later.
type latecomers struct {
	conn  *packet.Conn
	ring  *ringbuf.Reader
	queue *lateQueue
	task  sync.WaitGroup
}

func openLatecomers(host *lab.Host, iface string, c *Config, ring *ebpf.Map) (*latecomers, error) {
	l := &latecomers{}
	err := host.Do(func() error {
		ifi, err := net.InterfaceByName(iface)
		if err != nil {
			return err
		}
		l.conn, err = packet.Listen(ifi, packet.Raw, 0, nil) // protocol 0 receives nothing
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("internet: open a packet socket on %s of %s: %w", iface, host.Name(), err)
	}
	if l.ring, err = ringbuf.NewReader(ring); err != nil {
		return nil, errors.Join(fmt.Errorf("internet: open the ring of late replies: %w", err), l.conn.Close())
	}
	l.queue = newLateQueue(c.LateBy, sendBy(l.conn))
	l.task.Go(l.read)
	return l, nil
}

// sendBy sends frames by a packet socket.
func sendBy(conn *packet.Conn) func([]byte) error {
	return func(f []byte) error {
		_, err := conn.WriteTo(f, &packet.Addr{HardwareAddr: f[:6]})
		return err
	}
}

// skew is how many bytes stand before a frame in the ring: the family and the
// kind of its probe, as reply.bpf.h writes them.
const skew = 2

// read takes replies off the ring until that is flushed or closed.
func (l *latecomers) read() {
	var record ringbuf.Record
	for {
		if err := l.ring.ReadInto(&record); err != nil {
			return
		}
		if b := record.RawSample; len(b) > skew+ethernetLen && b[0] <= 1 && b[1] <= byte(frame.TCP) {
			l.queue.add(b[0] == 1, frame.Method(b[1]), slices.Clone(b[skew:]))
		}
	}
}

// halt takes what is left in the ring, and gives up what waits. The program
// must be off the link.
func (l *latecomers) halt() error {
	err := l.ring.Flush()
	l.task.Wait()
	l.queue.close()
	return err
}

func (l *latecomers) close() error { return errors.Join(l.ring.Close(), l.conn.Close()) }
