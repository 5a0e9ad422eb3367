// Package leave lets a process end without waiting for its packet sockets.
//
// The kernel closes a packet socket only after a grace period of the code that
// hands packets out (synchronize_net in packet_release): 10 to 30 ms, which a
// process spends between its last output and its end.
package leave

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long the child waits for this process to end, at most: one
// that takes longer closes the sockets itself, as ever.
const patience = time.Second

// Behind makes a child that holds the process's packet sockets and nothing else
// of its files, and that ends, and so closes them, once this process has ended.
// It tells whether there is one; if not, the sockets are the caller's to close.
// It is for the last moment before os.Exit: what is opened later, the child does
// not hold.
//
// The child is a process of its own, which init inherits. It belongs to another
// session, stands in the root directory, has all signals blocked and takes no
// memory: it shares that of this process, and touches none of it.
func Behind() bool {
	if unix.Getpid() == 1 {
		return false // the end of init is the end of all
	}
	sockets := packetSockets()
	// The child closes all other files or none: first see whether it can.
	if len(sockets) == 0 || unix.CloseRange(maxDescriptor, maxDescriptor, 0) != nil || !orphansEnd() {
		return false
	}
	var ended [2]int
	if unix.Pipe2(ended[:], unix.O_CLOEXEC) != nil {
		return false
	}
	// Only this process has the writing end, so that the reading end hangs up
	// when all its files are closed.
	plan(sockets, ended[0])
	made := begin()
	unix.Close(ended[0])
	if !made {
		unix.Close(ended[1])
	}
	return made
}

const (
	maxDescriptor = 1<<31 - 1
	// searched is how many descriptors are looked at. A packet socket beyond
	// them is closed by the kernel at the process's end.
	searched = 64
	// maxSockets is more than a run opens.
	maxSockets = 8
)

// packetSockets are the descriptors of packet sockets, in ascending order.
func packetSockets() []int {
	var found []int
	for fd := 3; fd < searched && len(found) < maxSockets; fd++ {
		if domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN); err == nil && domain == unix.AF_PACKET {
			found = append(found, fd)
		}
	}
	return found
}

// begin makes the child with all signals blocked, which stays so: it has this
// process's handlers and nothing that they could run on.
func begin() bool {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var all, before unix.Sigset_t
	for i := range all.Val {
		all.Val[i] = ^all.Val[i]
	}
	if unix.PthreadSigmask(unix.SIG_SETMASK, &all, &before) != nil {
		return false
	}
	defer unix.PthreadSigmask(unix.SIG_SETMASK, &before, nil)
	return clone(unix.CLONE_VM|uintptr(unix.SIGCHLD), &calls[0]) > 0
}
