// Package claim keeps two programs from writing to one file.
package claim

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// ErrTaken says that another program has claimed a file.
var ErrTaken = errors.New("another program is writing to it")

// File claims an open file until it is closed or the program ends, however it
// ends (flock(2)). Its error is ErrTaken or nil: where the file system knows no
// claims, as some of networks do, all are given.
func File(f *os.File) error {
	if errors.Is(unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB), unix.EWOULDBLOCK) {
		return ErrTaken
	}
	return nil
}
