package lab

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// hostsFile is where programs look host names up before they ask a server.
const hostsFile = "/etc/hosts"

// SetHosts lets the programs that Start starts from now on find text in
// /etc/hosts. The machine's file stays as it is: these programs get a mount
// namespace of their own, in which another is mounted over it.
func (h *Host) SetHosts(text []byte) error {
	if err := h.onStarter(func() error { return h.starter.mountHosts(text) }); err != nil {
		return fmt.Errorf("lab: give %s a hosts file: %w", h.name, err)
	}
	return nil
}

// mountHosts gives the starter's thread, which it runs on, a mount namespace
// with this hosts file.
func (s *starter) mountHosts(text []byte) error {
	f, err := os.CreateTemp("", "hosts-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // the mount keeps the file, not its name
	defer f.Close()
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if _, err := f.Write(text); err != nil {
		return err
	}
	if s.hasHosts { // nothing can be mounted over a file without a name
		if err := unix.Unmount(hostsFile, unix.MNT_DETACH); err != nil {
			return fmt.Errorf("unmount %s: %w", hostsFile, os.NewSyscallError("umount2", err))
		}
		s.hasHosts = false
	} else if err := privateMounts(); err != nil {
		return err
	}
	if err := unix.Mount(f.Name(), hostsFile, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("mount over %s: %w", hostsFile, os.NewSyscallError("mount", err))
	}
	s.hasHosts = true
	return nil
}

// privateMounts gives the calling thread a mount namespace of its own. Without
// the second step mounts would spread to where the namespace came from.
func privateMounts() error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return os.NewSyscallError("unshare", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", os.NewSyscallError("mount", err))
	}
	return nil
}
