package labcmd

import (
	"fmt"
	"io"
	"os"

	"github.com/hopquote/hopquote/bench/lab"
)

const labHelp = `Usage: hopquote lab [options] [--] [COMMAND [ARG]...]

Builds a network of hosts and routers inside this machine and runs COMMAND in
one of its hosts; without COMMAND the shell of $SHELL, or /bin/sh. When the
command ends, or a signal ends it, the network is gone. Neither root nor
anything installed is needed where ordinary users may have user namespaces.

Options:
%s
The exit status is the command's: 128 plus the signal's number if a signal
ended it, 126 or 127 if it could not be run; 2 for a mistake in the options and
1 when the network could not be built.

Examples:
  hopquote lab
  hopquote lab -- hopquote trace 192.168.120.20
  hopquote lab --in r1 -- ip route
  hopquote lab --script path.sim -- hopquote trace 10.2.2.2
  hopquote lab --internet=7 --hops 6-24 --silent 5 --diamonds 20
  hopquote lab --internet=7 --hops 6-24 --truth 20.0.0.0/24 > truth.jsonl
  (hopquote bench score holds what a survey found against it)
`

// greet shows whoever gets a shell the network, what to try in it, and how to
// look into its other hosts from a second terminal.
func greet(w io.Writer, n *lab.Net, in string) {
	t := n.Topology()
	fmt.Fprintf(w, "Network %s; this shell is in %s:\n\n%s\n", t.Name, in, t.Drawing())
	if far, ok := farAddress(t, in); ok {
		fmt.Fprintf(w, "Try:  hopquote trace %s\n", far)
	}
	fmt.Fprint(w, "To look into a host from a second terminal:\n\n")
	for _, h := range t.Hosts {
		link := firstLink(t, h.Name)
		fmt.Fprintf(w, "  %s -ni %s    # %s\n", captureCommand(n.Host(h.Name)), link, h.Name)
	}
	fmt.Fprint(w, "\nexit, or Ctrl-D, removes it all.\n")
}

// captureCommand is a command line that captures in the host. Inside a user
// namespace tcpdump fails: it wants to become another user, and there is none.
func captureCommand(h *lab.Host) string {
	if lab.Reexecuted() {
		return fmt.Sprintf("nsenter -t %d -U --preserve-credentials --net=%s tshark", os.Getpid(), h.Path())
	}
	return fmt.Sprintf("nsenter --net=%s tcpdump", h.Path())
}

// farAddress is the first address at the end of the network that is farther
// from the host, in a chain that starts with the first link.
func farAddress(t lab.Topology, host string) (string, bool) {
	if len(t.Links) == 0 {
		return "", false
	}
	e := t.Links[len(t.Links)-1].Ends[1]
	if e.Host == host {
		e = t.Links[0].Ends[0]
	}
	if len(e.Addresses) == 0 {
		return "", false
	}
	return e.Addresses[0].Addr().String(), true
}

// firstLink is the name of the first interface that the host has, lo if none.
func firstLink(t lab.Topology, host string) string {
	for _, l := range t.Links {
		for _, e := range l.Ends {
			if e.Host == host {
				return e.Name
			}
		}
	}
	return "lo"
}
