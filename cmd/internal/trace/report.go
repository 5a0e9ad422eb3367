package trace

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/hopquote/hopquote/cmd/internal/leave"
	"github.com/hopquote/hopquote/cmd/internal/output/asn"
	"github.com/hopquote/hopquote/cmd/internal/privilege"
	"github.com/hopquote/hopquote/frame/link"
)

// Exit codes besides those of package option.
const (
	exitDone        = 0
	exitFailed      = 1   // a system call, the network or an output failed
	exitUsage       = 2   // the command line can't be used, the whois server it means included
	exitInterrupted = 128 // plus the signal's number
)

// do runs the trace and gives the exit code. stop ends ctx.
//
// The network is closed last, which takes the kernel some time: nobody waits for
// the output meanwhile.
func (r *run) do(ctx context.Context, stop context.CancelCauseFunc) int {
	defer r.close()
	if r.names != nil {
		// Who interrupts, or was failed, does not want to wait for names.
		defer context.AfterFunc(ctx, r.names.Close)()
		defer r.names.Close()
	}
	if r.origins != nil {
		defer context.AfterFunc(ctx, r.origins.Close)()
		defer r.origins.Close()
	}
	err := nameFileLimit(r.trace(ctx, stop))
	var jsonErr error
	if r.out == nil {
		jsonErr = outputError(r.writeJSON(err))
	}
	if err == nil {
		// A signal may also come after the last probe, while names are waited
		// for.
		err = interruption(context.Cause(ctx))
	}
	if err == nil {
		err = r.serverErr
	}
	if r.drops > 0 && r.out != nil {
		// Their probes are printed as lost. JSON has the number among its counts.
		fmt.Fprintf(r.std.Err, "hopquote: %d replies found no room in the receive ring and are missing\n", r.drops)
	}
	return r.report(err, jsonErr, r.captureErr)
}

// close closes the network, or leaves it to be closed.
func (r *run) close() {
	if r.wire == nil || r.std.Process && leave.Behind() {
		return
	}
	r.wire.Close()
}

// report tells why the run ended and which outputs failed, a line each, and
// gives the exit code.
func (r *run) report(err error, outputs ...error) int {
	code := exitDone
	var sig signalled
	var output *brokenOutput
	var server *asn.ServerError
	switch {
	case err == nil:
	case errors.As(err, &sig):
		code = exitInterrupted + int(sig.Signal)
	case errors.As(err, &output):
		// Nobody reads along: there is no line to break off from.
		outputs = append(outputs, output)
	case errors.As(err, &server):
		// As traceroute: it breaks off behind the address that it was to look up.
		code = exitUsage
		fmt.Fprintln(r.std.Err, server)
	default:
		code = exitFailed
		if r.out != nil {
			// As traceroute: the header or line under way stays as it is.
			fmt.Fprintln(r.std.Err)
		}
		fmt.Fprintln(r.std.Err, err)
		if errors.Is(err, syscall.EPERM) && r.hops == nil {
			// A security policy may forbid what the capabilities allow.
			fmt.Fprintln(r.std.Err, privilege.Advice())
		}
	}
	for _, failed := range outputs {
		if failed == nil {
			continue
		}
		fmt.Fprintln(r.std.Err, failed)
		if code == exitDone {
			code = exitFailed
		}
	}
	return code
}

// interruption is the error of a context that a signal ended, else nil.
func interruption(cause error) error {
	var sig signalled
	if errors.As(cause, &sig) {
		return sig
	}
	return nil
}

// brokenOutput is the error of standard output.
type brokenOutput struct{ err error }

func (b *brokenOutput) Error() string {
	var errno syscall.Errno
	if errors.As(b.err, &errno) {
		return (&link.OpError{Op: "write standard output", Err: errno}).Error()
	}
	return fmt.Sprintf("write standard output: %v", b.err)
}

func (b *brokenOutput) Unwrap() error { return b.err }

// outputError marks an error of standard output. That of a whois server, which
// ends the output too, stays as it is.
func outputError(err error) error {
	var server *asn.ServerError
	if err == nil || errors.As(err, &server) {
		return err
	}
	return &brokenOutput{err}
}
