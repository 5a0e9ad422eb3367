package link_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/frame/link"
	"github.com/hopquote/hopquote/rx"
	"github.com/jsimonetti/rtnetlink/v2"
	"golang.org/x/sys/unix"
)

// The slots tests send from h1 to r1, its neighbour:
//
//	h1 veth1-h1 --- veth1-r1 r1 ...
const (
	near = "veth1-h1"
	far  = "veth1-r1"
)

// senders are all kinds that put frames on a link.
var senders = []struct {
	name string
	link.SenderConfig
}{
	{"packet", link.SenderConfig{}},
	{"packet-bypass", link.SenderConfig{Bypass: true}},
	{"xdp", link.SenderConfig{Tx: link.TxXDP}},
}

// openSlots opens a sender to the host's neighbour and resolves that.
func openSlots(t testing.TB, h *lab.Host, c link.SenderConfig) *link.Sender {
	t.Helper()
	s := openSender(t, h, lookup(t, h, link.Want{Dst: addr("192.168.100.20")}), c)
	if err := s.Fallback(); err != nil {
		t.Fatal(err)
	}
	if !s.Resolve(t.Context()) {
		t.Fatal("the next hop did not resolve")
	}
	return s
}

// testType is the EtherType of frames that nobody answers, the first of those
// for local experiments (IEEE 802).
const testType = 0x88b5

// random fills a frame of testType with what only its number and length tell.
func random(f []byte, number int) {
	copy(f, "\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x01\x88\xb5")
	r := rand.New(rand.NewPCG(uint64(number), uint64(len(f))))
	for i := 14; i < len(f); i++ {
		f[i] = byte(r.Uint32())
	}
}

// receiver takes in frames of testType at the far end.
type receiver struct {
	t    testing.TB
	ring *rx.Ring
	mac  [6]byte
	got  [][]byte
}

func newReceiver(t testing.TB, h *lab.Host) *receiver {
	t.Helper()
	r := &receiver{t: t}
	in(t, h, func() error {
		ifi, err := net.InterfaceByName(far)
		if err != nil {
			return err
		}
		copy(r.mac[:], ifi.HardwareAddr)
		r.ring, err = rx.OpenRing(rx.RingConfig{Interface: ifi, Link: frame.LinkEthernet, Blocks: 256})
		return err
	})
	t.Cleanup(func() { r.ring.Close() })
	return r
}

// until receives until there are n frames, and looks whether more came with
// them.
func (r *receiver) until(n int) {
	r.t.Helper()
	end := time.Since(r.ring.Epoch()) + 10*time.Second
	for len(r.got) < n {
		if err := r.ring.Wait(end); err != nil {
			r.t.Fatal(err)
		}
		r.drain()
		if time.Since(r.ring.Epoch()) > end {
			drops, _ := r.ring.Drops()
			r.t.Fatalf("%d frames arrived, want %d; the ring dropped %d", len(r.got), n, drops)
		}
	}
	if len(r.got) > n {
		r.t.Fatalf("%d frames arrived, want %d", len(r.got), n)
	}
}

