package internet

import (
	"errors"
	"fmt"
	"sync"

	"github.com/hopquote/hopquote/bench/lab"
)

// Form says where an Internet runs.
type Form uint8

// The forms.
const (
	InKernel Form = iota
	InUserSpace
)

// String names the form as reports show it.
func (f Form) String() string {
	if f == InUserSpace {
		return "user space"
	}
	return "kernel (tcx)"
}

// Internet is a simulated Internet that runs. Its methods may be called from
// several goroutines.
type Internet struct {
	form   Form
	reason error
	body   body
	close  func() error

	mu    sync.Mutex // guards final
	final *Counters  // nil until Close
}

// body is one of the two forms.
type body interface {
	counters() (Counters, error)
	halt() error // stops answering
	close() error
}

// Start lets the Internet answer what comes over an interface of the host, in
// the kernel where that is allowed and else in user space: Form tells which,
// and Reason why not the other. The interface must be Ethernet with an MTU of
// 1280 or more, and without addresses.
func Start(host *lab.Host, iface string, config Config) (*Internet, error) {
	c := config.withDefaults()
	if err := c.check(); err != nil {
		return nil, err
	}
	in := &Internet{}
	in.close = sync.OnceValue(in.stop)
	k, err := startKernel(host, iface, &c)
	if err == nil {
		in.body = k
		return in, nil
	}
	if !isForbidden(err) {
		return nil, err
	}
	u, uerr := startUser(host, iface, &c)
	if uerr != nil {
		return nil, fmt.Errorf("%w (and in the kernel: %w)", uerr, err)
	}
	in.form, in.reason, in.body = InUserSpace, err, u
	return in, nil
}

// Form tells where the Internet runs.
func (in *Internet) Form() Form { return in.form }

// Reason is why the Internet does not run in the kernel, nil if it does.
func (in *Internet) Reason() error { return in.reason }

// Counters gives the counts so far, and after Close those that it ended with.
// In the kernel form a probe counts before its reply is sent; in the user-space
// form it may still wait for its turn. Frames that a CPU's queue has no room for
// never reach the Internet (see Config.Backlog), and are not counted. A late
// reply counts before it is sent.
func (in *Internet) Counters() (Counters, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.final != nil {
		return *in.final, nil
	}
	return in.body.counters()
}

// Close stops answering: late replies that have not left are never sent, and
// are counted as Failed. Calls after the first give its result again.
func (in *Internet) Close() error { return in.close() }

func (in *Internet) stop() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	herr := in.body.halt()
	c, cerr := in.body.counters()
	in.final = &c
	return errors.Join(herr, cerr, in.body.close())
}
