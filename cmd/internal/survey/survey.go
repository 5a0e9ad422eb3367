// Package survey is the command hopquote survey: from a command line to the
// exit code.
package survey

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"syscall"

	"github.com/spf13/pflag"

	"github.com/hopquote/hopquote/cmd/internal/privilege"
	"github.com/hopquote/hopquote/cmd/internal/survey/checkpoint"
	"github.com/hopquote/hopquote/frame"
)

// Std is what a run reads from and writes to.
type Std struct {
	In       io.Reader
	Out, Err io.Writer
}

// OS is the Std of a real process.
func OS() Std { return Std{os.Stdin, os.Stdout, os.Stderr} }

// Exit codes.
const (
	exitDone        = 0
	exitFailed      = 1   // it could not begin
	exitUsage       = 2   // the command line or the targets can't be used
	exitPartial     = 3   // it broke off, or replies were lost
	exitInterrupted = 128 // plus the signal's number
)

const help = `Usage: hopquote survey [OPTIONS] TARGET...

Finds the paths to many targets. A target is an address, a prefix
(192.0.2.0/24), a range (192.0.2.1-192.0.2.9), a host name, a file with one of
these in each line (what follows a blank, a comma or # is ignored, but further
addresses are refused), or - for standard input. Host names in files and standard
input that can't be looked up are left out; a survey that is gone on with has
the addresses that its names had in the beginning.

%s
An interrupt lets what is in flight be answered, a second one ends at once.
SIGUSR1 prints how far it is.
`

// Main runs a survey as the arguments say and gives the exit code.
func Main(args []string, std Std) int {
	o, flags, err := parse(args)
	if err != nil {
		return usageError(std, err)
	}
	if o.help {
		fmt.Fprintf(std.Out, help, flags.FlagUsages())
		return exitDone
	}
	r := &run{o: o, args: args, std: std, rand: newRand()}
	if o.resume != "" {
		claimed, err := checkpoint.Claim(o.resume)
		if err != nil {
			return usageError(std, err)
		}
		defer func() { _ = claimed.Close() }()
		if o, r.resumed, r.args, err = resume(o, args); err != nil {
			return usageError(std, err)
		}
		r.o, r.before = o, r.resumed.Head
	}
	if !o.seeded {
		o.seed = r.rand.Uint64()
	}
	if r.names, err = newNames(o, r.before.Names, std.Err); err != nil {
		return usageError(std, fmt.Errorf("--resume %s: %w", o.resume, err))
	}
	quiet := r.names.progress(o, std)
	r.targets, err = readTargets(context.Background(), o, std.In, r.names)
	quiet()
	if err != nil {
		return usageError(std, r.targetsAgain(err))
	}
	r.cfg = o.config(r.targets)
	for f, p := range []*frame.Probe{&r.cfg.Probe4, &r.cfg.Probe6} {
		if _, any := r.targets.First(f == 1); !any {
			continue
		}
		if *p, err = o.probe(examples[f], examples[f]); err != nil {
			return usageError(std, err)
		}
	}
	s, err := newSurveyor(o.mode, r.cfg)
	if err != nil {
		return usageError(std, err)
	}
	if err := o.checkTraces(s); err != nil {
		return usageError(std, err)
	}
	if r.resumed != nil {
		if err := r.fits(); err != nil {
			return usageError(std, fmt.Errorf("--resume %s: %w", o.resume, err))
		}
		if r.resumed.Complete {
			fmt.Fprintf(std.Err, "hopquote survey: --resume %s: that survey is complete\n", o.resume)
			return exitDone
		}
	}
	if o.dryRun {
		return r.dryRun(s)
	}
	if !privilege.MayProbe() {
		fmt.Fprintln(std.Err, privilege.Advice())
		return exitFailed
	}
	if err := o.checkWritable(); err != nil {
		fmt.Fprintf(std.Err, "hopquote survey: %v\n", err)
		return exitFailed
	}
	if err := r.do(); err != nil {
		fmt.Fprintf(std.Err, "hopquote survey: %v\n", err)
		if errors.Is(err, syscall.EPERM) {
			fmt.Fprintln(std.Err, privilege.Advice())
		}
		return exitFailed
	}
	return r.report()
}

// examples are addresses for probes whose size is asked for before there is a
// route, by family.
var examples = [2]netip.Addr{
	netip.AddrFrom4([4]byte{192, 0, 2, 1}),
	netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 15: 1}),
}

func usageError(std Std, err error) int {
	if errors.Is(err, pflag.ErrHelp) {
		return exitDone
	}
	fmt.Fprintf(std.Err, "hopquote survey: %v\n", err)
	return exitUsage
}

// report says how the run ended and gives the exit code.
func (r *run) report() int {
	code := exitDone
	var sig interrupted
	switch {
	case errors.As(r.why, &sig):
		code = exitInterrupted + int(sig.Signal)
	case r.why != nil:
		code = exitPartial
		if r.onward != "" {
			fmt.Fprintf(r.std.Err, "hopquote survey: %v; %s\n", r.why, r.onward)
			r.onward = ""
		} else {
			fmt.Fprintf(r.std.Err, "hopquote survey: %v\n", r.why)
		}
	case r.end.KernelDrops > 0:
		code = exitPartial
		fmt.Fprintf(r.std.Err, "hopquote survey: %d replies found no room in the receive ring and are missing\n", r.end.KernelDrops)
	}
	if s, _ := r.status.sum(); s.failures.undelivered > 0 {
		if code == exitDone {
			code = exitPartial
		}
		fmt.Fprintf(r.std.Err, "hopquote survey: %d probes never left: the link refused them\n", s.failures.undelivered)
	}
	if lost := r.engines.Handovers().Lost; lost > 0 {
		fmt.Fprintf(r.std.Err, "hopquote survey: %d replies that came to another loop than their probe's found no way there and count as strays\n", lost)
	}
	if r.net.silent() && code == exitDone {
		code = exitPartial // told at the beginning
	}
	if r.onward != "" {
		fmt.Fprintf(r.std.Err, "hopquote survey: %s\n", r.onward)
	}
	if why := r.keeper.stale; why != nil {
		fmt.Fprintf(r.std.Err, "hopquote survey: %s is still there, do not go on from it: %v\n", r.o.resume, why)
	}
	if r.held > 0 {
		fmt.Fprintf(r.std.Err, "hopquote survey: %d unfinished traces are in the checkpoint, not in %s: what was written there can't be taken back\n", r.held, r.passing())
	}
	fmt.Fprint(r.std.Err, r.summary())
	if err := r.writeMetadata(code); err != nil {
		fmt.Fprintf(r.std.Err, "hopquote survey: %v\n", err)
		if code == exitDone {
			code = exitPartial
		}
	}
	return code
}
