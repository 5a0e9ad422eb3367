package leave

import (
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// call is one system call of the child: its number and arguments.
type call [6]uintptr

// What the child runs on. It is in no heap: the child may read it when this
// process is long gone.
var (
	calls [maxSockets + 8]call
	hangs struct {
		files   [1]unix.PollFd
		timeout unix.Timespec
	}
	root = [2]byte{'/'}
)

// plan writes down the child's system calls. ended hangs up when this process
// is gone.
func plan(sockets []int, ended int) {
	n := 0
	add := func(c call) { calls[n] = c; n++ }
	add(call{unix.SYS_SETSID})
	add(call{unix.SYS_CHDIR, uintptr(unsafe.Pointer(&root))})
	kept := append(slices.Clone(sockets), ended)
	slices.Sort(kept)
	from := 0
	for _, fd := range kept {
		if fd > from {
			add(call{unix.SYS_CLOSE_RANGE, uintptr(from), uintptr(fd - 1)})
		}
		from = fd + 1
	}
	add(call{unix.SYS_CLOSE_RANGE, uintptr(from), maxDescriptor})
	hangs.files[0] = unix.PollFd{Fd: int32(ended)} // a hang-up is told unasked
	hangs.timeout = unix.NsecToTimespec(int64(patience))
	add(call{unix.SYS_PPOLL, uintptr(unsafe.Pointer(&hangs.files)), 1, uintptr(unsafe.Pointer(&hangs.timeout))})
	add(call{unix.SYS_EXIT_GROUP})
}
