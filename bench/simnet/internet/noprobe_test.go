package internet

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
)

// destinations are one for each method in each family.
var destinations = []netip.Addr{
	netip.MustParseAddr("20.0.0.1"), netip.MustParseAddr("20.0.1.1"), netip.MustParseAddr("21.0.0.1"),
	netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8:0:1::1"), netip.MustParseAddr("2a00::1"),
}

// TestNoProbes sends what is no probe: it is counted and gets no answer.
func TestNoProbes(t *testing.T) {
	forms(t, Config{}, func(t *testing.T, c Config, n *Net) {
		w := newWire(t, n, c, rx.RingConfig{})
		before := w.counters(t, 0)
		want := before
		for _, bad := range noProbes(t, w) {
			w.send(t, bad.frame)
			*bad.count(&want)++
		}
		// A last probe tells when all has been seen.
		p := frame.Probe{Method: frame.UDP, Dst: destinations[0], TTL: 3, Size: 40, SrcPort: 5000, DstPort: 33434}
		w.ask(t, 1, p)
		want.IPv4.UDP.Asked++
		want.IPv4.UDP.Answered++
		answered := false
		w.until(t, func() bool { return answered }, func(data []byte, m *rx.Match) {
			if m.Verdict != rx.Exact {
				t.Errorf("a reply that nobody asked for: %x", data)
			}
			answered = true
		})
		got := w.counters(t, 1)
		if got.Foreign < want.Foreign {
			t.Errorf("%d foreign frames counted, want %d or more", got.Foreign, want.Foreign)
		}
		// The prober's kernel sends foreign frames of its own, and looks for its neighbours.
		got.Foreign, got.Neighbours = want.Foreign, want.Neighbours
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("counters (-sent +counted):\n%s", diff)
		}
	})
}

type noProbe struct {
	frame []byte
	count func(*Counters) *uint64
}

func noProbes(t *testing.T, w *wire) []noProbe {
	malformed := func(c *Counters) *uint64 { return &c.Malformed }
	fragment := func(c *Counters) *uint64 { return &c.Fragments }
	foreign := func(c *Counters) *uint64 { return &c.Foreign }
	var list []noProbe
	add := func(f []byte, count func(*Counters) *uint64) { list = append(list, noProbe{f, count}) }
	for i, dst := range destinations {
		p := frame.Probe{Method: methods[i%3], Dst: dst, TTL: 5, SrcPort: 4000, DstPort: 33434}
		p.Size = p.HeaderLen() + 40
		good, _ := w.frame(t, p)
		edit := func(at int, b ...byte) []byte {
			f := append([]byte(nil), good...)
			copy(f[at:], b)
			return f
		}
		for cut := 14; cut < len(good); cut += 5 {
			add(good[:cut:cut], malformed)
		}
		add(edit(14, 0x55), malformed) // version
		if w.net.Form() == InKernel {  // the socket takes nothing but ARP and IP
			add(edit(12, 0x88, 0xcc), foreign)
		}
		if dst.Is6() {
			add(edit(20, 44), fragment)
			add(edit(20, 0), foreign)       // hop-by-hop options
			add(edit(21, 0), malformed)     // hop limit
			add(edit(22, 0xff, 2), foreign) // from a group
			add(edit(38, 0xfe, 0x80), foreign)
			add(edit(38, 0xff, 2), foreign)
			continue
		}
		sum := func(f []byte) []byte { // makes the header's checksum right again
			f[24], f[25] = 0, 0
			s := ^frame.Fold(frame.Sum(f[14:34], 0))
			f[24], f[25] = byte(s>>8), byte(s)
			return f
		}
		add(edit(24, good[24]^1), malformed)
		add(sum(edit(22, 0)), malformed)     // TTL
		add(sum(edit(20, 0x20)), fragment)   // first of several
		add(sum(edit(20, 0, 9)), fragment)   // a later one
		add(sum(edit(14, 0x46)), foreign)    // options
		add(sum(edit(26, 0)), foreign)       // from no host
		add(sum(edit(30, 224)), foreign)     // to a group
		add(sum(edit(30, 127)), foreign)     // to loopback
		add(sum(edit(16, 0xff)), malformed)  // longer than the frame
		add(sum(edit(16, 0, 19)), malformed) // shorter than the header
	}
	return list
}
