package survey

import (
	"os"

	"golang.org/x/sys/unix"
)

// terminal tells whether progress is for a person who looks at it.
func (s Std) terminal() bool {
	f, ok := s.Err.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}
