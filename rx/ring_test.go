package rx_test

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/mdlayher/packet"
	"golang.org/x/sys/unix"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
)

// The ring tests run at h1, the near end of lab's "line", with r1 as the one
// that sends:
//
//	h1 veth1-h1 192.168.100.10 --- 192.168.100.20 veth1-r1 r1 ...
const (
	wire  = "veth1-h1"
	there = "veth1-r1"
)

var (
	h1     = netip.MustParseAddr("192.168.100.10")
	r1     = netip.MustParseAddr("192.168.100.20")
	target = netip.MustParseAddr("192.168.120.20")
)

// long is far more than any of these tests should wait.
const long = 20 * time.Second

func openLine(t testing.TB) *lab.Net {
	t.Helper()
	lab.Skip(t)
	n, err := lab.Open("line")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n
}

// openRing opens a ring on the named interface of h1 for UDP probes to target.
func openRing(t testing.TB, n *lab.Net, name string, c rx.RingConfig) *rx.Ring {
	t.Helper()
	var ring *rx.Ring
	err := n.Host("h1").Do(func() (err error) {
		if c.Interface, err = net.InterfaceByName(name); err != nil {
			return err
		}
		ring, err = rx.OpenRing(c)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ring.Close() })
	return ring
}

func lineConfig(t testing.TB) rx.RingConfig {
	t.Helper()
	s := rx.FilterSpec{Link: frame.LinkEthernet, Local: h1, Target: target, Method: frame.UDP}
	filter, err := s.Program()
	if err != nil {
		t.Fatal(err)
	}
	return rx.RingConfig{Link: frame.LinkEthernet, Filter: filter}
}

