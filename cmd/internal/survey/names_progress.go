package survey

import (
	"fmt"
	"strings"
	"time"
)

// progress has whoever watches told, as often as of the survey itself, how many
// names are looked up, until what it gives is called. Its form json is for reports
// of probing only.
func (n *hostNames) progress(o *options, std Std) (end func()) {
	over := o.status == "auto" && std.terminal()
	if o.status != "text" && !over {
		return func() {}
	}
	tick := time.NewTicker(o.interval)
	stop := n.tell(tick.C, over)
	return func() {
		tick.Stop()
		stop()
	}
}

// tell writes a line with each tick, once there are lookups, until the function
// that it gives is called. On a terminal it goes over the one before.
func (n *hostNames) tell(tick <-chan time.Time, over bool) (end func()) {
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-tick:
				n.report(over)
			case <-stop:
				return
			}
		}
	}()
	return func() {
		close(stop)
		<-stopped
		n.mu.Lock()
		defer n.mu.Unlock()
		n.clear()
	}
}

func (n *hostNames) report(over bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	text := fmt.Sprintf("host names: %d looked up, %d under way", n.done, n.begun-n.done)
	switch {
	case n.begun == 0:
	case over:
		n.clear()
		fmt.Fprint(n.stderr, text)
		n.width = len(text)
	default:
		fmt.Fprintln(n.stderr, text)
	}
}

// clear leaves the terminal's line empty for something else.
func (n *hostNames) clear() {
	if n.width > 0 {
		fmt.Fprintf(n.stderr, "\r%s\r", strings.Repeat(" ", n.width))
		n.width = 0
	}
}
