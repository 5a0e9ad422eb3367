package survey

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"

	"github.com/hopquote/hopquote/cmd/internal/target"
	"github.com/hopquote/hopquote/scheduler/survey/pack"
)

// resolve gives what looks host names up.
var resolve = target.Resolve

// hostNames are the host names among the targets, and what they stand for. Each is
// looked up once, also of a survey that is gone on with: what a name server says
// later would make it another survey.
type hostNames struct {
	ask    func(context.Context, string) (netip.Addr, error)
	stderr io.Writer // is told of those that are left out, and of the progress

	mu     sync.Mutex // of all below, and of stderr while names are looked up
	begun  int        // how many a name server was asked for
	done   int        // of those, with or without an answer
	width  int        // of the progress on the terminal's line
	known  map[string]named
	order  []string // of known
	packed []byte   // the first so many of them
	count  int
}

// named is what a name stands for.
type named struct {
	addr netip.Addr // invalid: it is left out
	why  string     // it is
}

// newNames takes the names of the command line's families. packed is what is
// known of them, nil for nothing.
func newNames(o *options, packed []byte, stderr io.Writer) (*hostNames, error) {
	network := "ip"
	switch {
	case o.ipv4:
		network = "ip4"
	case o.ipv6:
		network = "ip6"
	}
	n := &hostNames{ask: resolve(network), stderr: stderr, known: map[string]named{}}
	if len(packed) == 0 {
		return n, nil
	}
	r := pack.NewReader(packed)
	for r.Len() > 0 && r.Err() == nil {
		name, why := string(r.Bytes()), string(r.Bytes())
		n.note(name, named{r.Addr(), why})
	}
	return n, r.End()
}

// pack is what newNames takes. Every checkpoint has it: it is put together once.
func (n *hostNames) pack() []byte {
	for ; n.count < len(n.order); n.count++ {
		name := n.order[n.count]
		to := n.known[name]
		n.packed = pack.Addr(pack.Bytes(pack.Bytes(n.packed, []byte(name)), []byte(to.why)), to.addr)
	}
	return n.packed
}

func (n *hostNames) note(name string, to named) {
	if _, known := n.known[name]; !known {
		n.order = append(n.order, name)
	}
	n.known[name] = to
}

// lookup is target.Reader's.
func (n *hostNames) lookup(ctx context.Context, name string) (netip.Addr, error) {
	n.mu.Lock()
	to, known := n.known[name]
	if !known {
		n.begun++
	}
	n.mu.Unlock()
	switch {
	case known && to.why != "":
		return to.addr, errors.New(to.why)
	case known:
		return to.addr, nil
	}
	a, err := n.ask(ctx, name)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.done++; err == nil {
		n.note(name, named{addr: a})
	}
	return a, err
}

// leaveOut is target.Reader's.
func (n *hostNames) leaveOut(place, name string, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, known := n.known[name]; known {
		return
	}
	n.note(name, named{why: reason(err)})
	if dns := (*net.DNSError)(nil); errors.As(err, &dns) {
		err = dns // the name is there already
	}
	n.clear()
	fmt.Fprintf(n.stderr, "hopquote survey: %s: %s is left out: %v\n", place, name, err)
}

// reason is what kinds of failed look-ups have in common: their errors name
// hosts, servers and ports.
func reason(err error) string {
	var dns *net.DNSError
	var addr *net.AddrError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return "there is no host of that name"
	case errors.As(err, &dns) && dns.IsTimeout:
		return "no name server answered in time"
	case errors.As(err, &addr):
		return "it has no address of that family"
	}
	return "it can't be looked up"
}

// leftOut lists the names that are left out, a reason each.
func (n *hostNames) leftOut() []leftOut {
	list := []leftOut{}
	for _, name := range n.order {
		if why := n.known[name].why; why != "" {
			list = add(list, leftOut{why, 1, name})
		}
	}
	return list
}
