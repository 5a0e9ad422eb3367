package lab

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// starter is a thread inside a namespace that starts programs: it runs the
// requests, one after another. It stays until the network closes because a
// child's death signal is tied to the thread that forked it, prctl(2)
// PR_SET_PDEATHSIG.
type starter struct {
	requests chan func() error
	results  chan error
	ended    chan struct{}

	hasHosts bool // mountHosts has run; for the thread alone
}

func newStarter(h *Host) (*starter, error) {
	s := &starter{requests: make(chan func() error), results: make(chan error), ended: make(chan struct{})}
	goThread(func() {
		defer close(s.ended)
		err := enter(h.ns)
		s.results <- err
		if err != nil {
			return
		}
		for f := range s.requests {
			s.results <- f()
		}
	})
	if err := <-s.results; err != nil {
		<-s.ended
		return nil, fmt.Errorf("lab: enter %s: %w", h.name, err)
	}
	return s, nil
}

func (s *starter) stop() {
	close(s.requests)
	<-s.ended
}

// Start starts cmd, as cmd.Start does, inside the host's namespace; cmd.Wait
// is the caller's. The program is killed when this process dies or the network
// closes; cmd.SysProcAttr may set a Pdeathsig of its own for the first of these.
func (h *Host) Start(cmd *exec.Cmd) error { return h.startBy(cmd, cmd.Start) }

// startBy has start start cmd, on the starter's thread.
func (h *Host) startBy(cmd *exec.Cmd, start func() error) error {
	attr := syscall.SysProcAttr{}
	if cmd.SysProcAttr != nil {
		attr = *cmd.SysProcAttr
	}
	if attr.Pdeathsig == 0 {
		attr.Pdeathsig = syscall.SIGKILL
	}
	cmd.SysProcAttr = &attr
	if err := h.onStarter(start); err != nil {
		return fmt.Errorf("lab: start %s in %s: %w", cmd.Path, h.name, err)
	}
	return nil
}

// onStarter runs f on the thread that starts the host's programs.
func (h *Host) onStarter(f func() error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.isClosed {
		return os.ErrClosed
	}
	if h.starter == nil {
		s, err := newStarter(h)
		if err != nil {
			return err
		}
		h.starter = s
	}
	h.starter.requests <- f
	return <-h.starter.results
}
