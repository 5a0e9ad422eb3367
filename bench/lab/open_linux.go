package lab

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/jsimonetti/rtnetlink/v2"
)

// readyWait bounds how long links may take to become operational, and
// addresses to become valid; both usually take milliseconds at most.
const readyWait = 5 * time.Second

// firstIndex is the index of a network's first link end; the loopback is 1.
const firstIndex = 2

// Net is a network that stands. Close removes it.
type Net struct {
	topology Topology
	hosts    map[string]*Host
	close    func() error
}

// Open builds the named topology; on error nothing is left behind. It needs
// the right to make network namespaces, see Reexec.
func Open(name string) (*Net, error) {
	t, ok := Find(name)
	if !ok {
		return nil, fmt.Errorf("lab: no topology %q, there are %s", name, strings.Join(Topologies(), ", "))
	}
	return Build(t)
}

// Build is Open for a plan of the caller's own.
func Build(t Topology) (*Net, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	n := &Net{topology: t, hosts: make(map[string]*Host)}
	n.close = sync.OnceValue(n.remove)
	if err := n.build(); err != nil {
		n.Close()
		return nil, err
	}
	return n, nil
}

func (n *Net) build() error {
	for _, p := range n.topology.Hosts {
		h, err := newHost(p)
		if err != nil {
			return err
		}
		n.hosts[p.Name] = h
	}
	for i, l := range n.topology.Links {
		a, b := l.Ends[0], l.Ends[1]
		index := uint32(firstIndex + 2*i)
		mtu := l.MTU
		if mtu == 0 {
			mtu = 1500
		}
		if err := newVeth(n.hosts[a.Host], n.hosts[b.Host], [2]string{a.Name, b.Name}, [2]uint32{index, index + 1}, mtu); err != nil {
			return err
		}
	}
	// All links are up before the first address, all addresses are there before the first route.
	for _, step := range []func(*Host, EndPlan) error{checksumsBySender, setUp, waitCarrier, addAddresses} {
		if err := n.forEachEnd(step); err != nil {
			return err
		}
	}
	if err := n.addRoutes(); err != nil {
		return err
	}
	return n.refuseNames()
}

func (n *Net) forEachEnd(f func(*Host, EndPlan) error) error {
	for _, l := range n.topology.Links {
		for _, e := range l.Ends {
			if err := f(n.hosts[e.Host], e); err != nil {
				return err
			}
		}
	}
	return nil
}

func setUp(h *Host, e EndPlan) error { return h.SetLink(e.Name, true) }

// waitCarrier waits until the link is operational: before, it drops packets.
func waitCarrier(h *Host, e EndPlan) error {
	deadline := time.Now().Add(readyWait)
	for {
		l, err := h.link(e.Name)
		if err != nil {
			return err
		}
		if l.Attributes.OperationalState == rtnetlink.OperStateUp {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("lab: %s of %s is not operational after %v", e.Name, h.name, readyWait)
		}
		time.Sleep(time.Millisecond)
	}
}

func addAddresses(h *Host, e EndPlan) error {
	for _, p := range e.Addresses {
		if p.Addr().Is6() && !haveIPv6() {
			continue
		}
		if err := h.AddAddress(e.Name, p); err != nil {
			return err
		}
	}
	return nil
}

func (n *Net) addRoutes() error {
	for _, p := range n.topology.Hosts {
		for _, r := range p.Routes {
			if r.Dst.Addr().Is6() && !haveIPv6() {
				continue
			}
			if err := n.hosts[p.Name].AddRoute(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// Topology is the plan that the network was built from.
func (n *Net) Topology() Topology { return n.topology }

// HasIPv6 tells whether the kernel has IPv6; without it only IPv4 addresses
// were given out.
func (n *Net) HasIPv6() bool { return haveIPv6() }

// Host gives the named host, nil if there is none.
func (n *Net) Host(name string) *Host { return n.hosts[name] }

// Close kills the programs inside, those that Host.Start started and any
// others, and lets go of all namespaces; the kernel then removes them and
// their links. A namespace that a Do still runs in goes when that Do returns.
// Calls after the first give its result again.
func (n *Net) Close() error { return n.close() }

func (n *Net) remove() error {
	namespaces := make(map[string]bool)
	for _, h := range n.hosts {
		h.stopStarter()
		if ns, err := os.Readlink(h.Path()); err == nil {
			namespaces[ns] = true
		}
	}
	evict(namespaces)
	var errs []error
	for _, h := range n.hosts {
		errs = append(errs, h.close())
	}
	return errors.Join(errs...)
}
