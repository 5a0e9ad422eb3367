package link

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/mdlayher/packet"
	"golang.org/x/sys/unix"

	"github.com/hopquote/hopquote/bench/lab"
)

// xdpPair is a socket at h1 and what sees its frames at r1, its neighbour.
type xdpPair struct {
	*xdp
	t    *testing.T
	net  *lab.Net
	conn *packet.Conn
	next uint32 // number of the next frame
}

// pairType is the EtherType of their frames, which nobody answers.
const pairType = 0x88b5

var everyone = [6]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

func newXDPPair(t *testing.T, s xdpSizes) *xdpPair {
	t.Helper()
	lab.Skip(t)
	n, err := lab.Open("line")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	p := &xdpPair{t: t, net: n}
	err = n.Host("h1").Do(func() error {
		e, err := Lookup(Want{Dst: netip.MustParseAddr("192.168.100.20")})
		if err != nil {
			return err
		}
		p.xdp, err = openXDP(&e, 0, s)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.close() })
	err = n.Host("r1").Do(func() error {
		ifi, err := net.InterfaceByName("veth1-r1")
		if err == nil {
			p.conn, err = packet.Listen(ifi, packet.Raw, pairType, nil)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.conn.Close() })
	return p
}

// fill lends n slots and numbers them.
func (p *xdpPair) fill(n int) {
	p.t.Helper()
	for range n {
		f := p.slot(60)
		if f == nil {
			p.t.Fatalf("no slot for frame %d", p.next)
		}
		binary.BigEndian.PutUint16(f[12:], pairType)
		binary.BigEndian.PutUint32(f[14:], p.next)
		p.next++
	}
}

// sent flushes, and looks how many left.
func (p *xdpPair) sent(want int, errno error) {
	p.t.Helper()
	n, err := p.flush(&addresses{mac: [2][6]byte{everyone}})
	if n != want || !errors.Is(err, errno) {
		p.t.Fatalf("%d left, %v; want %d, %v", n, err, want, errno)
	}
}

// arrived looks whether the frames of these numbers have, and no other.
func (p *xdpPair) arrived(from, to uint32) {
	p.t.Helper()
	buf := make([]byte, 2048)
	p.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	for i := from; i < to; i++ {
		_, _, err := p.conn.ReadFrom(buf)
		if err != nil {
			p.t.Fatalf("frame %d: %v", i, err)
		}
		if got := binary.BigEndian.Uint32(buf[14:]); got != i {
			p.t.Fatalf("frame %d arrived, want %d", got, i)
		}
	}
}

// intact looks whether every chunk is either free or in line, once.
func (p *xdpPair) intact() {
	p.t.Helper()
	p.reap()
	seen := map[uint64]int{}
	for _, at := range p.free {
		seen[at]++
	}
	for i := p.head; i != p.tail; i++ {
		if at := p.slotAt(i).at; at != noChunk {
			seen[at]++
		}
	}
	for at := uint64(0); at < uint64(len(p.memory)); at += uint64(p.chunk) {
		if seen[at] != 1 {
			p.t.Fatalf("chunk %#x is free or in line %d times", at, seen[at])
		}
	}
	for i, away := range p.away {
		if away {
			p.t.Fatalf("chunk %d is still away", i)
		}
	}
}

// TestXDPPushesBack lets the kernel run out of room to give chunks back.
func TestXDPPushesBack(t *testing.T) {
	p := newXDPPair(t, xdpSizes{chunks: 128, completions: 16})
	p.fill(100)
	for range 6 {
		p.sent(16, nil)
	}
	p.sent(4, nil)
	p.arrived(0, 100)
	p.intact()

	// What Drop forgets does not leave, though the kernel has seen it.
	p.fill(20)
	p.sent(16, nil)
	p.next -= 4
	if n := p.drop(); n != 4 {
		t.Errorf("dropped %d, want 4", n)
	}
	p.fill(3)
	p.sent(3, nil)
	p.arrived(100, 119)
	p.intact()
}

// TestXDPWithoutCarrier has the kernel throw frames away, and say so.
func TestXDPWithoutCarrier(t *testing.T) {
	p := newXDPPair(t, xdpSizes{chunks: 128, completions: 128})
	carrier := func(up bool) {
		t.Helper()
		if err := p.net.Host("r1").SetLink("veth1-r1", up); err != nil {
			t.Fatal(err)
		}
	}
	p.fill(5)
	p.sent(5, nil)
	carrier(false)
	p.fill(50)
	for range 300 {
		p.sent(0, nil)
		p.reap()
	}
	p.intact()
	carrier(true)
	p.sent(50, nil)
	p.intact()
	p.fill(128)
	p.sent(128, nil)
	p.intact()
	if n := p.unnoticed(); n != 0 {
		t.Errorf("%d frames refused", n)
	}
}

// TestXDPRefused hands the kernel what it must find invalid: a frame outside of
// the memory.
func TestXDPRefused(t *testing.T) {
	p := newXDPPair(t, xdpSizes{chunks: 128, completions: 128})
	p.fill(40)
	bad := p.slotAt(p.head + 35)
	good := *bad
	bad.len = 1 << 16
	p.sent(35, unix.EINVAL)
	p.sent(0, unix.EINVAL)
	*bad = good
	p.sent(5, nil)
	p.arrived(0, 40)
	p.intact()
	if n := p.unnoticed(); n != 0 {
		t.Errorf("%d frames refused without notice, want none", n)
	}
}

// TestXDPUnsettled takes the interface down while settle is under way, and has
// the frames forgotten meanwhile or not.
func TestXDPUnsettled(t *testing.T) {
	for _, forget := range []bool{false, true} {
		p := newXDPPair(t, xdpSizes{chunks: 128, completions: 16})
		h1 := p.net.Host("h1")
		p.fill(30)
		if err := p.hand(&addresses{mac: [2][6]byte{everyone}}); err != nil {
			t.Fatal(err)
		}
		if errno := p.kick(); errno != unix.EAGAIN {
			t.Fatalf("%v, want back-pressure", errno)
		}
		if err := h1.SetLink("veth1-h1", false); err != nil {
			t.Fatal(err)
		}
		if _, _, err := p.settle(); !errors.Is(err, unix.ENETDOWN) {
			t.Fatalf("settled: %v", err)
		}
		p.sent(0, unix.ENETDOWN)
		want := 30
		if forget {
			if n := p.drop(); n != 30 {
				t.Errorf("dropped %d, want 30", n)
			}
			p.next = 16 // those that had left all the same
			p.fill(3)
			want = 3
		}
		if err := h1.SetLink("veth1-h1", true); err != nil {
			t.Fatal(err)
		}
		p.sent(want, nil)
		p.arrived(0, p.next)
		p.intact()
	}
}
