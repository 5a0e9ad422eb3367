// Package trace is the command hopquote trace: from a command line to the
// exit code.
package trace

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/hopquote/hopquote/cmd/internal/bsd"
	"github.com/hopquote/hopquote/cmd/internal/option"
	"github.com/hopquote/hopquote/cmd/internal/privilege"
)

// Exit codes besides those of package option.
const (
	exitDone        = 0
	exitFailed      = 1   // a system call, the network or an output failed
	exitInterrupted = 128 // plus the signal's number
)

// Std is where a run writes, and what it is told by its surroundings.
type Std struct {
	Out, Err  io.Writer
	LookupEnv func(string) (string, bool)
}

// OS is the Std of a real process.
func OS() Std { return Std{Out: os.Stdout, Err: os.Stderr, LookupEnv: os.LookupEnv} }

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
	r := newRun(opts, argv, std)
	ctx, stop := interrupts()
	defer stop()
	return r.finish(r.trace(ctx))
}

// signalled is the cause of a context that a signal ended.
type signalled struct{ syscall.Signal }

func (s signalled) Error() string { return s.Signal.String() }

// interrupts gives a context that the first SIGINT or SIGTERM ends. A second
// one ends the process at once. Writing to a closed pipe is an error like any
// other instead of a silent death.
func interrupts() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signal.Ignore(syscall.SIGPIPE)
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGINT, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		select {
		case s := <-c:
			signal.Stop(c)
			cancel(signalled{s.(syscall.Signal)})
		case <-done:
		}
	}()
	return ctx, func() {
		signal.Stop(c)
		close(done)
		cancel(nil)
	}
}
