// Package trace is the command hopquote trace: from a command line to the
// exit code.
package trace

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/hopquote/hopquote/cmd/internal/bsd"
	"github.com/hopquote/hopquote/cmd/internal/option"
	"github.com/hopquote/hopquote/cmd/internal/output/asn"
	"github.com/hopquote/hopquote/cmd/internal/output/names"
	"github.com/hopquote/hopquote/cmd/internal/privilege"
)

// Std is where a run writes, and what it is told by its surroundings.
type Std struct {
	Out, Err  io.Writer
	LookupEnv func(string) (string, bool)
	Names     names.Resolver // of responders; nil: the system's
	Origins   asn.Config     // of AS look-ups
	// Process means that the run is all that this process does: it may suit the
	// runtime to itself, and leave its packet sockets behind.
	Process bool
}

// OS is the Std of a real process.
func OS() Std {
	return Std{Out: os.Stdout, Err: os.Stderr, LookupEnv: os.LookupEnv, Process: true}
}

// Main runs a trace as the arguments say, argv[0] being the program's name,
// and gives the exit code.
//
// With --bsd as the first argument, the rest is for the BSD dialect.
func Main(argv []string, std Std) int {
	if len(argv) > 1 && argv[1] == "--bsd" {
		return bsd.Main(argv[2:], std.Out, std.Err)
	}
	opts, err := option.Parse(context.Background(), argv, std.LookupEnv, option.HostResolver{})
	if err != nil {
		var exit *option.Exit
		if !errors.As(err, &exit) {
			exit = &option.Exit{Code: exitFailed, Stderr: err.Error() + "\n"}
		}
		fmt.Fprint(std.Out, exit.Stdout)
		fmt.Fprint(std.Err, exit.Stderr)
		return exit.Code
	}
	if !privilege.MayProbe() {
		fmt.Fprintln(std.Err, privilege.Advice())
		return exitFailed
	}
	if std.Process {
		shareProcessor(opts)
	}
	r, err := newRun(opts, argv, std)
	if err != nil {
		fmt.Fprintln(std.Err, err)
		return exitUsage
	}
	if opts.NoChecksum {
		fmt.Fprintln(std.Err, "traceroute: Warning: ip checksums disabled")
	}
	ctx, stop := interrupts()
	defer stop(nil)
	return r.do(ctx, stop)
}
