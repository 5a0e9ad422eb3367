package survey

import (
	"fmt"
	"strings"
	"time"
)

// dryRun tells what a run would send, and gives its exit code: a plan can be made
// where there is no network, but not for an interface or source that is not there.
func (r *run) dryRun(s surveyor) int {
	routes, err := r.dryRoutes()
	fmt.Fprint(r.std.Out, r.dryProbes(s)+routes)
	if named := r.o.iface != "" || r.o.source4.IsValid() || r.o.source6.IsValid(); err != nil && named {
		fmt.Fprintf(r.std.Err, "hopquote survey: %v\n", err)
		return exitFailed
	}
	return exitDone
}

// dryProbes tells how many probes there are, how long they are, and how long they
// take.
func (r *run) dryProbes(s surveyor) string {
	o := r.o
	all, _ := s.progress()
	probes, most := all, ""
	if o.attempts > 1 {
		probes *= uint64(o.attempts)
		most = " at most"
	}
	if o.mode == "adaptive" {
		probes *= uint64(int(o.max) - int(o.first) + 1)
		most = " at most, a third of that or less as a rule"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "targets   %d", r.targets.Len())
	if o.shards > 1 {
		fmt.Fprintf(&b, ", shard %d of %d", o.shard, o.shards)
	}
	fmt.Fprintf(&b, "\nprobes    %d%s (mode %s, TTL %d to %d, flows %d)\n", probes, most, o.mode, o.first, o.max, o.flows)
	if c := r.resumed; c != nil {
		since := ", and those since the checkpoint"
		if c.Stopped {
			since = ""
		}
		fmt.Fprintf(&b, "before    %d of them were sent%s\n", c.Counts.Sent, since)
	}
	size := r.probeSize()
	fmt.Fprintf(&b, "size      %d bytes on the link\n", size)
	if pps := o.rate.perSecond(size); pps > 0 {
		fmt.Fprintf(&b, "rate      %s probes/s, %.0f bit/s\n", perSecond(pps), pps*float64(8*size))
		fmt.Fprintf(&b, "time      %s, and up to %s for the last replies\n", duration(float64(probes)/pps), o.timeout)
	} else {
		fmt.Fprintf(&b, "rate      as fast as the sender\n")
	}
	fmt.Fprintf(&b, "seed      %d\n", o.seed)
	for _, l := range r.unwanted() {
		fmt.Fprintf(&b, "left out  %v\n", l)
	}
	return b.String()
}

// dryRoutes tells how many targets go where.
func (r *run) dryRoutes() (string, error) {
	routes, err := findRoutes(r.o, r.targets)
	if err == nil {
		err = routes.checkLink()
	}
	if err == nil {
		_, _, err = (&network{routes: routes}).probes(r.o)
	}
	if err != nil {
		return fmt.Sprintf("routes    %v\n", err), err
	}
	var b strings.Builder
	for _, h := range routes.nextHops() {
		fmt.Fprintf(&b, "route     %v\n", h)
	}
	for _, l := range routes.leftOut() {
		fmt.Fprintf(&b, "left out  %v\n", l)
	}
	for _, l := range routes.unshared() {
		fmt.Fprintf(&b, "equal     %s\n", l)
	}
	return b.String(), nil
}

// duration writes seconds, which may be more than a Duration holds.
func duration(seconds float64) string {
	const most = float64(1<<63-1) / float64(time.Second)
	if seconds > most {
		return fmt.Sprintf("%.0f years", seconds/(365*24*3600))
	}
	return time.Duration(seconds * float64(time.Second)).Round(time.Millisecond).String()
}
