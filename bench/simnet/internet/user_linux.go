package internet

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/mdlayher/packet"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/bench/simnet"
)

// user is the user-space form.
type user struct {
	conn  *packet.Conn
	send  func([]byte) error
	queue *lateQueue // nil without late replies
	task  sync.WaitGroup

	mu        sync.Mutex // guards all below
	responder responder
	isClosed  bool
}

func startUser(host *lab.Host, iface string, c *Config) (*user, error) {
	if err := host.Do(func() error { _, err := findInterface(host, iface); return err }); err != nil {
		return nil, err
	}
	conn, mac, err := simnet.Listen(host, iface)
	if err != nil {
		return nil, err
	}
	u := &user{conn: conn, send: sendBy(conn), responder: responder{config: *c, mac: mac, limits: newLimits(c)}}
	if c.Late > 0 {
		u.queue = newLateQueue(c.LateBy, u.send)
	}
	u.task.Go(u.run)
	return u, nil
}

// run answers frames until the socket is closed.
func (u *user) run() {
	buf := make([]byte, 1<<16+ethernetLen)
	var reply []byte
	for {
		n, _, err := u.conn.ReadFrom(buf)
		u.mu.Lock()
		if u.isClosed {
			u.mu.Unlock()
			return
		}
		reply = reply[:0]
		if err == nil { // else the link went down
			reply = u.responder.respond(buf[:n], reply)
		}
		if u.responder.fate == late {
			u.queue.add(u.responder.v6, u.responder.method, slices.Clone(reply))
			reply = reply[:0]
		}
		u.mu.Unlock()
		if len(reply) > 0 {
			u.deliver(reply)
		}
	}
}

// deliver sends the latest reply, which is not late.
func (u *user) deliver(reply []byte) {
	r := &u.responder // what is read here changes in run alone
	if err := u.send(reply); err != nil {
		u.fail()
		return
	}
	if r.fate == twice && u.send(reply) != nil {
		u.mu.Lock()
		r.count.Duplicated--
		u.mu.Unlock()
	}
}

// fail takes back that the latest frame was answered.
func (u *user) fail() {
	u.mu.Lock()
	defer u.mu.Unlock()
	r := &u.responder
	r.counts.Failed++
	if r.count == nil {
		r.counts.Neighbours--
		return
	}
	r.count.Answered--
	if r.fate == twice {
		r.count.Duplicated--
	}
}

func (u *user) counters() (Counters, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	stats, err := u.conn.Stats() // since the last reading
	if err != nil {
		return u.responder.counts, fmt.Errorf("internet: read how many frames were dropped: %w", err)
	}
	u.responder.counts.Dropped += uint64(stats.Drops)
	c := u.responder.counts
	if u.queue != nil {
		u.queue.correct(&c)
	}
	return c, nil
}

// halt ends the answers.
func (u *user) halt() error {
	u.mu.Lock()
	u.isClosed = true
	u.mu.Unlock()
	if u.queue != nil {
		u.queue.close()
	}
	return nil
}

func (u *user) close() error {
	err := errors.Join(u.halt(), u.conn.Close())
	u.task.Wait()
	return err
}
