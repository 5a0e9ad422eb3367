//go:build linux && (amd64 || arm64)

package leave

// clone is clone(2) with the flags given. The child makes the system calls, the
// last of which ends it, and does nothing else: it has this thread's stack, and
// must not touch it. The result is the child's number or a negative errno.
//
//go:noescape
func clone(flags uintptr, calls *call) int
