package lab

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// StartConfined starts cmd as Start does, on one processor, the one on which
// the kernel from then on handles all that comes in over the host's links:
// frames come in while the program waits, never while it runs.
//
// Linux traceroute 2.1 needs that. The kernel puts an ICMP error on a socket's
// error queue and wakes the reader, and only then sets the socket's error
// (raw_err in net/ipv4/raw.c). A reader on another processor may have emptied
// the queue meanwhile, which is what takes that error away. So it stays: for
// every poll(2) the socket has an error, traceroute looks into the empty queue,
// and never reads an answer of the destination again.
//
// Where the kernel can't steer frames (no CONFIG_RPS, or its sysfs is out of
// reach) the program is started as Start does.
func (h *Host) StartConfined(cmd *exec.Cmd) error {
	h.steering.Do(func() { h.place = h.steerLinks() })
	if h.place == nil {
		return h.Start(cmd)
	}
	var all unix.CPUSet
	return h.startBy(cmd, func() error {
		if err := unix.SchedGetaffinity(0, &all); err != nil {
			return os.NewSyscallError("sched_getaffinity", err)
		}
		if err := unix.SchedSetaffinity(0, h.place); err != nil {
			return os.NewSyscallError("sched_setaffinity", err)
		}
		err := cmd.Start() // it inherits the thread's processor
		if serr := unix.SchedSetaffinity(0, &all); err == nil {
			err = os.NewSyscallError("sched_setaffinity", serr)
		}
		return err
	})
}

// steerLinks steers what comes in over the host's links to one processor, and
// gives it, or nil where that can't be done.
func (h *Host) steerLinks() *unix.CPUSet {
	var all, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		return nil
	}
	cpu := inTurn(&all)
	if err := h.Do(func() error { return steer(cpu) }); err != nil {
		return nil
	}
	one.Set(cpu)
	return &one
}

// turn counts the steered hosts, so that they spread over the processors.
var turn atomic.Uint32

// inTurn gives one of the processors, another at each call.
func inTurn(all *unix.CPUSet) int {
	nth := int(turn.Add(1)) % max(all.Count(), 1)
	cpu := 0
	for ; !all.IsSet(cpu) || nth > 0; cpu++ {
		if all.IsSet(cpu) {
			nth--
		}
	}
	return cpu
}

// steer has the kernel handle what comes in over the links of the calling
// thread's namespace on one processor: receive packet steering,
// Documentation/networking/scaling.rst.
func steer(cpu int) error {
	sysfs, err := mountSysfs()
	if err != nil {
		return err
	}
	defer unix.Close(sysfs)
	queues, err := receiveQueues(sysfs)
	if err != nil {
		return err
	}
	for _, q := range queues {
		if err := os.WriteFile(q, []byte(mask(cpu)), 0); err != nil {
			return err
		}
	}
	return nil
}

// mountSysfs gives a sysfs that shows the links of the calling thread's
// namespace: the one at /sys shows those of whoever mounted it.
func mountSysfs() (int, error) {
	context, err := unix.Fsopen("sysfs", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, os.NewSyscallError("fsopen", err)
	}
	defer unix.Close(context)
	if err := unix.FsconfigCreate(context); err != nil {
		return -1, os.NewSyscallError("fsconfig", err)
	}
	mount, err := unix.Fsmount(context, unix.FSMOUNT_CLOEXEC, 0)
	return mount, os.NewSyscallError("fsmount", err)
}

// receiveQueues gives the files that steer what comes in, of all links.
func receiveQueues(sysfs int) ([]string, error) {
	queues, err := filepath.Glob(fmt.Sprintf("/proc/self/fd/%d/class/net/*/queues/rx-*/rps_cpus", sysfs))
	if err == nil && len(queues) == 0 {
		err = fmt.Errorf("lab: no link can be steered: %w", os.ErrNotExist)
	}
	return queues, err
}

// mask is a processor as sysfs takes it: hexadecimal words of 32 bits, the
// highest first.
func mask(cpu int) string {
	return fmt.Sprintf("%x", 1<<(cpu%32)) + strings.Repeat(",00000000", cpu/32)
}
