package rx_test

import (
	"fmt"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/mdlayher/packet"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
)

// The tests of other interfaces run at r1, which receives by its first link and
// hears what comes by the second.
//
//	h1 veth1-h1 --- veth1-r1 r1 veth2-r1 --- veth1-r2 r2
const second = "veth2-r1"

// from sends frames from a host's interface to another's address.
type from struct {
	conn *packet.Conn
	src  [6]byte
	dst  [6]byte
}

func openFrom(t testing.TB, n *lab.Net, host, name, toHost, toName string) *from {
	t.Helper()
	f := &from{}
	if err := n.Host(toHost).Do(func() error {
		ifi, err := net.InterfaceByName(toName)
		if err == nil {
			copy(f.dst[:], ifi.HardwareAddr)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := n.Host(host).Do(func() error {
		ifi, err := net.InterfaceByName(name)
		if err != nil {
			return err
		}
		copy(f.src[:], ifi.HardwareAddr)
		f.conn, err = packet.Listen(ifi, packet.Raw, 0, nil)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.conn.Close() })
	return f
}

// send sends a UDP answer to r1, or to a hardware address of nobody, and gives
// the frame.
func (f *from) send(t testing.TB, port uint16, astray bool) []byte {
	t.Helper()
	dst := f.dst
	if astray {
		dst[5] ^= 1
	}
	a := frame.Answer{
		Link: frame.Link{Type: frame.LinkEthernet, Src: f.src, Dst: dst},
		From: target, To: r1, TTL: 60, Method: frame.UDP, SrcPort: 33434, DstPort: port, Payload: []byte("answer"),
	}
	b := a.Append(nil)
	f.put(t, b)
	return b
}

func (f *from) put(t testing.TB, b []byte) {
	t.Helper()
	if _, err := f.conn.WriteTo(b, &packet.Addr{HardwareAddr: b[:6]}); err != nil {
		t.Fatal(err)
	}
}

// hearing is a receiver that hears others.
type hearing interface {
	receiver
	Hear(e *rx.Elsewhere)
}

// openHearing opens a receiver at an interface of r1 with an Elsewhere.
func openHearing(t testing.TB, n *lab.Net, name string, link frame.LinkType, socket bool, packets int) hearing {
	t.Helper()
	spec := rx.FilterSpec{Link: link, Local: r1, Target: target, Method: frame.UDP}
	filter, err := spec.Program()
	if err != nil {
		t.Fatal(err)
	}
	spec.Link = frame.LinkRaw
	raw, err := spec.Program()
	if err != nil {
		t.Fatal(err)
	}
	var main hearing
	if err := n.Host("r1").Do(func() error {
		ifi, err := net.InterfaceByName(name)
		if err != nil {
			return err
		}
		epoch := time.Now()
		if socket {
			main, err = rx.OpenSocket(rx.SocketConfig{Interface: ifi, Link: link, Filter: filter, Epoch: epoch})
		} else {
			main, err = rx.OpenRing(rx.RingConfig{Interface: ifi, Link: link, Filter: filter, Epoch: epoch})
		}
		if err != nil {
			return err
		}
		t.Cleanup(func() { main.Close() })
		e, err := rx.OpenElsewhere(rx.ElsewhereConfig{
			Interface: ifi, Link: link, Filter: raw, IPv4: true, IPv6: true, Packets: packets, Epoch: epoch,
		})
		if err == nil {
			main.Hear(e)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return main
}

func eachHearing(t *testing.T, f func(t *testing.T, socket bool)) {
	for name, socket := range map[string]bool{"ring": false, "socket": true} {
		t.Run(name, func(t *testing.T) { f(t, socket) })
	}
}

// Packets of both interfaces come once each, in the form of the one.
func TestElsewhereReceives(t *testing.T) {
	eachHearing(t, func(t *testing.T, socket bool) {
		for _, link := range []frame.LinkType{frame.LinkEthernet, frame.LinkRaw} {
			n := openLine(t)
			main := openHearing(t, n, there, link, socket, 0)
			h1, r2 := openFrom(t, n, "h1", wire, "r1", there), openFrom(t, n, "r2", "veth1-r2", "r1", second)
			r2.send(t, 1, true)
			var other *net.Interface
			if err := n.Host("r1").Do(func() (err error) { other, err = net.InterfaceByName(second); return err }); err != nil {
				t.Fatal(err)
			}
			want := map[string]int{} // the interface, by packet
			for port := range uint16(20) {
				b := h1.send(t, port, false)
				want[string(b[14-link.HeaderLen():])] = 0
				b = r2.send(t, 100+port, false)
				clear(b[:6])
				want[string(b[14-link.HeaderLen():])] = other.Index
			}
			for _, p := range collect(t, main, len(want)) {
				if by, ok := want[p.Data]; !ok || by != p.Interface {
					t.Errorf("%x by interface %d, want it by %d; it was not sent or came before: %t", p.Data, p.Interface, by, !ok)
				}
				delete(want, p.Data)
				if now := time.Since(main.Epoch()); p.At <= 0 || p.At > now+time.Millisecond || p.Local {
					t.Errorf("received at %v, it is %v; local %t", p.At, now, p.Local)
				}
			}
			if len(want) != 0 {
				t.Errorf("%d frames did not come", len(want))
			}
			if drops, err := main.Drops(); drops != 0 || err != nil {
				t.Errorf("%d drops, error %v", drops, err)
			}
		}
	})
}

// A reader that sleeps is woken by what comes elsewhere, and reading it
// allocates nothing.
func TestElsewhereWakes(t *testing.T) {
	eachHearing(t, func(t *testing.T, socket bool) {
		n := openLine(t)
		main := openHearing(t, n, there, frame.LinkEthernet, socket, 0)
		r2 := openFrom(t, n, "r2", "veth1-r2", "r1", second)
		woken := make(chan error, 1)
		go func() { woken <- main.Wait(long) }()
		r2.send(t, 1, false)
		if err := <-woken; err != nil {
			t.Fatal(err)
		}
		packets := 0
		take := func(*rx.Packet) { packets++ }
		for range 20 {
			r2.send(t, 2, false)
		}
		if allocs := testing.AllocsPerRun(10, func() {
			if err := main.Drain(take); err != nil {
				t.Fatal(err)
			}
		}); allocs != 0 {
			t.Errorf("%v allocations", allocs)
		}
		if packets != 21 {
			t.Errorf("%d packets, want 21", packets)
		}
		// One that never waits gets it too.
		r2.send(t, 3, false)
		sent := time.Since(main.Epoch())
		for packets < 22 {
			now := time.Since(main.Epoch())
			if err := main.Drain(take); err != nil {
				t.Fatal(err)
			}
			if packets < 22 && now > sent+long {
				t.Fatalf("nothing after %v", now-sent)
			}
		}
	})
}

// What finds no room counts, and counts stay when all is closed.
func TestElsewhereDrops(t *testing.T) {
	eachHearing(t, func(t *testing.T, socket bool) {
		n := openLine(t)
		main := openHearing(t, n, there, frame.LinkEthernet, socket, 20)
		r2 := openFrom(t, n, "r2", "veth1-r2", "r1", second)
		const count = 1000
		for range count {
			r2.send(t, 1, false)
		}
		drops, err := main.Drops()
		if err != nil || drops == 0 {
			t.Fatalf("%d drops, error %v; want some", drops, err)
		}
		if got := len(collect(t, main, count-int(drops))); got != count-int(drops) {
			t.Errorf("%d received and %d dropped of %d", got, drops, count)
		}
		if ring, ok := main.(*rx.Ring); ok {
			c, err := ring.Stats()
			if err != nil || c.Received != count || c.Drops != drops || c.Handed != count-drops {
				t.Errorf("%+v, error %v, want %d received, %d dropped", c, err, count, drops)
			}
		}
		if err := main.Close(); err != nil {
			t.Error(err)
		}
		if again, err := main.Drops(); again != drops || err != nil {
			t.Errorf("%d drops when closed, error %v, before %d", again, err, drops)
		}
	})
}

// Where the receiver's interface stands on another one, as a bridge does on its
// ports, a packet comes once.
func TestElsewhereStacked(t *testing.T) {
	ip, err := exec.LookPath("ip")
	if err != nil {
		t.Skip("no ip:", err)
	}
	for _, c := range []struct {
		name, top string
		links     []string
	}{
		{"bridge", "br0", []string{"link add br0 type bridge", "link set " + there + " master br0", "link set br0 up"}},
		{"MAC VLAN", "mac0", []string{"link add link " + there + " name mac0 type macvlan mode bridge", "link set mac0 up"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := openLine(t)
			for _, line := range c.links {
				cmd := exec.Command(ip, strings.Fields(line)...)
				if err := n.Host("r1").Start(cmd); err != nil {
					t.Fatal(err)
				}
				if err := cmd.Wait(); err != nil {
					t.Fatalf("ip %s: %v", line, err)
				}
			}
			main := openHearing(t, n, c.top, frame.LinkEthernet, true, 0)
			h1 := openFrom(t, n, "h1", wire, "r1", c.top)
			for port := range uint16(20) {
				h1.send(t, port, false)
			}
			if got := len(collect(t, main, 20)); got != 20 {
				t.Errorf("%d packets, want 20", got)
			}
			// What is left would be second copies.
			main.Inject([]byte("end"), 0)
			if got := len(collect(t, main, 1)); got != 1 {
				t.Errorf("%d packets more, want the injected one", got)
			}
		})
	}
}

func TestElsewhereErrors(t *testing.T) {
	ifi := &net.Interface{Index: 7, Name: "eth7"}
	filter := lineConfig(t).Filter
	for _, c := range []struct {
		config rx.ElsewhereConfig
		want   string
	}{
		{rx.ElsewhereConfig{Filter: filter, IPv4: true}, "open receive socket beside an interface: no interface given"},
		{rx.ElsewhereConfig{Interface: ifi, IPv4: true}, "open receive socket beside an interface: no filter given"},
		{rx.ElsewhereConfig{Interface: ifi, Filter: filter}, "open receive socket beside an interface: no family given, need IPv4, IPv6 or both"},
		{rx.ElsewhereConfig{Interface: ifi, Filter: filter, IPv4: true, Packets: -1}, "open receive socket beside an interface: room for -1 packets, need 0..65536"},
		{rx.ElsewhereConfig{Interface: ifi, Filter: filter, IPv4: true, Link: 9}, "link type 9, known are raw IP (0) and Ethernet (1)"},
	} {
		if _, err := rx.OpenElsewhere(c.config); err == nil || err.Error() != c.want {
			t.Errorf("error %v, want %s", err, c.want)
		}
	}
	if _, err := rx.OpenElsewheres(0, rx.ElsewhereConfig{}); err == nil || err.Error() != "open receive sockets beside an interface: 0 shards, need 1..256" {
		t.Errorf("no shards: error %v", err)
	}
}

// BenchmarkIdleDrain is a Drain that finds nothing, with and without others to
// hear.
func BenchmarkIdleDrain(b *testing.B) {
	for name, socket := range map[string]bool{"ring": false, "socket": true} {
		for _, hears := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/elsewhere=%t", name, hears), func(b *testing.B) {
				n := openLine(b)
				var main receiver
				switch {
				case hears:
					main = openHearing(b, n, there, frame.LinkEthernet, socket, 0)
				case socket:
					main = openSocket(b, n, wire, rx.SocketConfig{})
				default:
					main = openRing(b, n, wire, rx.RingConfig{})
				}
				take := func(*rx.Packet) {}
				b.ReportAllocs()
				for b.Loop() {
					if err := main.Drain(take); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
