// Package usage tells what threads and processes cost: CPU time and memory.
package usage

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Thread gives the CPU time, user and system, of the calling thread, which the
// goroutine must be locked to. Work that the kernel does for what the thread
// sends, and that interrupts it, is in there (clock_gettime(2),
// CLOCK_THREAD_CPUTIME_ID).
func Thread() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}

// OnThread runs f on a locked thread that is thrown away afterwards, kept to
// one CPU where the machine has that many; cpu -1 leaves it to the scheduler.
func OnThread(cpu int, f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends with its goroutine
		if cpu >= 0 && cpu < runtime.NumCPU() && runtime.NumCPU() > 1 {
			var set unix.CPUSet
			set.Set(cpu)
			// Best effort: a container may not allow that CPU.
			_ = unix.SchedSetaffinity(0, &set)
		}
		f()
	}()
	<-done
}

// Peak gives the largest resident set that the process and those that it
// started had at a time each, in bytes; 0 when it is gone. Unlike ru_maxrss
// of getrusage(2), it does not count what the parent had before the exec.
func Peak(pid int) int64 {
	peak := high(pid)
	for _, child := range children(pid) {
		peak = max(peak, Peak(child))
	}
	return peak
}

// high reads VmHWM of proc_pid_status(5).
func high(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	lines := bufio.NewScanner(bytes.NewReader(status))
	for lines.Scan() {
		rest, ok := strings.CutPrefix(lines.Text(), "VmHWM:")
		if !ok {
			continue
		}
		kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(rest, "kB")), 10, 64)
		if err != nil {
			return 0
		}
		return kib << 10
	}
	return 0
}

// children reads the processes that any thread of pid started (proc_pid_task(5)).
func children(pid int) []int {
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return nil
	}
	var list []int
	for _, t := range tasks {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", pid, t.Name()))
		if err != nil {
			continue
		}
		for field := range strings.FieldsSeq(string(text)) {
			if child, err := strconv.Atoi(field); err == nil {
				list = append(list, child)
			}
		}
	}
	return list
}