// sender puts frames on r1's end of the wire.
func sender(t testing.TB, n *lab.Net) func(b []byte) {
	t.Helper()
	var conn *packet.Conn
	err := n.Host("r1").Do(func() error {
		ifi, err := net.InterfaceByName(there)
		if err != nil {
			return err
		}
		conn, err = packet.Listen(ifi, packet.Raw, 0, nil)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	to := &packet.Addr{HardwareAddr: net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}
	return func(b []byte) {
		t.Helper()
		if _, err := conn.WriteTo(b, to); err != nil {
			t.Fatal(err)
		}
	}
}

// datagram is a UDP answer's frame from a host to h1.
func datagram(from netip.Addr, port uint16, payload string) []byte {
	all := [6]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	a := frame.Answer{
		Link: frame.Link{Type: frame.LinkEthernet, Dst: all},
		From: from, To: h1, TTL: 60, Method: frame.UDP, SrcPort: 33434, DstPort: port, Payload: []byte(payload),
	}
	return a.Append(nil)
}

// got is what a test keeps of a packet.
type got struct {
	Data      string
	At        time.Duration
	Offloaded bool
	Local     bool
	Interface int
}

// collect drains until there are n packets, or the test fails.
func collect(t testing.TB, ring receiver, n int) []got {
	t.Helper()
	var packets []got
	deadline := time.Since(ring.Epoch()) + long
	for len(packets) < n {
		if err := ring.Wait(deadline); err != nil {
			t.Fatal(err)
		}
		err := ring.Drain(func(p *rx.Packet) {
			packets = append(packets, got{string(p.Data), p.At, p.Offloaded, p.Local, p.Interface})
		})
		if err != nil {
			t.Fatal(err)
		}
		if time.Since(ring.Epoch()) > deadline {
			t.Fatalf("%d packets after %v, want %d", len(packets), long, n)
		}
	}
	return packets
}

func TestRingReceives(t *testing.T) { eachWay(t, testRingReceives) }

func testRingReceives(t *testing.T, open opener) {
	n := openLine(t)
	ring := open(t, n, wire, lineConfig(t))
	send := sender(t, n)
	now := func() time.Duration { return time.Since(ring.Epoch()) }

	const count = 50
	var frames [count]string
	var before, after [count]time.Duration
	for i := range frames {
		send(datagram(r1, uint16(i), "not from the target"))
		b := datagram(target, uint16(i), "answer")
		frames[i] = string(b)
		before[i] = now()
		send(b)
		after[i] = now()
	}
	packets := collect(t, ring, count)
	if len(packets) != count {
		t.Fatalf("%d packets, want %d", len(packets), count)
	}
	// The wall clock may be slewed between a stamp and the drain, by less.
	const slack = time.Millisecond
	for i, p := range packets {
		if p.Data != frames[i] {
			t.Errorf("packet %d is %x, want %x", i, p.Data, frames[i])
		}
		// The kernel may take a frame in after the send has returned. It may also
		// stamp one later than that behind it: until it has switched on stamps where
		// frames come in, which it puts off, they get theirs on their way into the
		// ring (net_enable_timestamp in net/core/dev.c).
		if p.At < before[i]-slack || p.At > now()+slack {
			t.Errorf("packet %d received at %v, sent between %v and %v", i, p.At, before[i], after[i])
		}
		if p.Local {
			t.Errorf("packet %d is marked local", i)
		}
	}
	if drops, err := ring.Drops(); drops != 0 || err != nil {
		t.Errorf("%d drops, error %v; want none", drops, err)
	}
}

// A ring of LinkRaw gets the same packets from their IP headers on.
func TestRingRawLink(t *testing.T) { eachWay(t, testRingRawLink) }

func testRingRawLink(t *testing.T, open opener) {
	n := openLine(t)
	s := rx.FilterSpec{Link: frame.LinkRaw, Local: h1, Target: target, Method: frame.UDP}
	filter, err := s.Program()
	if err != nil {
		t.Fatal(err)
	}
	ring := open(t, n, wire, rx.RingConfig{Link: frame.LinkRaw, Filter: filter})
	b := datagram(target, 5, "answer")
	send := sender(t, n)
	send(datagram(r1, 5, "not from the target"))
	send(b)
	if p := collect(t, ring, 1); p[0].Data != string(b[14:]) {
		t.Errorf("packet %x, want %x", p[0].Data, b[14:])
	}
}

// The loopback shows each packet going out and coming in; only the second is
// one. Its checksum is not written out.
func TestRingLoopback(t *testing.T) { eachWay(t, testRingLoopback) }

func testRingLoopback(t *testing.T, open opener) {
	n := openLine(t)
	ring := open(t, n, "lo", rx.RingConfig{Link: frame.LinkRaw})
	conn, err := loopbackPair(t, n)
	if err != nil {
		t.Fatal(err)
	}
	const count = 20
	for range count {
		if _, err := conn.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
	}
	packets := collect(t, ring, count)
	// What follows them in the ring would be second copies.
	ring.Inject([]byte("end"), 0)
	packets = append(packets, collect(t, ring, 1)...)
	if len(packets) != count+1 {
		t.Fatalf("%d packets, want %d", len(packets), count+1)
	}
	for i, p := range packets[:count] {
		if want := 20 + 8 + len("hello"); len(p.Data) != want || !p.Offloaded {
			t.Errorf("packet %d: %d bytes, offloaded %t; want %d, true", i, len(p.Data), p.Offloaded, want)
		}
	}
}

// loopbackPair is a UDP socket of h1 that sends to another one on its
// loopback.
func loopbackPair(t testing.TB, n *lab.Net) (conn *net.UDPConn, err error) {
	t.Helper()
	err = n.Host("h1").Do(func() error {
		sink, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			return err
		}
		t.Cleanup(func() { sink.Close() })
		if conn, err = net.DialUDP("udp4", nil, sink.LocalAddr().(*net.UDPAddr)); err == nil {
			t.Cleanup(func() { conn.Close() })
		}
		return err
	})
	return conn, err
}

func TestRingAllocatesNothing(t *testing.T) { eachWay(t, testRingAllocatesNothing) }

func testRingAllocatesNothing(t *testing.T, open opener) {
	n := openLine(t)
	ring := open(t, n, "lo", rx.RingConfig{Link: frame.LinkRaw})
	conn, err := loopbackPair(t, n)
	if err != nil {
		t.Fatal(err)
	}
	hello := []byte("hello")
	packets, bytes := 0, 0
	count := func(p *rx.Packet) { packets++; bytes += len(p.Data) }
	const runs = 20
	allocs := testing.AllocsPerRun(runs, func() {
		for range 10 {
			if _, err := conn.Write(hello); err != nil {
				t.Fatal(err)
			}
		}
		for want := packets + 10; packets < want; {
			if err := ring.Wait(time.Since(ring.Epoch()) + long); err != nil {
				t.Fatal(err)
			}
			if err := ring.Drain(count); err != nil {
				t.Fatal(err)
			}
		}
	})
	if allocs != 0 {
		t.Errorf("10 packets allocate %v times, want 0", allocs)
	}
	if want := (runs + 1) * 10; packets != want {
		t.Errorf("%d packets, want %d", packets, want)
	}
}

// A ring that nobody reads drops what it has no room for, and counts it.
func TestRingDrops(t *testing.T) {
	n := openLine(t)
	c := lineConfig(t)
	c.BlockSize, c.Blocks = os.Getpagesize(), 2
	ring := openRing(t, n, wire, c)
	send := sender(t, n)
	const count = 500
	b := datagram(target, 5, "answer")
	for range count {
		send(b)
	}
	drops, err := ring.Drops()
	if err != nil || drops == 0 {
		t.Fatalf("%d drops, error %v; want some", drops, err)
	}
	frozen, err := ring.Frozen()
	if err != nil || frozen == 0 {
		t.Errorf("frozen %d times, error %v; want at least once", frozen, err)
	}
	received := uint64(len(collect(t, ring, 1)))
	// The rest may still sit in a block that is yet to be retired.
	for received+drops < count {
		received += uint64(len(collect(t, ring, 1)))
	}
	if received+drops != count {
		t.Errorf("%d received and %d dropped, want %d together", received, drops, count)
	}
	// Reading the kernel's counters has set them to zero; ours stand, and
	// outlive the ring.
	for range 2 {
		if again, err := ring.Drops(); again != drops || err != nil {
			t.Errorf("%d drops, error %v; before they were %d", again, err, drops)
		}
		ring.Close()
	}
}

func TestOpenRingErrors(t *testing.T) {
	n := openLine(t)
	if err := n.Host("h1").SetLink(wire, false); err != nil {
		t.Fatal(err)
	}
	err := n.Host("h1").Do(func() error {
		down, err := net.InterfaceByName(wire)
		if err != nil {
			return err
		}
		if _, err := rx.OpenRing(rx.RingConfig{Interface: down}); !errors.Is(err, unix.ENETDOWN) {
			t.Errorf("interface that is down: error %v, want %v", err, unix.ENETDOWN)
		}
		gone := &net.Interface{Index: 9999, Name: "gone0"}
		if _, err := rx.OpenRing(rx.RingConfig{Interface: gone}); !errors.Is(err, unix.ENODEV) {
			t.Errorf("interface that isn't there: error %v, want %v", err, unix.ENODEV)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
