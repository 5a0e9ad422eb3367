package internet

import (
	"bytes"
	_ "embed" // the program
	"encoding/binary"
	"errors"
	"fmt"
	"net"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"github.com/hopquote/hopquote/bench/lab"
)

//go:embed bpf/internet_bpfel.o
var object []byte

// settings is what the program finds in its memory, as struct settings in
// state.bpf.h has it.
type settings struct {
	Seed                 uint64
	Gateway6             [2]uint64
	Routers6             uint64
	LimitEvery, Span     uint64
	Gateway4             uint32
	Routers4, Host4      uint32
	MinHops, HopSpan     uint32
	Shared, Step         uint32
	Silent, SilentHosts  uint32
	Minimal, UpToLabel   uint32
	Diamonds             uint32
	Loops, UpToRefusal   uint32
	Limited              uint32
	Duplicates, UpToLate uint32
	Guarded, Services    uint32
	Opens                uint32
	Open                 [MaxOpen]uint16
	MAC                  [6]byte
	Unused               [2]byte
}

func (c *Config) settings(mac [6]byte) settings {
	s := settings{
		Seed:    c.Seed,
		MinHops: uint32(c.MinHops), HopSpan: uint32(c.MaxHops - c.MinHops + 1),
		Shared: uint32(c.Shared), Step: prefixStep,
		Silent: uint32(c.Silent), SilentHosts: uint32(c.SilentHosts),
		Minimal: uint32(c.Minimal), UpToLabel: uint32(c.Minimal + c.Labeled),
		Diamonds: uint32(c.Diamonds),
		Loops:    uint32(c.Loops), UpToRefusal: uint32(c.Loops + c.Unreachable),
		Limited: uint32(c.Limited), LimitEvery: uint64(c.LimitEvery), Span: c.span(),
		Duplicates: uint32(c.Duplicates), UpToLate: uint32(c.Duplicates + c.Late),
		Guarded: uint32(c.Guarded), Services: uint32(c.Services),
		Opens: uint32(len(c.Open)),
		MAC:   mac,
	}
	s.Gateway6[0], s.Gateway6[1] = halves(c.Gateway6)
	s.Routers6, _ = halves(c.Routers6.Addr())
	gateway4, _ := halves(c.Gateway4)
	s.Gateway4 = uint32(gateway4 >> 32)
	s.Routers4, s.Host4 = routers4(c.Routers4)
	copy(s.Open[:], c.Open)
	return s
}

// program is the Internet in the kernel, not yet attached to a link.
type program struct {
	Internet *ebpf.Program `ebpf:"internet"`
	Counts   *ebpf.Map     `ebpf:"counts"`
	Late     *ebpf.Map     `ebpf:"late"`
}

func (p *program) close() error {
	return errors.Join(p.Internet.Close(), p.Counts.Close(), p.Late.Close())
}

// lateRing is how many bytes of late replies may wait for the loader to take
// them.
const lateRing = 8 << 20

// errByteOrder is why machines of the other byte order have no kernel form.
var errByteOrder = fmt.Errorf("internet: the program is for little-endian machines: %w", ebpf.ErrNotSupported)

// load brings the program into the kernel.
func load(c *Config, mac [6]byte) (*program, error) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		return nil, errByteOrder
	}
	spec, err := ebpf.LoadCollectionSpecFromReader(bytes.NewReader(object))
	if err != nil {
		return nil, fmt.Errorf("internet: read the program: %w", err)
	}
	if err := spec.Variables["settings"].Set(c.settings(mac)); err != nil {
		return nil, fmt.Errorf("internet: set the program up: %w", err)
	}
	if c.Limited > 0 {
		spec.Maps["buckets"].MaxEntries = MaxLimits
	}
	if c.Late > 0 {
		spec.Maps["late"].MaxEntries = lateRing
	}
	var p program
	if err := spec.LoadAndAssign(&p, nil); errors.Is(err, unix.EPERM) {
		return nil, fmt.Errorf("internet: load the program: needs CAP_BPF and CAP_NET_ADMIN outside of user namespaces: %w", unix.EPERM)
	} else if err != nil {
		return nil, fmt.Errorf("internet: load the program: %w", err)
	}
	return &p, nil
}

