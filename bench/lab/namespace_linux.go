package lab

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// goThread is `go f()` with the goroutine locked to a thread that ends with
// it, and that is not the process's main thread: the runtime never ends that
// one, so a namespace it entered would live as long as the process and be what
// /proc/<pid>/ns shows.
func goThread(f func()) {
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() != unix.Getpid() {
			f()
			return
		}
		// While this goroutine holds the main thread, another cannot get it.
		locked := make(chan struct{})
		go func() {
			runtime.LockOSThread()
			close(locked)
			f()
		}()
		<-locked
		runtime.UnlockOSThread()
	}()
}

// onThread runs f on a thread of its own and throws the thread away, whatever
// f did to it. When f ends its goroutine (testing's FailNow does), the
// caller's ends too.
func onThread(f func() error) error {
	var err error
	returned := false
	done := make(chan struct{})
	goThread(func() {
		defer close(done)
		err = f()
		returned = true
	})
	<-done
	if !returned {
		runtime.Goexit()
	}
	return err
}

// newNamespace makes a network namespace, runs setup in it and gives the file
// that holds it.
func newNamespace(setup func() error) (*os.File, error) {
	var ns *os.File
	err := onThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("lab: make a network namespace: %w", os.NewSyscallError("unshare", err))
		}
		f, err := os.Open("/proc/thread-self/ns/net")
		if err != nil {
			return fmt.Errorf("lab: hold a network namespace: %w", err)
		}
		if err := setup(); err != nil {
			f.Close()
			return err
		}
		ns = f
		return nil
	})
	return ns, err
}

// enter moves the calling thread into the namespace. The thread must not be
// given back to the runtime afterwards.
func enter(ns *os.File) error {
	if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
		return os.NewSyscallError("setns", err)
	}
	return nil
}
