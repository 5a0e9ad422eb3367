package survey

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"kernel.org/pub/linux/libs/security/libcap/cap"

	"github.com/hopquote/hopquote/cmd/internal/privilege"
)

// checkPlaces finds two things that would be written to one place.
func (o *options) checkPlaces() error {
	taken := map[string]bool{}
	twice := func(path string) bool {
		place := placeOf(path)
		was := taken[place]
		taken[place] = true
		return was && path != "/dev/null"
	}
	for _, t := range o.outputs {
		if twice(t.Path) {
			return fmt.Errorf("--output %q: two outputs to one place", t.Kind.Name+":"+t.Path)
		}
	}
	for _, f := range []struct{ name, path string }{
		{"metadata", o.metadata}, {"checkpoint", o.checkpoint}, {"cpuprofile", o.profile}, {"trace", o.trace},
	} {
		if f.path != "" && twice(f.path) {
			return fmt.Errorf("--%s %q: something else is written there", f.name, f.path)
		}
	}
	return nil
}

// placeOf is the same for all names of one file.
func placeOf(path string) string {
	if path == "-" {
		return path
	}
	if info, err := os.Stat(path); err == nil {
		if s, ok := info.Sys().(*syscall.Stat_t); ok && info.Mode().IsRegular() {
			return fmt.Sprintf("file %d on %d", s.Ino, s.Dev)
		}
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if real, rerr := filepath.EvalSymlinks(dir); err == nil && rerr == nil {
		dir = real
	}
	return filepath.Join(dir, filepath.Base(path))
}

// checkWritable finds out before the first probe what could not be written after
// the last one. What is there already may be the result of days.
func (o *options) checkWritable() error {
	for _, f := range []struct {
		name, path, advice string
		try                func(string) error
	}{
		{"metadata", o.metadata, "remove it or use --overwrite", tryWrite},
		{"checkpoint", o.checkpoint, "go on with it by --resume, remove it or use --overwrite", tryReplace},
	} {
		if f.path == "" {
			continue
		}
		info, err := os.Stat(f.path)
		goesOn := o.resume != "" && (f.name == "metadata" || sameFile(f.path, o.resume))
		if err == nil && info.Mode().IsRegular() && info.Size() > 0 && !o.overwrite && !goesOn {
			return fmt.Errorf("--%s %s: there is something in it, %s", f.name, f.path, f.advice)
		}
		if err := f.try(f.path); err != nil {
			var path *os.PathError
			if errors.As(err, &path) {
				err = path.Err
			}
			return fmt.Errorf("--%s %s: %w", f.name, f.path, err)
		}
	}
	return nil
}

// sameFile tells whether two names are of one file.
func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	y, yerr := os.Stat(b)
	return err == nil && yerr == nil && os.SameFile(x, y)
}

// tryWrite tells why a file can't be written to, or made.
func tryWrite(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return tryReplace(path)
	case err != nil || !info.Mode().IsRegular() && !info.IsDir():
		return err // to open a pipe would be to wait for its reader
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return f.Close()
}

// tryReplace tells why a file can't be made and take the place of another.
func tryReplace(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return syscall.EISDIR
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// keeps is the capability that files need which are made while probes leave,
// where root makes them in somebody else's directory.
func (r *run) keeps() []cap.Value {
	tries := []func() error{func() error { return tryReplace(r.keeper.path) }}
	if r.o.resume != "" {
		tries = append(tries, func() error { return tryReplace(r.o.resume) })
	}
	if r.o.metadata != "" {
		tries = append(tries, func() error { return tryWrite(r.o.metadata) })
	}
	for _, t := range r.o.outputs {
		if t.Kind.Files != nil && t.Path != "-" {
			tries = append(tries, func() error { return tryReplace(t.Path) })
		}
	}
	if slices.ContainsFunc(tries, privilege.NeedsOverride) {
		return []cap.Value{cap.DAC_OVERRIDE}
	}
	return nil
}
