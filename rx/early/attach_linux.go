package early

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Drop is a program that drops packets at an interface. Its methods may be
// called from several goroutines.
type Drop struct {
	counts  *ebpf.Map
	program *ebpf.Program
	link    link.Link

	mu      sync.Mutex
	closed  bool
	dropped uint64 // once closed
}

// Attach has the interface drop all packets that the filter accepts, behind
// the packet sockets that see them, until Close or the end of the process. What
// the filter does not accept or can't read goes on its way, to other tcx
// programs first. This one stands before those that are there.
//
// The filter sees packets as the interface receives them, on Ethernet with that
// header, and is one of package rx; scratch memory, extensions and division by
// X are not supported. The loopback is refused: there, our own probes come in.
//
// It needs Linux 6.6 and, until it returns, CAP_BPF and CAP_NET_ADMIN outside of
// user namespaces; without them the error is EPERM and names what is missing.
func Attach(ifindex int, filter []bpf.RawInstruction) (*Drop, error) {
	ifi, err := net.InterfaceByIndex(ifindex)
	if err != nil {
		return nil, fmt.Errorf("early drop on interface %d: %w", ifindex, err)
	}
	d := &Drop{}
	if err := d.attach(ifi, filter); err != nil {
		return nil, fmt.Errorf("early drop on %s: %w", ifi.Name, errors.Join(explain(err), d.release()))
	}
	return d, nil
}

func (d *Drop) attach(ifi *net.Interface, filter []bpf.RawInstruction) error {
	if ifi.Flags&net.FlagLoopback != 0 {
		return errors.New("not on a loopback, where probes to this host come in too")
	}
	body, err := translate(filter)
	if err != nil {
		return err
	}
	d.counts, err = ebpf.NewMap(&ebpf.MapSpec{
		Name: "early_dropped", Type: ebpf.PerCPUArray, KeySize: 4, ValueSize: 8, MaxEntries: 1,
	})
	if err != nil {
		return err
	}
	d.program, err = ebpf.NewProgram(&ebpf.ProgramSpec{
		Name: "early_drop", Type: ebpf.SchedCLS, Instructions: append(body, ends(d.counts.FD())...),
	})
	if err != nil {
		return err
	}
	d.link, err = link.AttachTCX(link.TCXOptions{
		Interface: ifi.Index, Program: d.program, Attach: ebpf.AttachTCXIngress, Anchor: link.Head(),
	})
	return err
}

// What a program at tcx answers, enum tcx_action_base of linux/bpf.h.
const (
	tcxNext = -1 // the next program decides, and then the IP stack
	tcxDrop = 2
)

// ends are the two ends of a program, of which the first counts.
func ends(counts int) asm.Instructions {
	return asm.Instructions{
		asm.StoreImm(asm.RFP, -4, 0, asm.Word).WithSymbol(labelDrop),
		asm.LoadMapPtr(asm.R1, counts),
		asm.Mov.Reg(asm.R2, asm.RFP),
		asm.Add.Imm(asm.R2, -4),
		asm.FnMapLookupElem.Call(),
		asm.JEq.Imm(asm.R0, 0, labelPass),
		asm.Mov.Imm(asm.R1, 1),
		asm.StoreXAdd(asm.R0, asm.R1, asm.DWord),
		asm.Mov.Imm(asm.R0, tcxDrop),
		asm.Return(),
		asm.Mov.Imm(asm.R0, tcxNext).WithSymbol(labelPass),
		asm.Return(),
	}
}

// Dropped is how many packets were dropped so far, and after Close in all.
func (d *Drop) Dropped() (uint64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return d.dropped, nil
	}
	return d.read()
}

func (d *Drop) read() (uint64, error) {
	var perCPU []uint64
	if err := d.counts.Lookup(uint32(0), &perCPU); err != nil {
		return 0, fmt.Errorf("early drop: read the counter: %w", err)
	}
	var sum uint64
	for _, n := range perCPU {
		sum += n
	}
	return sum, nil
}

// Close lets all packets pass again. Closing again does nothing.
func (d *Drop) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	err := d.link.Close()
	d.link = nil
	var rerr error
	d.dropped, rerr = d.read()
	return errors.Join(err, rerr, d.release())
}

// release closes what is open, the link first.
func (d *Drop) release() error {
	var errs []error
	if d.link != nil {
		errs = append(errs, d.link.Close())
	}
	if d.program != nil {
		errs = append(errs, d.program.Close())
	}
	if d.counts != nil {
		errs = append(errs, d.counts.Close())
	}
	return errors.Join(errs...)
}

// explain adds to an error of the kernel what would help.
func explain(err error) error {
	switch {
	case errors.Is(err, ebpf.ErrNotSupported):
		return fmt.Errorf("needs Linux 6.6: %w", err)
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("needs CAP_BPF and CAP_NET_ADMIN%s: %w", missing(), unix.EPERM)
	}
	return err
}

// missing names what of the two the calling thread lacks.
func missing() string {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if unix.Capget(&header, &data[0]) != nil {
		return ""
	}
	has := func(c int) bool { return data[c/32].Effective&(1<<(c%32)) != 0 }
	var names []string
	if !has(unix.CAP_BPF) {
		names = append(names, "CAP_BPF")
	}
	if !has(unix.CAP_NET_ADMIN) {
		names = append(names, "CAP_NET_ADMIN")
	}
	if names == nil {
		return " outside of user namespaces"
	}
	return " (" + strings.Join(names, " and ") + " missing)"
}
