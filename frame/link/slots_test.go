package link_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/frame/link"
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
	switch err := s.Fallback(); {
	case errors.Is(err, unix.EAFNOSUPPORT), errors.Is(err, unix.ENOBUFS) && lockable(t) < 8<<20:
		t.Skip("needs AF_XDP: ", err)
	case err != nil:
		t.Fatal(err)
	}
	if !s.Resolve(t.Context()) {
		t.Fatal("the next hop did not resolve")
	}
	return s
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

// TestXDPJumbo sends frames that are longer than the usual chunk.
func TestXDPJumbo(t *testing.T) {
	n := openLine(t)
	for name, h := range map[string]*lab.Host{near: n.Host("h1"), far: n.Host("r1")} {
		if err := h.SetMTU(name, 9000); err != nil {
			t.Fatal(err)
		}
	}
	s, r := openSlots(t, n.Host("h1"), link.SenderConfig{Tx: link.TxXDP}), newReceiver(t, n.Host("r1"))
	lengths := []int{60, 2048, 2049, 4096, 1514, 4096}
	for i, n := range lengths {
		random(s.Slot(n), i)
	}
	clear(s.Slot(4097))
	if n, err := s.Flush(); n != len(lengths) || !errors.Is(err, unix.EMSGSIZE) {
		t.Errorf("%d left, %v; want %d, EMSGSIZE", n, err, len(lengths))
	}
	r.check(lengths)
}
