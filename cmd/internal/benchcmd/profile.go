package benchcmd

import (
	"errors"
	"fmt"
	"os"
	"runtime/pprof"
	"runtime/trace"
)

// profiles are the files that --cpuprofile and --trace name, empty for none.
type profiles struct {
	cpu, trace string

	cpuFile, traceFile *os.File
}

func (p *profiles) start() (err error) {
	if p.cpu != "" {
		if p.cpuFile, err = os.Create(p.cpu); err != nil {
			return fmt.Errorf("write a CPU profile: %w", err)
		}
		if err := pprof.StartCPUProfile(p.cpuFile); err != nil {
			return fmt.Errorf("write a CPU profile: %w", err)
		}
	}
	if p.trace != "" {
		if p.traceFile, err = os.Create(p.trace); err != nil {
			return fmt.Errorf("write a trace: %w", err)
		}
		if err := trace.Start(p.traceFile); err != nil {
			return fmt.Errorf("write a trace: %w", err)
		}
	}
	return nil
}

func (p *profiles) stop() error {
	var errs []error
	if p.cpuFile != nil {
		pprof.StopCPUProfile()
		errs = append(errs, p.cpuFile.Close())
	}
	if p.traceFile != nil {
		trace.Stop()
		errs = append(errs, p.traceFile.Close())
	}
	return errors.Join(errs...)
}
