// Package wire is a link between two hosts with nothing on it but what a
// measurement sends: no IPv6, whose housekeeping would be counted too.
package wire

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	tcx "github.com/cilium/ebpf/link"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/frame/link"
)

// Names and addresses, those of package lab's topology "pair".
const (
	Near     = "h1"
	Far      = "h2"
	NearLink = "veth1-h1"
	FarLink  = "veth1-h2"
)

// Addresses of the two hosts.
var (
	NearAddr = netip.MustParseAddr("192.168.100.10")
	FarAddr  = netip.MustParseAddr("192.168.100.20")
)

// Pair is the link with its hosts.
type Pair struct {
	*lab.Net
	// Drops tells how frames that reach the far host are dropped.
	Drops string

	program *ebpf.Program
	link    tcx.Link
}

// Open builds the link.
func Open() (*Pair, error) {
	topology, _ := lab.Find("pair")
	for i := range topology.Links {
		for e := range topology.Links[i].Ends {
			end := &topology.Links[i].Ends[e]
			end.Addresses = end.Addresses[:1] // IPv4
		}
	}
	n, err := lab.Build(topology)
	if err != nil {
		return nil, err
	}
	p := &Pair{Net: n, Drops: "far host's IP stack"}
	for _, host := range []string{Near, Far} {
		if !n.HasIPv6() {
			break
		}
		if err := n.Host(host).Sysctl("net/ipv6/conf/all/disable_ipv6", "1"); err != nil {
			return nil, errors.Join(err, p.Close())
		}
	}
	return p, nil
}

// DropFar has the far host drop all frames as soon as they arrive, but for ARP,
// where the kernel lets us; else its IP stack discards what it does not know.
func (p *Pair) DropFar() error {
	program, err := ebpf.NewProgram(&ebpf.ProgramSpec{Name: "drop", Type: ebpf.SchedCLS, License: "MIT", Instructions: dropIPv4})
	if err != nil {
		return nil // no right to load it: the other way does as well
	}
	p.program = program
	err = p.Host(Far).Do(func() error {
		ifi, err := net.InterfaceByName(FarLink)
		if err != nil {
			return err
		}
		p.link, err = tcx.AttachTCX(tcx.TCXOptions{Interface: ifi.Index, Program: program, Attach: ebpf.AttachTCXIngress})
		return err
	})
	switch {
	case errors.Is(err, ebpf.ErrNotSupported):
		return nil
	case err != nil:
		return fmt.Errorf("attach a program that drops frames to %s: %w", FarLink, err)
	}
	p.Drops = "tcx program"
	return nil
}

// dropIPv4 drops IPv4 packets (TCX_DROP) and leaves others to the next program
// (TCX_NEXT). The protocol of struct __sk_buff is in network byte order.
var dropIPv4 = asm.Instructions{
	asm.LoadMem(asm.R2, asm.R1, 16, asm.Word),
	asm.Mov.Imm(asm.R0, 2),
	asm.JEq.Imm(asm.R2, etherIPv4, "end"),
	asm.Mov.Imm(asm.R0, -1),
	asm.Return().WithSymbol("end"),
}

// Envelope is what frames from one host to the other need.
func (p *Pair) Envelope(from string, to netip.Addr) (e link.Envelope, err error) {
	err = p.Host(from).Do(func() error {
		e, err = link.Lookup(link.Want{Dst: to})
		return err
	})
	return e, err
}

// Close removes everything.
func (p *Pair) Close() error {
	var errs []error
	if p.link != nil {
		errs = append(errs, p.link.Close())
	}
	if p.program != nil {
		errs = append(errs, p.program.Close())
	}
	return errors.Join(append(errs, p.Net.Close())...)
}
