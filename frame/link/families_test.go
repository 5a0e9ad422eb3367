package link_test

import (
	"fmt"
	"net"
	"testing"

	"github.com/hopquote/hopquote/frame/link"
)

// TestFamilies sends frames of both families by one sender, in turns, to next
// hops that are not the same.
func TestFamilies(t *testing.T) {
	for _, tt := range senders {
		for _, known := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/known=%v", tt.name, known), func(t *testing.T) {
				n := openLine(t)
				h1 := n.Host("h1")
				const six = "02:00:00:00:06:06"
				ip(t, h1, "neigh replace fd00:100::20 lladdr "+six+" dev "+near+" nud permanent")
				if known {
					ip(t, h1, "neigh replace 192.168.100.20 lladdr 02:00:00:00:04:04 dev "+near+" nud permanent")
				}
				also := lookup(t, h1, link.Want{Dst: addr("fd00:100::20")})
				c := tt.SenderConfig
				c.Also = &also
				s := openSlots(t, h1, c)
				four := mac(t, "02:00:00:00:04:04")
				if !known {
					r := newReceiver(t, n.Host("r1"))
					four = r.mac[:]
				}
				for round := range 3 {
					var filled [][]byte
					for i := range 50 {
						f := s.Slot(60)
						clear(f)
						f[12], f[13] = 0x08, 0x00
						if (i+round)%3 == 0 {
							f[12], f[13] = 0x86, 0xdd
						}
						filled = append(filled, f)
					}
					if n, err := s.Flush(); n != len(filled) || err != nil {
						t.Fatalf("%d left, %v", n, err)
					}
					for i, f := range filled {
						want := four
						if f[12] == 0x86 {
							want = mac(t, six)
						}
						if got := net.HardwareAddr(f[:6]); got.String() != want.String() {
							t.Fatalf("frame %d of type %x%x went to %v, want %v", i, f[12], f[13], got, want)
						}
					}
				}
			})
		}
	}
}

// TestFamiliesUnresolved has frames to one next hop wait while those to the
// other leave.
func TestFamiliesUnresolved(t *testing.T) {
	n := openLine(t)
	h1 := n.Host("h1")
	ip(t, h1, "neigh replace fd00:100::20 lladdr 02:00:00:00:06:06 dev "+near+" nud permanent")
	also := lookup(t, h1, link.Want{Dst: addr("fd00:100::20")})
	four := lookup(t, h1, link.Want{Dst: addr("192.168.100.99")}) // nobody
	undelivered := make(chan []byte, 10)
	s := openSender(t, h1, four, link.SenderConfig{Also: &also, Undelivered: func(f []byte) { undelivered <- f }})
	var frames [][]byte
	for i := range 6 {
		f := make([]byte, 60)
		f[12], f[13], f[20] = 0x08, 0x00, byte(i)
		if i%2 == 0 {
			f[12], f[13] = 0x86, 0xdd
		}
		frames = append(frames, f)
	}
	before := transmitted(t, h1)
	if n, err := s.Send(frames); n != len(frames) || err != nil {
		t.Fatalf("%d left, %v", n, err)
	}
	if got := transmitted(t, h1) - before; got < 3 {
		t.Errorf("%d frames left at once, want those 3 whose next hop is known", got)
	}
	for _, i := range []byte{1, 3, 5} {
		if f := <-undelivered; f[20] != i {
			t.Errorf("frame %d did not leave, want %d", f[20], i)
		}
	}
}

func TestFamiliesRefused(t *testing.T) {
	n := openLine(t)
	h1 := n.Host("h1")
	e := lookup(t, h1, link.Want{Dst: addr("192.168.100.20")})
	local := lookup(t, h1, link.Want{Dst: addr("::1")})
	for name, also := range map[string]link.Envelope{"same family": e, "local": local} {
		in(t, h1, func() error {
			if s, err := link.OpenSender(e, link.SenderConfig{Also: &also}); err == nil {
				s.Close()
				t.Errorf("%s: no error", name)
			}
			return nil
		})
	}
}

func mac(t *testing.T, s string) net.HardwareAddr {
	t.Helper()
	a, err := net.ParseMAC(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