func (r *receiver) drain() {
	r.t.Helper()
	err := r.ring.Drain(func(p *rx.Packet) {
		if len(p.Data) >= 14 && p.Data[12] == testType>>8 && p.Data[13] == testType&0xff {
			r.got = append(r.got, bytes.Clone(p.Data))
		}
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

// check compares all that came with frames of these lengths, numbered from 0.
func (r *receiver) check(lengths []int) {
	r.t.Helper()
	r.until(len(lengths))
	for i, n := range lengths {
		want := make([]byte, n)
		random(want, i)
		copy(want, r.mac[:])
		if !bytes.Equal(r.got[i], want) {
			r.t.Fatalf("frame %d is\n%x, want\n%x", i, r.got[i], want)
		}
	}
}

// transmitted is the host's own count of frames that left.
func transmitted(t testing.TB, h *lab.Host) uint64 {
	t.Helper()
	var n uint64
	in(t, h, func() error {
		ifi, err := net.InterfaceByName(near)
		if err != nil {
			return err
		}
		c, err := rtnetlink.Dial(nil)
		if err != nil {
			return err
		}
		defer c.Close()
		l, err := c.Link.Get(uint32(ifi.Index))
		if err == nil {
			n = l.Attributes.Stats64.TXPackets
		}
		return err
	})
	return n
}

// TestSlotsArrive sends frames of all lengths, in batches of all sizes.
func TestSlotsArrive(t *testing.T) {
	for _, tt := range senders {
		t.Run(tt.name, func(t *testing.T) {
			n := openLine(t)
			h1 := n.Host("h1")
			if err := h1.Sysctl("net/ipv6/conf/"+near+"/disable_ipv6", "1"); err != nil {
				t.Fatal(err)
			}
			s, r := openSlots(t, h1, tt.SenderConfig), newReceiver(t, n.Host("r1"))
			if s.Tx() != tt.Tx {
				t.Fatalf("a sender of kind %v", s.Tx())
			}
			before := transmitted(t, h1)
			var lengths []int
			choice := rand.New(rand.NewPCG(1, 2))
			for len(lengths) < 3000 {
				var filled [][]byte
				for range 1 + choice.IntN(300) {
					f := s.Slot(14 + choice.IntN(1500+1))
					if f == nil {
						break
					}
					if len(f) != cap(f) {
						t.Fatalf("a slot of %d bytes has room for %d", len(f), cap(f))
					}
					random(f, len(lengths))
					lengths = append(lengths, len(f))
					filled = append(filled, f)
				}
				if n, err := s.Flush(); n != len(filled) || err != nil {
					t.Fatalf("%d frames: %d left, %v", len(filled), n, err)
				}
				r.drain()
				for i, f := range filled {
					want := make([]byte, len(f))
					random(want, len(lengths)-len(filled)+i)
					if copy(want, r.mac[:]); !bytes.Equal(f, want) {
						t.Fatalf("frame %d reads %x when it has left, want %x", i, f, want)
					}
				}
			}
			r.check(lengths)
			if got := transmitted(t, h1) - before; got != uint64(len(lengths)) {
				t.Errorf("%d frames left, the interface counts %d", len(lengths), got)
			}
			c := s.Counts()
			if c.NoRoom = 0; c != (link.Counts{Sent: uint64(len(lengths))}) {
				t.Errorf("%d frames left: %+v", len(lengths), c)
			}
		})
	}
}

// TestSlotsFromTheStart fills slots before the next hop is known.
func TestSlotsFromTheStart(t *testing.T) {
	for _, tt := range senders {
		t.Run(tt.name, func(t *testing.T) {
			n := openLine(t)
			h1, r := n.Host("h1"), newReceiver(t, n.Host("r1"))
			s := openSender(t, h1, lookup(t, h1, link.Want{Dst: addr("192.168.100.20")}), tt.SenderConfig)
			var lengths []int
			for i := range 900 {
				f := s.Slot(60)
				if f == nil {
					t.Fatalf("no slot for frame %d", i)
				}
				random(f, i)
				lengths = append(lengths, len(f))
				if i == 300 && !s.Resolve(t.Context()) {
					t.Fatal("the next hop did not resolve")
				}
				if i%100 == 50 || i == 899 {
					if _, err := s.Flush(); err != nil {
						t.Fatal(err)
					}
				}
			}
			r.check(lengths)
			if c := s.Counts(); c != (link.Counts{Sent: 900}) {
				t.Errorf("900 frames left: %+v", c)
			}
		})
	}
}

// TestSlotsAndSend uses the two forms in turn on one sender.
func TestSlotsAndSend(t *testing.T) {
	for _, tt := range senders {
		t.Run(tt.name, func(t *testing.T) {
			n := openLine(t)
			s, r := openSlots(t, n.Host("h1"), tt.SenderConfig), newReceiver(t, n.Host("r1"))
			var lengths []int
			for range 5 {
				frames := make([][]byte, 1100)
				for i := range frames {
					frames[i] = make([]byte, 60+i%50)
					random(frames[i], len(lengths))
					lengths = append(lengths, len(frames[i]))
				}
				for sent := 0; sent < len(frames); {
					n, err := s.Send(frames[sent:])
					if err != nil {
						t.Fatal(err)
					}
					sent += n
					r.drain()
				}
				random(s.Slot(70), len(lengths))
				lengths = append(lengths, 70)
				if n, err := s.Send(frames[:1]); n != 0 || err != nil {
					t.Errorf("sent %d ahead of a slot, %v", n, err)
				}
				if n, err := s.Flush(); n != 1 || err != nil {
					t.Fatalf("%d slots left, %v", n, err)
				}
			}
			r.check(lengths)
		})
	}
}

// TestSlotsRefused has slots of a bad length among good ones.
func TestSlotsRefused(t *testing.T) {
	for _, tt := range senders {
		for _, bad := range []struct {
			length int
			errno  unix.Errno
		}{{1, unix.EINVAL}, {13, unix.EINVAL}, {1515, unix.EMSGSIZE}, {5000, unix.EMSGSIZE}, {1 << 17, unix.EMSGSIZE}} {
			t.Run(fmt.Sprint(tt.name, " ", bad.length), func(t *testing.T) {
				n := openLine(t)
				s, r := openSlots(t, n.Host("h1"), tt.SenderConfig), newReceiver(t, n.Host("r1"))
				for i := range 5 {
					random(s.Slot(100), i)
				}
				clear(s.Slot(bad.length))
				for range 3 {
					clear(s.Slot(100))
				}
				for i, want := range []int{5, 0} {
					n, err := s.Flush()
					if n != want || !errors.Is(err, bad.errno) {
						t.Errorf("flush %d: %d, %v; want %d, %v", i, n, err, want, bad.errno)
					}
				}
				s.Drop()
				random(s.Slot(100), 5)
				if n, err := s.Flush(); n != 1 || err != nil {
					t.Errorf("after the drop %d left, %v", n, err)
				}
				r.check([]int{100, 100, 100, 100, 100, 100})
				if c := s.Counts(); c != (link.Counts{Sent: 6, Dropped: 4, Refused: 2}) {
					t.Errorf("counts %+v", c)
				}
			})
		}
	}
}

// TestSlotsInterfaceDown takes the interface down and up again.
func TestSlotsInterfaceDown(t *testing.T) {
	for _, tt := range senders {
		t.Run(tt.name, func(t *testing.T) {
			n := openLine(t)
			h1, r := n.Host("h1"), newReceiver(t, n.Host("r1"))
			s := openSlots(t, h1, tt.SenderConfig)
			lengths := []int{}
			fill := func(n int) {
				for range n {
					random(s.Slot(100), len(lengths))
					lengths = append(lengths, 100)
				}
			}
			flush := func(want int, errno error) {
				t.Helper()
				if n, err := s.Flush(); n != want || !errors.Is(err, errno) {
					t.Fatalf("%d left, %v; want %d, %v", n, err, want, errno)
				}
			}
			set := func(up bool) {
				if err := h1.SetLink(near, up); err != nil {
					t.Fatal(err)
				}
			}
			fill(40)
			flush(40, nil)
			fill(40)
			set(false)
			flush(0, unix.ENETDOWN)
			flush(0, unix.ENETDOWN)
			s.Drop()
			lengths = lengths[:40]
			fill(10) // fewer than were in line before
			flush(0, unix.ENETDOWN)
			set(true)
			r.drain()
			flush(10, nil)
			fill(1)
			flush(1, nil)
			r.check(lengths)
			if c := s.Counts(); c != (link.Counts{Sent: 51, Dropped: 40, Refused: 3}) {
				t.Errorf("counts %+v", c)
			}
			if err := h1.DeleteLink(near); err != nil {
				t.Fatal(err)
			}
			fill(1)
			if n, err := s.Flush(); n != 0 || err == nil {
				t.Errorf("%d left on an interface that is gone, %v", n, err)
			}
		})
	}
}

// TestSlotsRunOut lends all slots there are.
func TestSlotsRunOut(t *testing.T) {
	n := openLine(t)
	for _, tt := range senders {
		s := openSlots(t, n.Host("h1"), tt.SenderConfig)
		want := 256
		if tt.Tx == link.TxXDP {
			want = 1024
		}
		for round := range 3 {
			lent := 0
			for f := s.Slot(60); f != nil; f = s.Slot(60) {
				random(f, lent)
				lent++
			}
			if lent != want {
				t.Errorf("%s: %d slots lent, want %d", tt.name, lent, want)
			}
			if round == 1 {
				s.Drop()
			}
			if _, err := s.Flush(); err != nil {
				t.Error(err)
			}
		}
		if c := s.Counts(); c.NoRoom < 3 || c.Sent != uint64(2*want) || c.Dropped != uint64(want) {
			t.Errorf("%s: %+v", tt.name, c)
		}
	}
}

func TestSlotsClosed(t *testing.T) {
	n := openLine(t)
	for _, tt := range senders {
		s := openSlots(t, n.Host("h1"), tt.SenderConfig)
		clear(s.Slot(60))
		if err := s.Close(); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if n, err := s.Flush(); n != 0 || !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: flush: %d, %v; want %v", tt.name, n, err, net.ErrClosed)
		}
		s.Drop()
		if n, err := s.Send([][]byte{make([]byte, 60)}); n != 0 || !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: send: %d, %v; want %v", tt.name, n, err, net.ErrClosed)
		}
		s.Close()
		if c := s.Counts(); c != (link.Counts{Dropped: 1, Refused: 2}) {
			t.Errorf("%s: %+v", tt.name, c)
		}
	}
}

func TestSlotsAllocateNothing(t *testing.T) {
	h1 := openLine(t).Host("h1")
	for _, tt := range senders {
		s := openSlots(t, h1, tt.SenderConfig)
		allocs := testing.AllocsPerRun(50, func() {
			for range 70 {
				blank(s.Slot(60))
			}
			if n, err := s.Flush(); n != 70 || err != nil {
				t.Errorf("%s: %d left, %v", tt.name, n, err)
			}
		})
		if allocs != 0 {
			t.Errorf("%s: %v allocations", tt.name, allocs)
		}
	}
}

// blank is a frame of testType without any work.
func blank(f []byte) { f[12], f[13] = testType>>8, testType&0xff }

// TestSlotsNull looks at the sender that sends nothing, which needs nothing.
func TestSlotsNull(t *testing.T) {
	s, err := link.OpenSender(link.Envelope{}, link.SenderConfig{Tx: link.TxNull})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for range 100 {
		clear(s.Slot(60))
	}
	if n, err := s.Flush(); n != 100 || err != nil || s.Tx() != link.TxNull {
		t.Errorf("%d left, %v, %v", n, err, s.Tx())
	}
	if n, err := s.Send(make([][]byte, 7)); n != 7 || err != nil || s.Counts() != (link.Counts{Sent: 107}) {
		t.Errorf("%d sent, %v, %+v", n, err, s.Counts())
	}
}
