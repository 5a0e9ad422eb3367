package early

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/hopquote/hopquote/frame"
)

func TestDropsOwnReplies(t *testing.T) {
	needEBPF(t)
	for _, m := range []frame.Method{frame.UDP, frame.ICMP, frame.TCP} {
		t.Run(m.String(), func(t *testing.T) { testDropsOwnReplies(t, m) })
	}
}

func testDropsOwnReplies(t *testing.T, m frame.Method) {
	p := newProber(t, m)
	d := p.attach(t, m)
	before := p.kernelErrors(t)
	var sent uint64
	const rounds = 20
	for range rounds {
		for _, v6 := range []bool{false, true} {
			frames := p.probes(t, m, v6)
			p.send(t, v6, frames)
			sent += uint64(len(frames))
		}
	}
	p.drain(t, sent)
	if dropped, err := d.Dropped(); dropped != sent || err != nil {
		t.Errorf("%d of %d replies dropped, error %v", dropped, sent, err)
	}
	if n := p.kernelErrors(t) - before; n != 0 {
		t.Errorf("the kernel took in %d ICMP errors, want none", n)
	}
	if err := p.ping(); err != nil {
		t.Errorf("a ping beside the early drop: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	frames := p.probes(t, m, false)
	p.send(t, false, frames)
	p.drain(t, sent+uint64(len(frames)))
	if n := p.kernelErrors(t) - before; n == 0 {
		t.Error("the kernel took in no ICMP errors after the early drop was closed")
	}
	if dropped, err := d.Dropped(); dropped != sent || err != nil {
		t.Errorf("%d replies dropped after closing, error %v; want %d", dropped, err, sent)
	}
	if err := d.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
	counts, err := p.ring.Stats()
	if counts.Handed != sent+uint64(len(frames)) || counts.Drops != 0 || err != nil {
		t.Errorf("counts %+v, error %v; want %d handed", counts, err, sent+uint64(len(frames)))
	}
}

// ping sends an echo request of another identifier by a raw socket of the
// kernel's and waits for the reply.
func (p *prober) ping() error {
	const id = 7
	var conn net.PacketConn
	err := p.Host("h1").Do(func() (err error) {
		conn, err = net.ListenPacket("ip4:icmp", "0.0.0.0")
		return err
	})
	if err != nil {
		return err
	}
	defer conn.Close()
	a := frame.Answer{From: dst[false], To: dst[false], Method: frame.ICMP, SrcPort: id}
	request := a.Append(nil)[20:]
	request[0] = 8
	request[2], request[3] = 0, 0
	sum := ^frame.Fold(frame.Sum(request, 0))
	request[2], request[3] = byte(sum>>8), byte(sum)
	if _, err := conn.WriteTo(request, &net.IPAddr{IP: dst[false].AsSlice()}); err != nil {
		return err
	}
	conn.SetReadDeadline(time.Now().Add(long))
	var b [1500]byte
	for {
		n, _, err := conn.ReadFrom(b[:])
		if err != nil {
			return err
		}
		if n >= 8 && b[0] == 0 && b[5] == id {
			return nil
		}
	}
}

// counter is a tcx program of somebody else that counts and lets pass.
func (p *prober) counter(t *testing.T, at link.Anchor) func() uint64 {
	t.Helper()
	counts, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.PerCPUArray, KeySize: 4, ValueSize: 8, MaxEntries: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { counts.Close() })
	code := ends(counts.FD())
	code[8] = asm.Mov.Imm(asm.R0, tcxNext)
	program, err := ebpf.NewProgram(&ebpf.ProgramSpec{Type: ebpf.SchedCLS, Instructions: code})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { program.Close() })
	p.inside(t, func() error {
		l, err := link.AttachTCX(link.TCXOptions{Interface: p.index, Program: program, Attach: ebpf.AttachTCXIngress, Anchor: at})
		if err == nil {
			t.Cleanup(func() { l.Close() })
		}
		return err
	})
	return func() uint64 {
		n, err := (&Drop{counts: counts}).read()
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
}

// Programs before and behind run all the same: those behind do not get what was
// dropped, and all get the rest. A second early drop finds nothing to do.
func TestCoexists(t *testing.T) {
	needEBPF(t)
	p := newProber(t, frame.UDP)
	behind := p.counter(t, link.Tail())
	second := p.attach(t, frame.UDP)
	first := p.attach(t, frame.UDP)
	before := p.counter(t, link.Head())
	frames := p.probes(t, frame.UDP, false)
	p.send(t, false, frames)
	p.drain(t, uint64(len(frames)))
	if n, err := first.Dropped(); n != uint64(len(frames)) || err != nil {
		t.Errorf("%d replies dropped, error %v; want %d", n, err, len(frames))
	}
	if n, err := second.Dropped(); n != 0 || err != nil {
		t.Errorf("the second early drop dropped %d replies, error %v; want none", n, err)
	}
	if n := before(); n < uint64(len(frames)) {
		t.Errorf("the program before saw %d packets, want %d or more", n, len(frames))
	}
	seen := behind()
	if seen >= uint64(len(frames)) {
		t.Errorf("the program behind saw %d packets", seen)
	}
	if err := p.ping(); err != nil {
		t.Error(err)
	}
	if n := behind(); n <= seen {
		t.Errorf("the program behind saw %d packets before a ping and %d after", seen, n)
	}
}

// childInterface is set for the process that TestEndsWithProcess starts.
const childInterface = "HOPQUOTE_TEST_EARLY_INTERFACE"

// child drops everything until it is killed.
func child(index string) {
	i, err := strconv.Atoi(index)
	if err == nil {
		code, _ := bpf.Assemble([]bpf.Instruction{bpf.RetConstant{Val: 1}})
		_, err = Attach(i, code)
	}
	fmt.Println(err)
	select {}
}

func TestEndsWithProcess(t *testing.T) {
	needEBPF(t)
	p := newProber(t, frame.UDP)
	programs := func() (n int) {
		p.inside(t, func() error {
			q, err := link.QueryPrograms(link.QueryOptions{Target: p.index, Attach: ebpf.AttachTCXIngress})
			if err == nil {
				n = len(q.Programs)
			}
			return err
		})
		return n
	}
	before := programs()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childInterface+"="+strconv.Itoa(p.index))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.inside(t, cmd.Start)
	var line [200]byte
	n, _ := out.Read(line[:])
	during := programs()
	cmd.Process.Kill()
	cmd.Wait()
	if string(line[:n]) != "<nil>\n" || during != before+1 {
		t.Errorf("%d programs while the process runs, want %d; it says %q", during, before+1, line[:n])
	}
	if n := programs(); n != before {
		t.Errorf("%d programs after the process ended, want %d", n, before)
	}
}

