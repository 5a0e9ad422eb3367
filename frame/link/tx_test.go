package link_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/frame/link"
	"golang.org/x/sys/unix"
)

func TestParseTx(t *testing.T) {
	for _, want := range []link.Tx{link.TxPacket, link.TxXDP, link.TxAuto, link.TxNull} {
		if got, err := link.ParseTx(want.String()); got != want || err != nil {
			t.Errorf("%q is %v, %v", want.String(), got, err)
		}
	}
	if _, err := link.ParseTx("pigeon"); err == nil || err.Error() != `sender "pigeon", need packet, xdp, auto or null` {
		t.Errorf("error %v", err)
	}
	if got := link.Tx(9).String(); got != "Tx(9)" {
		t.Errorf("unknown kind is %q", got)
	}
}

func TestChooseTx(t *testing.T) {
	for rate, want := range map[float64]link.Tx{
		0: link.TxPacket, -1: link.TxPacket, 1000: link.TxPacket, 200_000: link.TxPacket, math.NaN(): link.TxPacket,
		300_000: link.TxXDP, math.Inf(1): link.TxXDP,
	} {
		got, why := link.ChooseTx(rate)
		if got != want || why == "" {
			t.Errorf("%v probes/s: %v (%s), want %v", rate, got, why, want)
		}
	}
}

// TestTxAuto opens by rate.
func TestTxAuto(t *testing.T) {
	h1 := openLine(t).Host("h1")
	for rate, want := range map[float64]link.Tx{0: link.TxPacket, 1e6: link.TxXDP} {
		s := openSlots(t, h1, link.SenderConfig{Tx: link.TxAuto, Rate: rate})
		if s.Tx() != want {
			t.Errorf("%v probes/s: %v, want %v", rate, s.Tx(), want)
		}
	}
}

// TestFallback asks for AF_XDP where there is none: frames leave all the same,
// and the sender tells why not as asked.
func TestFallback(t *testing.T) {
	n := openLine(t)
	h1 := n.Host("h1")
	openSlots(t, h1, link.SenderConfig{Tx: link.TxXDP}) // has queue 0
	tests := []struct {
		name  string
		dst   string
		queue int
		errno unix.Errno
		text  string
	}{
		{"queue taken", "192.168.100.20", 0, unix.EBUSY, "no AF_XDP on veth1-h1: bind AF_XDP queue 0: Device or resource busy"},
		{"no such queue", "192.168.100.20", 7000, unix.EINVAL, "no AF_XDP on veth1-h1: bind AF_XDP queue 7000: Invalid argument"},
		{"negative queue", "192.168.100.20", -1, unix.EINVAL, "no AF_XDP on veth1-h1: bind AF_XDP queue -1: Invalid argument"},
		{"this host", "127.0.0.1", 0, unix.EOPNOTSUPP, "no AF_XDP on lo: AF_XDP carries Ethernet frames: Operation not supported"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := lookup(t, h1, link.Want{Dst: addr(tt.dst)})
			s := openSender(t, h1, e, link.SenderConfig{Tx: link.TxXDP, Queue: tt.queue})
			err := s.Fallback()
			if !errors.Is(err, tt.errno) || err.Error() != tt.text || s.Tx() != link.TxPacket {
				t.Errorf("%v because %v, want %s", s.Tx(), err, tt.text)
			}
			if !s.Resolve(t.Context()) {
				t.Fatal("the next hop did not resolve")
			}
			copy(s.Slot(60), udp(t, e, 40000, 7, "more than any padding of frames"))
			if n, err := s.Flush(); n != 1 || err != nil {
				t.Errorf("%d left, %v", n, err)
			}
		})
	}
}

// TestXDPPrivileges opens with no capability, and with CAP_NET_RAW alone, which
// is enough unless the memory is more than an ordinary user may lock.
func TestXDPPrivileges(t *testing.T) {
	n := openLine(t)
	h1 := n.Host("h1")
	e := lookup(t, h1, link.Want{Dst: addr("192.168.100.20")})
	err := withCaps(h1, nil, func() error {
		_, err := link.OpenSender(e, link.SenderConfig{Tx: link.TxXDP})
		return err
	})
	if !errors.Is(err, unix.EPERM) {
		t.Errorf("without CAP_NET_RAW: %v, want EPERM", err)
	}
	for _, enough := range []bool{true, false} {
		if !enough {
			limitLocked(t, 64<<10)
		} else if lockable(t) < 2<<20 {
			continue
		}
		var fallback error
		err := withCaps(h1, []int{unix.CAP_NET_RAW}, func() error {
			s, err := link.OpenSender(e, link.SenderConfig{Tx: link.TxXDP})
			if err != nil {
				return err
			}
			defer s.Close()
			fallback = s.Fallback()
			blank(s.Slot(60))
			n, err := s.Flush()
			if err == nil && n != 1 {
				err = errors.New("nothing left")
			}
			return err
		})
		switch {
		case err != nil:
			t.Errorf("enough memory %v: %v", enough, err)
		case enough && fallback != nil:
			t.Errorf("no AF_XDP: %v", fallback)
		case !enough && (!errors.Is(fallback, unix.ENOBUFS) || !strings.Contains(fallback.Error(), "2048 KiB of locked memory")):
			t.Errorf("too little memory: %v, want ENOBUFS", fallback)
		}
	}
}

// lockable is how many bytes of memory this process may lock.
func lockable(t testing.TB) uint64 {
	t.Helper()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_MEMLOCK, &limit); err != nil {
		t.Fatal(err)
	}
	return limit.Cur
}

// limitLocked limits how much memory this process may lock, for one test.
func limitLocked(t *testing.T, limit uint64) {
	t.Helper()
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_MEMLOCK, &old); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_MEMLOCK, &unix.Rlimit{Cur: limit, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Setrlimit(unix.RLIMIT_MEMLOCK, &old) })
}

// TestXDPReopens opens one AF_XDP sender after the other on a queue. The kernel
// frees that some time after a close.
func TestXDPReopens(t *testing.T) {
	h1 := openLine(t).Host("h1")
	e := lookup(t, h1, link.Want{Dst: addr("192.168.100.20")})
	for i := range 20 {
		in(t, h1, func() error {
			s, err := link.OpenSender(e, link.SenderConfig{Tx: link.TxXDP})
			if err != nil {
				return err
			}
			if err := s.Fallback(); err != nil {
				t.Errorf("opening %d: %v", i, err)
			}
			return s.Close()
		})
	}
}

// TestSlotsWithoutCarrier takes the carrier away while AF_XDP sends.
func TestSlotsWithoutCarrier(t *testing.T) {
	n := openLine(t)
	s := openSlots(t, n.Host("h1"), link.SenderConfig{Tx: link.TxXDP})
	carrier(t, n, false)
	for range 100 {
		blank(s.Slot(60))
	}
	for range 10 {
		if n, err := s.Flush(); n != 0 || err != nil {
			t.Fatalf("%d left without a carrier, %v", n, err)
		}
	}
	carrier(t, n, true)
	r := newReceiver(t, n.Host("r1"))
	if n, err := s.Flush(); n != 100 || err != nil {
		t.Fatalf("%d left, %v", n, err)
	}
	r.until(100)
	if c := s.Counts(); c != (link.Counts{Sent: 100, NoRoom: 10}) {
		t.Errorf("counts %+v", c)
	}
}

func carrier(t *testing.T, n *lab.Net, on bool) {
	t.Helper()
	if err := n.Host("r1").SetLink(far, on); err != nil {
		t.Fatal(err)
	}
}
