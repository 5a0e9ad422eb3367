package trace

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// signalled is the cause of a context that a signal ended.
type signalled struct{ syscall.Signal }

func (s signalled) Error() string { return s.Signal.String() }

// interrupts gives a context that the first SIGINT or SIGTERM ends, and the
// function that ends it otherwise. A second signal ends the process at once.
//
// Writing to a closed pipe or beyond the limit on file sizes is an error like
// any other from then on, instead of the process's death.
func interrupts() (context.Context, context.CancelCauseFunc) {
	signal.Ignore(syscall.SIGPIPE, syscall.SIGXFSZ)
	ctx, stop := context.WithCancelCause(context.Background())
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		select {
		case s := <-c:
			signal.Stop(c)
			stop(signalled{s.(syscall.Signal)})
		case <-ctx.Done():
			signal.Stop(c)
		}
	}()
	return ctx, stop
}
