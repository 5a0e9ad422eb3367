package survey

import (
	"os"
	"os/signal"
	"syscall"
)

// signals are what others want of a run.
type signals struct {
	stop   chan os.Signal // SIGINT, SIGTERM, and SIGHUP unless it is ignored, as nohup does
	demand chan struct{}  // SIGUSR1: a report
	usr1   chan os.Signal
	end    chan struct{}
}

// listen begins to listen. Writing to a closed pipe or beyond the limit on file
// sizes is an error like any other from then on.
func listen() *signals {
	s := &signals{make(chan os.Signal, 2), make(chan struct{}, 1), make(chan os.Signal, 1), make(chan struct{})}
	signal.Ignore(syscall.SIGPIPE, syscall.SIGXFSZ)
	signal.Notify(s.stop, syscall.SIGINT, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(s.stop, syscall.SIGHUP)
	}
	signal.Notify(s.usr1, syscall.SIGUSR1)
	go func() {
		for {
			select {
			case <-s.usr1:
				select {
				case s.demand <- struct{}{}:
				default:
				}
			case <-s.end:
				return
			}
		}
	}()
	return s
}

func (s *signals) close() {
	signal.Stop(s.stop)
	signal.Stop(s.usr1)
	close(s.end)
}
