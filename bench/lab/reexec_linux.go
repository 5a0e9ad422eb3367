package lab

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// marker is set for the process that Reexec starts, so that it does not start
// another.
const marker = "HOPQUOTE_LAB_USERNS"

var reexecuted = sync.OnceValue(func() bool {
	_, ok := os.LookupEnv(marker)
	os.Unsetenv(marker) // programs started from here may need a Reexec of their own
	return ok
})

// Reexecuted tells whether this process runs in the user namespace that Reexec
// made.
func Reexecuted() bool { return reexecuted() }

// Reexec makes sure that this process may build networks. It returns nil in a
// process that may. In another it starts the same program again, with the same
// arguments and standard files, as root of new user and network namespaces,
// passes signals on, and exits with its status; it then does not return.
//
// When the kernel forbids that, the error says so in one line. Call it early:
// what the process did before is done again by the second one.
func Reexec() error {
	err := tryNamespace()
	if err == nil {
		if Reexecuted() {
			return loopbackUp()
		}
		return nil
	}
	if Reexecuted() || !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.EACCES) {
		return forbidden(err)
	}
	status, err := runAgain()
	if err != nil {
		return forbidden(err)
	}
	os.Exit(status)
	return nil
}

// tryNamespace tells whether a namespace can be made and set up.
func tryNamespace() error {
	h, err := newHost(HostPlan{Name: "trial"})
	if err != nil {
		return err
	}
	return h.close()
}

// runAgain runs this program in new namespaces and gives its exit status.
func runAgain() (int, error) {
	// A program with file capabilities is not dumpable, and then its /proc
	// files, uid_map among them, belong to root.
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0); err != nil {
		return 0, os.NewSyscallError("prctl", err)
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = os.Args
	cmd.Env = append(os.Environ(), marker+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
		Pdeathsig:   syscall.SIGKILL,
	}
	// The child is killed when the thread that started it ends: stay on it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	relay := NewRelay(0)
	defer relay.Stop()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	relay.To(cmd.Process)
	err := cmd.Wait()
	if cmd.ProcessState == nil {
		return 0, err
	}
	return ExitStatus(cmd.ProcessState), nil
}
