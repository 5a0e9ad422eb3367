package simnet

import (
	"fmt"
	"net"
	"time"

	"github.com/hopquote/hopquote/bench/lab"
)

// Net is a probing host and its simulated path.
type Net struct {
	*lab.Net
	*Sim
}

// Open builds the script's topology, with its names for the programs that are
// started in the probing host, and starts the path.
func Open(s *Script) (*Net, error) {
	n, err := lab.Build(Topology(s))
	if err != nil {
		return nil, err
	}
	if hosts := s.Hosts(); hosts != nil {
		if err := n.Host(Prober).SetHosts(hosts); err != nil {
			n.Close()
			return nil, err
		}
	}
	sim, err := Start(n.Host(Far), Link, s)
	if err != nil {
		n.Close()
		return nil, err
	}
	whole := &Net{n, sim}
	if err := whole.introduce(s); err != nil {
		whole.Close()
		return nil, err
	}
	return whole, nil
}

// meetingWait bounds how long a gateway may take to be found.
const meetingWait = 20 * time.Second

// introduce lets the probing host find its gateways before the first probe:
// probes that wait for a neighbour's link address may arrive out of order, and
// choices are handed out in the order of arrival. The path forgets it all.
func (n *Net) introduce(s *Script) error {
	sent := 0
	for _, src := range s.Sources {
		if src.Gateway.Is6() && !n.HasIPv6() {
			continue
		}
		err := n.Host(Prober).Do(func() error {
			const discard = 9
			conn, err := net.DialUDP("udp", &net.UDPAddr{IP: src.Prefix.Addr().AsSlice()}, &net.UDPAddr{IP: src.Gateway.AsSlice(), Port: discard})
			if err != nil {
				return err
			}
			defer conn.Close()
			_, err = conn.Write([]byte{0})
			return err
		})
		if err != nil {
			return fmt.Errorf("simnet: find gateway %s: %w", src.Gateway, err)
		}
		sent++
		for deadline := time.Now().Add(meetingWait); len(n.Probes()) < sent; time.Sleep(100 * time.Microsecond) {
			if time.Now().After(deadline) {
				return fmt.Errorf("simnet: gateway %s is not found after %v", src.Gateway, meetingWait)
			}
		}
	}
	n.forget(s)
	return nil
}

// Close ends the path and removes the network.
func (n *Net) Close() error {
	err := n.Sim.Close()
	if nerr := n.Net.Close(); err == nil {
		err = nerr
	}
	return err
}
