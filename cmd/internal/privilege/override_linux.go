package privilege

import (
	"errors"
	"io/fs"
	"runtime"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/cap"
)

// NeedsOverride tells whether try, which writes to a file or a directory, is
// allowed to only by CAP_DAC_OVERRIDE: root may write to what belongs to others
// by that capability alone (capabilities(7)).
func NeedsOverride(try func() error) bool {
	if has, err := cap.GetProc().GetFlag(cap.Effective, cap.DAC_OVERRIDE); err != nil || !has {
		return false
	}
	denied := make(chan bool)
	go func() {
		// Capabilities are a thread's: this one ends with the goroutine, because it
		// is never unlocked.
		runtime.LockOSThread()
		denied <- without(cap.DAC_OVERRIDE) == nil && errors.Is(try(), fs.ErrPermission)
	}()
	return <-denied
}

// without makes a capability of the calling thread ineffective.
func without(v cap.Value) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return err
	}
	data[v/32].Effective &^= 1 << (v % 32)
	return unix.Capset(&header, &data[0])
}
