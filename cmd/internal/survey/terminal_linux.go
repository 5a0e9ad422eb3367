package survey

import (
	"io"
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

// width is how wide the terminal is that out writes to, 80 where it does not
// tell.
func width(out io.Writer) int {
	if f, ok := out.(*os.File); ok {
		if size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ); err == nil && size.Col > 0 {
			return int(size.Col)
		}
	}
	return 80
}
