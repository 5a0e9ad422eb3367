package survey

import (
	"errors"
	"fmt"
	"os"
	"runtime/pprof"
	"runtime/trace"
)

// startProfiles begins what --cpuprofile and --trace ask for, and gives the
// function that ends it.
func startProfiles(o *options) (func() error, error) {
	var ends []func() error
	begin := func(name string, start func(*os.File) error, stop func()) error {
		if name == "" {
			return nil
		}
		f, err := os.Create(name)
		if err != nil {
			return fmt.Errorf("profile: %w", err)
		}
		ends = append(ends, func() error { stop(); return f.Close() })
		return start(f)
	}
	err := begin(o.profile, func(f *os.File) error { return pprof.StartCPUProfile(f) }, pprof.StopCPUProfile)
	if err == nil {
		err = begin(o.trace, func(f *os.File) error { return trace.Start(f) }, trace.Stop)
	}
	end := func() error {
		var errs []error
		for _, f := range ends {
			errs = append(errs, f())
		}
		return errors.Join(errs...)
	}
	if err != nil {
		return nil, errors.Join(err, end())
	}
	return end, nil
}
