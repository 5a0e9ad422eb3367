package lab

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/jsimonetti/rtnetlink/v2"
	"golang.org/x/sys/unix"
)

// Host is one network namespace of a Net. Its methods may be called at the
// same time from several goroutines; after Net.Close they fail.
type Host struct {
	name string
	ns   *os.File
	conn *rtnetlink.Conn

	mu       sync.Mutex // guards starter and isClosed
	starter  *starter   // nil until the first Start
	isClosed bool

	steering sync.Once
	place    *unix.CPUSet // where StartConfined starts programs; nil: anywhere
}

// newHost makes the namespace with its settings and the loopback up.
func newHost(p HostPlan) (*Host, error) {
	h := &Host{name: p.Name}
	ns, err := newNamespace(func() error {
		lists := [][]setting{hostSettings}
		if p.Router {
			lists = append(lists, routerSettings)
		}
		if haveIPv6() {
			lists = append(lists, hostSettings6)
			if p.Router {
				lists = append(lists, routerSettings6)
			}
		}
		if err := applySettings(lists...); err != nil {
			return err
		}
		conn, err := rtnetlink.Dial(nil)
		if err != nil {
			return fmt.Errorf("lab: open rtnetlink: %w", err)
		}
		h.conn = conn
		return nil
	})
	if err != nil {
		if h.conn != nil {
			h.conn.Close()
		}
		return nil, err
	}
	h.ns = ns
	if err := h.SetLink("lo", true); err != nil {
		h.close()
		return nil, err
	}
	return h, nil
}

// Name is the host's name in its topology.
func (h *Host) Name() string { return h.name }

// Do runs f on a locked thread inside the host's namespace and gives its
// error. Sockets that f opens stay in the namespace when they outlive f;
// goroutines that f starts run outside of it. f may call t.Fatal: the caller's
// goroutine then ends too.
func (h *Host) Do(f func() error) error {
	return onThread(func() error {
		if err := enter(h.ns); err != nil {
			return fmt.Errorf("lab: enter %s: %w", h.name, err)
		}
		return f()
	})
}

// Path is a file that setns(2) and nsenter(1) can open for as long as this
// process lives and the network is open.
func (h *Host) Path() string {
	return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), h.ns.Fd())
}

// Sysctl writes value to a key of the host's namespace, such as
// "net/ipv4/ip_forward". Keys that do not start with "net/" are refused: they
// belong to the machine.
func (h *Host) Sysctl(key, value string) error {
	return h.Do(func() error { return writeSysctl(key, value) })
}

// stopStarter ends what Start started; later Starts fail.
func (h *Host) stopStarter() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.starter != nil && !h.isClosed {
		h.starter.stop()
	}
	h.isClosed = true
}

// close lets go of the namespace. It is called once.
func (h *Host) close() error {
	h.stopStarter()
	return errors.Join(h.conn.Close(), h.ns.Close())
}
