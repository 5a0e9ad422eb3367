package scheduler

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/hopquote/hopquote/frame"
)

// counter holds ports 1, 2, 3 and so on.
type counter struct {
	next uint16
	held map[uint16]bool
}

func (c *counter) Hold() (uint16, error) {
	c.next++
	c.held[c.next] = true
	return c.next, nil
}

func (c *counter) Release(port uint16) { delete(c.held, port) }

// taken gives the identities of a few probes in a row.
func taken(t *testing.T, f *Fresh, m frame.Method, v6 bool) []frame.Probe {
	t.Helper()
	p := frame.Probe{Method: m, Protocol: 253, Dst: netip.MustParseAddr("192.0.2.1")}
	if v6 {
		p.Dst = netip.MustParseAddr("2001:db8::1")
	}
	probes := make([]frame.Probe, 50)
	for i := range probes {
		probes[i] = p
		if err := f.Take(&probes[i]); err != nil {
			t.Fatal(err)
		}
	}
	return probes
}

// A constant is a field that all of a method's probes share, a count one that
// goes up by one, and anything else differs without order.
func TestFreshFields(t *testing.T) {
	const constant, count, random = "constant", "count", "random"
	for _, tt := range []struct {
		method         frame.Method
		id, label, seq string
	}{
		{frame.UDP, random, random, constant},
		{frame.ICMP, count, constant, constant},
		{frame.TCP, count, constant, random},
		{frame.UDPLite, random, random, constant},
		{frame.DCCP, count, constant, random},
		{frame.Raw, count, count, constant},
	} {
		ports := &counter{held: map[uint16]bool{}}
		var holder PortHolder
		if tt.method.HasPorts() {
			holder = ports
		}
		f := NewFresh(holder, rand.New(rand.NewPCG(1, 2)), nil)
		probes := taken(t, f, tt.method, true)
		for name, c := range map[string]struct {
			want string
			get  func(p *frame.Probe) uint32
			top  uint32 // of the field
		}{
			"ID":    {tt.id, func(p *frame.Probe) uint32 { return uint32(p.ID) }, 0xffff},
			"label": {tt.label, func(p *frame.Probe) uint32 { return p.Label }, 0xfffff},
			"seq":   {tt.seq, func(p *frame.Probe) uint32 { return p.Seq }, 0xffffffff},
		} {
			got := constant
			for i := 1; i < len(probes); i++ {
				a, b := c.get(&probes[i-1]), c.get(&probes[i])
				switch {
				case b == a && got == constant:
				case b == (a+1)&c.top && (got == count || i == 1):
					got = count
				default:
					got = random
				}
			}
			if got != c.want {
				t.Errorf("%s: %s is %s, want %s", tt.method, name, got, c.want)
			}
		}
		if want := map[bool]int{true: len(probes)}[tt.method.HasPorts()]; len(ports.held) != want {
			t.Errorf("%s: %d ports held, want %d", tt.method, len(ports.held), want)
		}
		for i := range probes {
			f.Release(&probes[i])
		}
		if len(ports.held) != 0 {
			t.Errorf("%s: %d ports held after their release", tt.method, len(ports.held))
		}
	}
}

func TestFreshLabelGiven(t *testing.T) {
	label := uint32(0x112345)
	for m := frame.UDP; m <= frame.Raw; m++ {
		f := NewFresh(&counter{held: map[uint16]bool{}}, rand.New(rand.NewPCG(1, 2)), &label)
		for _, p := range taken(t, f, m, true) {
			if p.Label != 0x12345 {
				t.Fatalf("%s: label %#x, want 0x12345", m, p.Label)
			}
		}
	}
}

// Identifications of Raw probes leave zero out.
func TestFreshRawIDIsNeverZero(t *testing.T) {
	f := NewFresh(nil, rand.New(rand.NewPCG(1, 2)), nil)
	f.id = 0xffff - 10
	seen := map[uint16]bool{}
	for _, p := range taken(t, f, frame.Raw, false) {
		if p.ID == 0 || seen[p.ID] {
			t.Fatalf("identification %d", p.ID)
		}
		seen[p.ID] = true
	}
}
