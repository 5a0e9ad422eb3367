package link_test

import (
	"bytes"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
	"github.com/jsimonetti/rtnetlink/v2"
)

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
		r.ring, err = rx.OpenRing(rx.RingConfig{Interface: ifi, Link: frame.LinkEthernet, Blocks: 256, Retire: 10 * time.Millisecond})
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