func TestAttachErrors(t *testing.T) {
	needEBPF(t)
	p := newProber(t, frame.UDP)
	all := rule(t, bpf.RetConstant{Val: 1})
	for _, c := range []struct {
		name   string
		index  int
		filter []bpf.RawInstruction
		want   string
	}{
		{"loopback", 1, all, "early drop on lo: not on a loopback, where probes to this host come in too"},
		{"no interface", 9999, all, "early drop on interface 9999: route ip+net: no such network interface"},
		{"no filter", p.index, nil, "early drop on veth1-h1: the filter accepts nothing"},
		{"a filter that accepts nothing", p.index, rule(t, bpf.RetConstant{}), "early drop on veth1-h1: the filter accepts nothing"},
		{"extension", p.index, rule(t, bpf.LoadExtension{Num: bpf.ExtRand}, bpf.RetA{}), "early drop on veth1-h1: filter instruction 0, ld #rand: not supported"},
		{"jump too far", p.index, rule(t, bpf.Jump{Skip: 1}, bpf.RetConstant{Val: 1}), "early drop on veth1-h1: filter instruction 0, ja 1: jumps behind instruction 1, the last"},
		{"no end", p.index, rule(t, bpf.TAX{}), "early drop on veth1-h1: the filter accepts nothing"},
	} {
		p.inside(t, func() error {
			d, err := Attach(c.index, c.filter)
			if err == nil || err.Error() != c.want {
				t.Errorf("%s: error %v, want %s", c.name, err, c.want)
			}
			if d != nil {
				t.Errorf("%s: attached in spite of the error", c.name)
			}
			return nil
		})
	}
}

// The two capabilities suffice, and what is missing is named.
func TestCapabilities(t *testing.T) {
	needEBPF(t)
	p := newProber(t, frame.UDP)
	with := func(caps ...int) error {
		return p.Host("h1").Do(func() error {
			header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
			var data [2]unix.CapUserData
			for _, c := range caps {
				data[c/32].Effective |= 1 << (c % 32)
				data[c/32].Permitted |= 1 << (c % 32)
			}
			if err := unix.Capset(&header, &data[0]); err != nil {
				return err
			}
			filter, err := p.filter(frame.UDP).Exact()
			if err != nil {
				return err
			}
			d, err := Attach(p.index, filter)
			if err != nil {
				return err
			}
			return d.Close()
		})
	}
	if err := with(unix.CAP_BPF, unix.CAP_NET_ADMIN); err != nil {
		t.Errorf("with both: %v", err)
	}
	for want, caps := range map[string][]int{
		"CAP_BPF": {unix.CAP_NET_ADMIN}, "CAP_NET_ADMIN": {unix.CAP_BPF}, "CAP_BPF and CAP_NET_ADMIN": {unix.CAP_NET_RAW},
	} {
		want = "early drop on veth1-h1: needs CAP_BPF and CAP_NET_ADMIN (" + want + " missing): operation not permitted"
		if err := with(caps...); !errors.Is(err, unix.EPERM) || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}
