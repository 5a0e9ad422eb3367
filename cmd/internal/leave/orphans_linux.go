package leave

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// lookedAt is how many of init's children orphansEnd looks at.
	lookedAt = 3
	// zombiesEnd is how long a process may stay a zombie: some inits look for
	// them every few seconds.
	zombiesEnd = 10 * time.Second
	// manyChildren is more than init has where it waits for them in time.
	manyChildren = 512
)

// orphansEnd tells whether init, so far as can be seen, waits for the processes
// that it inherits. The init of a container may not: each of ours would then
// stay as a zombie, for which its youngest children are looked through.
func orphansEnd() bool {
	var buf [8 << 10]byte
	var statBuf [1 << 10]byte
	list := read("/proc/1/task/1/children", buf[:])
	if list == nil {
		return true // a kernel without CONFIG_PROC_CHILDREN
	}
	var now unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &now) != nil {
		return false
	}
	children := bytes.Fields(list)
	if len(children) > manyChildren || len(list) == len(buf) {
		return false
	}
	for _, pid := range children[max(0, len(children)-lookedAt):] {
		stat := read("/proc/"+string(pid)+"/stat", statBuf[:])
		if isZombie(stat, time.Duration(now.Nano())-zombiesEnd) {
			return false
		}
	}
	return true
}

// read reads a file of /proc, which comes whole, into buf; nil where it can't.
// It takes a third of os.ReadFile's system calls.
func read(path string, buf []byte) []byte {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	n, err := unix.Read(fd, buf)
	if err != nil {
		return nil
	}
	return buf[:n]
}

// isZombie tells from a /proc/pid/stat whether a process has ended that began
// before the time given since the boot. The state follows the name in
// parentheses, which may hold any character, and the start, in hundredths of a
// second, is the 20th field from there (proc_pid_stat(5)).
func isZombie(stat []byte, before time.Duration) bool {
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 20 || fields[0] != "Z" {
		return false
	}
	start, err := strconv.ParseInt(fields[19], 10, 64)
	return err == nil && start < int64(before/(10*time.Millisecond))
}
