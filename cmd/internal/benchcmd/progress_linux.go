package benchcmd

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/hopquote/hopquote/bench/measure"
)

// progress gives what shows on stderr what is being measured, where that is a
// terminal, and what takes it away again.
func progress(stderr io.Writer) (show measure.Progress, done func()) {
	f, ok := stderr.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return nil, func() {}
	}
	if _, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS); err != nil {
		return nil, func() {}
	}
	const back = "\r\x1b[K"
	return func(text string) { fmt.Fprintf(f, "%s%s", back, text) }, func() { fmt.Fprint(f, back) }
}
