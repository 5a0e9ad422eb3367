package checkpoint

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Retire has a checkpoint tell that another one goes on from it, at onward: who
// went on from both would send the same probes twice, and cut the outputs back.
// If there is no room for that, it is removed. It is left alone if it is
// that other one, and if it is not there.
func Retire(path, onward string) error {
	path, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	was, err := os.Stat(path)
	if err != nil {
		return err
	}
	if is, err := os.Stat(onward); err == nil && os.SameFile(was, is) {
		return nil
	}
	if full, err := filepath.Abs(onward); err == nil {
		onward = full
	}
	f, err := Write(path, &Checkpoint{Head: Head{Onward: onward}})
	if err != nil {
		if os.Remove(path) == nil {
			return nil
		}
		return err
	}
	return f.Close()
}
