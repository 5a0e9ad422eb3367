package labcmd

import (
	"fmt"
	"io"
	"strconv"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/frame"
)

// openWorld builds a simulated Internet and says what is there. The function
// that it gives removes it and says what it was asked.
func openWorld(c internet.Config, stderr io.Writer) (*lab.Net, func() error, error) {
	n, err := internet.Open(c)
	if err != nil {
		return nil, nil, err
	}
	greetWorld(stderr, c, n)
	return n.Net, func() error {
		err := n.Close()
		counts, cerr := n.Counters()
		if cerr == nil {
			tellCounts(stderr, &counts)
		}
		return err
	}, nil
}

func greetWorld(w io.Writer, c internet.Config, n *internet.Net) {
	form := n.Form().String()
	if err := n.Reason(); err != nil && !c.UserSpace {
		form += fmt.Sprintf(" (%v)", err)
	}
	fmt.Fprintf(w, "Simulated Internet behind %s, seed %d, form: %s.\n", internet.Prober, c.Seed, form)
	distance := strconv.Itoa(c.MinHops)
	if c.MinHops != c.MaxHops {
		distance = fmt.Sprintf("%d to %d", c.MinHops, c.MaxHops)
	}
	fmt.Fprintf(w, "Every unicast address of IPv4 and IPv6 is a target, %s hops away", distance)
	if c.SilentHosts > 0 {
		fmt.Fprintf(w, "; %d %% of them do not answer", c.SilentHosts)
	}
	fmt.Fprint(w, ".\nTry:  hopquote trace 20.0.0.1    or 2001:db8::1\n\n")
}

// tellCounts says what the Internet was asked, and what it did.
func tellCounts(w io.Writer, c *internet.Counters) {
	total := c.Total()
	fmt.Fprint(w, "The simulated Internet counted:\n")
	tellCount(w, "probes", &total)
	for _, v6 := range []bool{false, true} {
		for _, m := range []frame.Method{frame.UDP, frame.ICMP, frame.TCP, 0} {
			count := c.Of(m, v6)
			if count.Asked == 0 {
				continue
			}
			name := "other"
			if m != 0 {
				name = m.String()
			}
			if v6 {
				name += ", IPv6"
			}
			tellCount(w, name, count)
		}
	}
	fmt.Fprintf(w, "  no probes: %d for neighbours, %d malformed, %d fragments, %d foreign; %d replies failed, %d frames dropped\n",
		c.Neighbours, c.Malformed, c.Fragments, c.Foreign, c.Failed, c.Dropped)
}

func tellCount(w io.Writer, name string, c *internet.Count) {
	fmt.Fprintf(w, "  %s: %d asked = %d answered + %d silent + %d limited", name, c.Asked, c.Answered, c.Silent, c.Limited)
	if c.Duplicated+c.Delayed > 0 {
		fmt.Fprintf(w, "; of the answers %d came twice, %d late", c.Duplicated, c.Delayed)
	}
	fmt.Fprintln(w)
}
