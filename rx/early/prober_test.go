package early

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/frame/link"
	"github.com/hopquote/hopquote/rx"
)

// The tests probe a simulated Internet from h1, whose replies come in at
// veth1-h1:
//
//	h1 veth1-h1 --- veth1-sim sim
type prober struct {
	*internet.Net
	index   int // of veth1-h1
	ring    *rx.Ring
	senders map[bool]*link.Sender // by IPv6 or not
	header  frame.Link
	src     map[bool]netip.Addr
}

var (
	ports = [2]uint16{40000, 40063}
	dst   = map[bool]netip.Addr{false: netip.MustParseAddr("20.0.0.1"), true: netip.MustParseAddr("2001:db8::1")}
	long  = 20 * time.Second
)

func newProber(t testing.TB, m frame.Method) *prober {
	t.Helper()
	lab.Skip(t)
	n, err := internet.Open(internet.Config{Seed: 4, Open: []uint16{80}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	p := &prober{Net: n, senders: map[bool]*link.Sender{}, src: map[bool]netip.Addr{}}
	p.inside(t, func() error { return p.open(m) })
	t.Cleanup(func() {
		p.ring.Close()
		p.senders[false].Close()
		p.senders[true].Close()
	})
	return p
}

// inside runs f in h1.
func (p *prober) inside(t testing.TB, f func() error) {
	t.Helper()
	if err := p.Host(internet.Prober).Do(f); err != nil {
		t.Fatal(err)
	}
}

func (p *prober) open(m frame.Method) error {
	for v6, dst := range dst {
		e, err := link.Lookup(link.Want{Dst: dst})
		if err != nil {
			return err
		}
		p.index, p.header, p.src[v6] = e.Interface.Index, e.Header, e.Src
		if p.senders[v6], err = link.OpenSender(e, link.SenderConfig{}); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(context.Background(), long)
		defer cancel()
		if !p.senders[v6].Resolve(ctx) {
			return errors.New("the gateway is not found")
		}
	}
	filter, err := p.filter(m).Program()
	if err != nil {
		return err
	}
	ifi, err := net.InterfaceByIndex(p.index)
	if err != nil {
		return err
	}
	p.ring, err = rx.OpenRing(rx.RingConfig{Interface: ifi, Link: frame.LinkEthernet, Filter: filter, Profile: rx.Survey})
	return err
}

func (p *prober) filter(m frame.Method) rx.SurveyFilter {
	return rx.SurveyFilter{Link: frame.LinkEthernet, Local4: p.src[false], Local6: p.src[true], Method: m, SrcPorts: ports}
}

// attach puts the early drop on veth1-h1, or fails where eBPF is not allowed.
func (p *prober) attach(t testing.TB, m frame.Method) *Drop {
	t.Helper()
	var d *Drop
	p.inside(t, func() error {
		filter, err := p.filter(m).Exact()
		if err != nil {
			return err
		}
		d, err = Attach(p.index, filter)
		return err
	})
	t.Cleanup(func() { d.Close() })
	return d
}

// needEBPF skips where the machine does not let us load programs. Root outside
// of user namespaces is always let.
func needEBPF(t testing.TB) {
	t.Helper()
	lab.Skip(t)
	m, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.Array, KeySize: 4, ValueSize: 8, MaxEntries: 1})
	if errors.Is(err, unix.EPERM) && (os.Getuid() != 0 || lab.Reexecuted()) {
		t.Skip("eBPF needs CAP_BPF outside of user namespaces")
	}
	if err != nil {
		t.Fatal(err)
	}
	m.Close()
}

// probes gives the frames of probes from all ports with all TTLs of a path.
func (p *prober) probes(t testing.TB, m frame.Method, v6 bool) [][]byte {
	t.Helper()
	var frames [][]byte
	for port := ports[0]; port <= ports[1]; port++ {
		q := frame.Probe{
			Method: m, Src: p.src[v6], Dst: dst[v6], TTL: uint8(1 + port%32), SrcPort: port, DstPort: 80, Seq: uint32(port),
			TCP: frame.TCPHeader{Flags: frame.FlagSYN},
		}
		q.Size = q.HeaderLen()
		tmpl, err := frame.NewTemplate(p.header, &q)
		if err != nil {
			t.Fatal(err)
		}
		b := make([]byte, tmpl.Len())
		tmpl.Put(b, &q)
		frames = append(frames, b)
	}
	return frames
}

// send sends the frames of one family.
func (p *prober) send(t testing.TB, v6 bool, frames [][]byte) {
	t.Helper()
	for end := time.Now().Add(long); len(frames) > 0; {
		n, err := p.senders[v6].Send(frames)
		if err != nil || time.Now().After(end) {
			t.Fatalf("%d frames left, error %v", len(frames), err)
		}
		frames = frames[n:]
	}
}

// drain drains until the ring has handed out n packets since it was opened.
func (p *prober) drain(t testing.TB, n uint64) {
	t.Helper()
	for end := time.Now().Add(long); ; {
		if err := p.ring.Drain(func(*rx.Packet) {}); err != nil {
			t.Fatal(err)
		}
		counts, err := p.ring.Stats()
		if err != nil || time.Now().After(end) {
			t.Fatalf("counts %+v, want %d; error %v", counts, n, err)
		}
		if counts.Handed >= n {
			return
		}
		if err := p.ring.Wait(time.Since(p.ring.Epoch()) + 20*time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
}

// kernelErrors is how many ICMP and ICMPv6 errors h1's IP stack has taken in.
func (p *prober) kernelErrors(t testing.TB) (n int) {
	t.Helper()
	p.inside(t, func() error {
		v4, err := os.ReadFile("/proc/thread-self/net/snmp")
		if err != nil {
			return err
		}
		v6, err := os.ReadFile("/proc/thread-self/net/snmp6")
		if err != nil {
			return err
		}
		n = column(t, string(v4), "Icmp:", "InDestUnreachs") + column(t, string(v4), "Icmp:", "InTimeExcds")
		for line := range strings.Lines(string(v6)) {
			if f := strings.Fields(line); f[0] == "Icmp6InDestUnreachs" || f[0] == "Icmp6InTimeExcds" {
				v, _ := strconv.Atoi(f[1])
				n += v
			}
		}
		return nil
	})
	return n
}

// column finds a counter in /proc/net/snmp: a line of names, then one of values.
func column(t testing.TB, text, group, name string) int {
	t.Helper()
	var names []string
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if f[0] != group {
			continue
		}
		if names == nil {
			names = f
			continue
		}
		for i := range names {
			if names[i] == name {
				v, err := strconv.Atoi(f[i])
				if err != nil {
					t.Fatal(err)
				}
				return v
			}
		}
	}
	t.Fatalf("no %s %s", group, name)
	return 0
}

// rule is a filter of one instruction.
func rule(t testing.TB, list ...bpf.Instruction) []bpf.RawInstruction {
	t.Helper()
	code, err := bpf.Assemble(list)
	if err != nil {
		t.Fatal(err)
	}
	return code
}