// isForbidden tells whether the kernel, or who runs us, does not allow the
// kernel form at all. A program that the verifier rejects (EACCES, EINVAL) is no
// such case.
func isForbidden(err error) bool {
	return errors.Is(err, errUserSpace) || errors.Is(err, ebpf.ErrNotSupported) ||
		errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSYS)
}

// errUserSpace is for a Config that asks for it.
var errUserSpace = errors.New("internet: user space was asked for")

// kernel is the kernel form.
type kernel struct {
	program    *program
	link       link.Link
	spread     *spread     // nil without
	latecomers *latecomers // nil without
}

func startKernel(host *lab.Host, iface string, c *Config) (*kernel, error) {
	if c.UserSpace {
		return nil, errUserSpace
	}
	k := &kernel{}
	err := host.Do(func() error {
		ifi, err := findInterface(host, iface)
		if err != nil {
			return err
		}
		if k.program, err = load(c, [6]byte(ifi.HardwareAddr)); err != nil {
			return err
		}
		k.link, err = link.AttachTCX(link.TCXOptions{
			Interface: ifi.Index, Program: k.program.Internet, Attach: ebpf.AttachTCXIngress,
		})
		if err != nil {
			return fmt.Errorf("internet: attach the program to %s of %s: %w", iface, host.Name(), err)
		}
		return nil
	})
	if err == nil && c.Late > 0 {
		k.latecomers, err = openLatecomers(host, iface, c, k.program.Late)
	}
	if err == nil && (c.CPUs != 0 || c.Backlog != 0) {
		k.spread, err = openSpread(host, iface, c)
	}
	if err != nil {
		return nil, errors.Join(err, k.close())
	}
	return k, nil
}

// minMTU lets every reply through.
const minMTU = 1280

// findInterface is for a thread inside the host.
func findInterface(host *lab.Host, iface string) (*net.Interface, error) {
	ifi, err := net.InterfaceByName(iface)
	if err != nil {
		return nil, fmt.Errorf("internet: find interface %s of %s: %w", iface, host.Name(), err)
	}
	if len(ifi.HardwareAddr) != 6 || ifi.MTU < minMTU {
		return nil, fmt.Errorf("internet: interface %s of %s has link address %q and MTU %d: must be Ethernet with %d or more",
			iface, host.Name(), ifi.HardwareAddr, ifi.MTU, minMTU)
	}
	return ifi, nil
}

func (k *kernel) counters() (Counters, error) {
	c, err := k.program.counters()
	if k.latecomers != nil {
		k.latecomers.queue.correct(&c)
	}
	return c, err
}

// halt takes the program off the link.
func (k *kernel) halt() error {
	if k.link == nil {
		return nil
	}
	err := k.link.Close()
	k.link = nil
	if k.latecomers != nil {
		err = errors.Join(err, k.latecomers.halt())
	}
	return err
}

// counters adds up what all CPUs counted.
func (p *program) counters() (Counters, error) {
	var sum Counters
	var all []Counters
	if err := p.Counts.Lookup(uint32(0), &all); err != nil {
		return sum, fmt.Errorf("internet: read the counters: %w", err)
	}
	for i := range all {
		sum.add(&all[i])
	}
	return sum, nil
}

// close removes the program. What was not opened is passed over.
func (k *kernel) close() error {
	errs := []error{k.halt()}
	if k.latecomers != nil {
		errs = append(errs, k.latecomers.close())
	}
	if k.spread != nil {
		errs = append(errs, k.spread.close())
	}
	if k.program != nil {
		errs = append(errs, k.program.close())
	}
	return errors.Join(errs...)
}
