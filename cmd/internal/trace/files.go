package trace

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
)

// nameFileLimit says what the limit is where it is what an error is about.
func nameFileLimit(err error) error {
	const limit = "RLIMIT_NOFILE"
	if !errors.Is(err, syscall.EMFILE) || strings.Contains(err.Error(), limit) {
		return err
	}
	var files syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files) != nil {
		return err
	}
	return fmt.Errorf("%w: the limit is %d (%s)", err, files.Cur, limit)
}
