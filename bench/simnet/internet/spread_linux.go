package internet

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/hopquote/hopquote/bench/lab"
)

// spread is what lets other CPUs than the sender's answer: receive packet
// steering (Documentation/networking/scaling.rst of the kernel).
type spread struct {
	backlog *backlog // nil if that of the machine is as it was
}

func openSpread(host *lab.Host, iface string, c *Config) (s *spread, err error) {
	s = &spread{}
	if c.Backlog != 0 {
		if s.backlog, err = raiseBacklog(backlogFile, backlogLock, c.Backlog); err != nil {
			return nil, fmt.Errorf("%w (%w)", err, ErrBacklog)
		}
	}
	if c.CPUs != 0 {
		if err := host.Do(func() error { return steer(iface, c.CPUs) }); err != nil {
			return nil, errors.Join(err, s.close())
		}
	}
	return s, nil
}

// steer has the CPUs take what the interface receives. The interface's files
// are in the sysfs of its own namespace, so that the calling thread, which is
// thrown away afterwards, mounts one over that of the machine.
func steer(iface string, cpus uint64) error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("internet: make a mount namespace: %w", os.NewSyscallError("unshare", err))
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("internet: make mounts private: %w", os.NewSyscallError("mount", err))
	}
	if err := unix.Mount("sysfs", "/sys", "sysfs", 0, ""); err != nil {
		return fmt.Errorf("internet: mount sysfs: %w", os.NewSyscallError("mount", err))
	}
	files, err := filepath.Glob("/sys/class/net/" + iface + "/queues/rx-*/rps_cpus")
	if err != nil || len(files) == 0 {
		return fmt.Errorf("internet: %s has no receive queues with packet steering: %w", iface, unix.ENOTSUP)
	}
	mask := fmt.Sprintf("%x,%08x", cpus>>32, uint32(cpus))
	if cpus>>32 == 0 {
		mask = fmt.Sprintf("%x", cpus)
	}
	for _, f := range files {
		if err := os.WriteFile(f, []byte(mask), 0); err != nil {
			return fmt.Errorf("internet: steer %s to CPUs %s: %w", iface, mask, err)
		}
	}
	return nil
}

// close gives up the backlog. The steering goes with the interface.
func (s *spread) close() error {
	if s.backlog == nil {
		return nil
	}
	return s.backlog.lower()
}
