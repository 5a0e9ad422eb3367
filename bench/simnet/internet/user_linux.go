package internet

import (
	"fmt"
	"sync"

	"github.com/mdlayher/packet"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/bench/simnet"
)

// user is the user-space form.
type user struct {
	conn *packet.Conn
	task sync.WaitGroup

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
	u := &user{conn: conn, responder: responder{config: *c, mac: mac}}
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
		u.mu.Unlock()
		if len(reply) == 0 {
			continue
		}
		if _, err := u.conn.WriteTo(reply, &packet.Addr{HardwareAddr: reply[:6]}); err != nil {
			u.fail()
		}
	}
}

// fail takes back that the latest frame was answered.
func (u *user) fail() {
	u.mu.Lock()
	defer u.mu.Unlock()
	*u.responder.answered--
	u.responder.counts.Failed++
}

func (u *user) counters() (Counters, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	stats, err := u.conn.Stats() // since the last reading
	if err != nil {
		return u.responder.counts, fmt.Errorf("internet: read how many frames were dropped: %w", err)
	}
	u.responder.counts.Dropped += uint64(stats.Drops)
	return u.responder.counts, nil
}

func (u *user) close() error {
	u.mu.Lock()
	u.isClosed = true
	u.mu.Unlock()
	err := u.conn.Close()
	u.task.Wait()
	return err
}
