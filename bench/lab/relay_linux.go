package lab

import (
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// relayed are the signals that a Relay catches.
var relayed = []os.Signal{unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT, unix.SIGUSR1, unix.SIGUSR2}

// Relay catches the signals that would end this process and passes them to a
// child. What a terminal sends by itself to the child too (Ctrl-C, Ctrl-\) is
// noted but not passed: the child would get it twice.
type Relay struct {
	grace time.Duration
	final []os.Signal

	caught chan os.Signal
	quit   chan struct{}
	done   chan struct{}

	mu      sync.Mutex
	child   *os.Process
	pending []os.Signal // came while there was no child
	first   os.Signal   // first signal of relayed that came, USR1 and USR2 apart
	kill    *time.Timer // runs after one of final came
	killed  os.Signal   // what the child was killed after
}

// NewRelay starts catching. After one of the final signals a child that is
// still there grace later is killed; without final signals none is.
func NewRelay(grace time.Duration, final ...os.Signal) *Relay {
	r := &Relay{
		grace: grace, final: final,
		caught: make(chan os.Signal, 16), quit: make(chan struct{}), done: make(chan struct{}),
	}
	for _, s := range relayed {
		if !signal.Ignored(s) { // by nohup, for one: it stays so
			signal.Notify(r.caught, s)
		}
	}
	go func() {
		defer close(r.done)
		for {
			select {
			case s := <-r.caught:
				r.pass(s)
			case <-r.quit:
				return
			}
		}
	}()
	return r
}

// To makes p the child. It gets the signals that came while there was none.
func (r *Relay) To(p *os.Process) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.child = p
	for _, s := range r.pending {
		p.Signal(s) // fails when p has ended, which is as good
	}
	r.pending = nil
}

// Signal is the first signal that asked this process to end, nil if none did.
func (r *Relay) Signal() os.Signal {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.first
}

// Killed is the final signal that the child did not heed, so that it was
// killed; nil if it was not.
func (r *Relay) Killed() os.Signal {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.killed
}

// Stop gives the signals back to their default actions.
func (r *Relay) Stop() {
	signal.Stop(r.caught)
	close(r.quit)
	<-r.done
	r.mu.Lock()
	defer r.mu.Unlock()
	r.child = nil
	if r.kill != nil {
		r.kill.Stop()
	}
}

func (r *Relay) pass(s os.Signal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.first == nil && s != unix.SIGUSR1 && s != unix.SIGUSR2 {
		r.first = s
	}
	fromTerminal := (s == unix.SIGINT || s == unix.SIGQUIT) && inForeground()
	if r.child == nil || !fromTerminal && r.child.Signal(s) != nil {
		r.pending = append(r.pending, s)
	}
	if r.kill == nil && slices.Contains(r.final, s) {
		r.kill = time.AfterFunc(r.grace, func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			if r.child != nil && r.child.Kill() == nil {
				r.killed = s
			}
		})
	}
}

// inForeground tells whether this process's group, which its children share,
// is the one that the terminal sends its signals to.
func inForeground() bool {
	tty, err := os.OpenFile("/dev/tty", os.O_RDONLY|unix.O_NOCTTY, 0)
	if err != nil {
		return false
	}
	defer tty.Close()
	group, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// ExitStatus is a program's exit status as a shell gives it: 128 plus the
// signal's number for one that a signal ended.
func ExitStatus(s *os.ProcessState) int {
	if w, ok := s.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return 128 + int(w.Signal())
	}
	return s.ExitCode()
}
