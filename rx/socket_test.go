package rx_test

import (
	"errors"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
)

// receiver is what a Ring and a Socket have in common.
type receiver interface {
	Epoch() time.Time
	Lag() time.Duration
	Wait(until time.Duration) error
	Drain(f func(*rx.Packet)) error
	Wake()
	Inject(data []byte, at time.Duration)
	Drops() (uint64, error)
	Close() error
}

// opener opens one or the other at h1, as openRing.
type opener func(t testing.TB, n *lab.Net, name string, c rx.RingConfig) receiver

// eachWay runs a test with a ring and with a socket.
func eachWay(t *testing.T, f func(t *testing.T, open opener)) {
	t.Run("ring", func(t *testing.T) {
		f(t, func(t testing.TB, n *lab.Net, name string, c rx.RingConfig) receiver { return openRing(t, n, name, c) })
	})
	t.Run("socket", func(t *testing.T) {
		f(t, func(t testing.TB, n *lab.Net, name string, c rx.RingConfig) receiver {
			return openSocket(t, n, name, rx.SocketConfig{Link: c.Link, Filter: c.Filter, Epoch: c.Epoch})
		})
	})
}

// openSocket opens a socket on the named interface of h1.
func openSocket(t testing.TB, n *lab.Net, name string, c rx.SocketConfig) *rx.Socket {
	t.Helper()
	var socket *rx.Socket
	err := n.Host("h1").Do(func() (err error) {
		if c.Interface, err = net.InterfaceByName(name); err != nil {
			return err
		}
		socket, err = rx.OpenSocket(c)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	return socket
}

// A socket that nobody reads has the room it was asked for, and then drops and
// counts.
func TestSocketDrops(t *testing.T) {
	n := openLine(t)
	line := lineConfig(t)
	const room = 20
	socket := openSocket(t, n, wire, rx.SocketConfig{Link: line.Link, Filter: line.Filter, Packets: room})
	send := sender(t, n)
	const count = 2000
	b := datagram(target, 5, "answer")
	for range count {
		send(b)
	}
	drops, err := socket.Drops()
	if err != nil || drops == 0 {
		t.Fatalf("%d drops, error %v; want some", drops, err)
	}
	received := uint64(len(collect(t, socket, room)))
	for received+drops < count {
		received += uint64(len(collect(t, socket, 1)))
	}
	if received+drops != count {
		t.Errorf("%d received and %d dropped, want %d together", received, drops, count)
	}
	for range 2 {
		if again, err := socket.Drops(); again != drops || err != nil {
			t.Errorf("%d drops, error %v; before they were %d", again, err, drops)
		}
		socket.Close()
	}
}

// The longest packet there is comes whole, and so does the one behind it.
func TestSocketLongPacket(t *testing.T) {
	n := openLine(t)
	socket := openSocket(t, n, "lo", rx.SocketConfig{Link: frame.LinkRaw})
	conn, err := loopbackPair(t, n)
	if err != nil {
		t.Fatal(err)
	}
	const most = 65535 - 20 - 8
	if err := n.Host("h1").Do(func() error {
		lo, err := net.InterfaceByName("lo")
		if err == nil && lo.MTU < 65535 {
			t.Skipf("the loopback's MTU is %d", lo.MTU)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{most, 1, most} {
		if _, err := conn.Write(make([]byte, size)); err != nil {
			t.Fatal(err)
		}
	}
	for i, p := range collect(t, socket, 3) {
		if want := 20 + 8 + []int{most, 1, most}[i]; len(p.Data) != want {
			t.Errorf("packet %d has %d bytes, want %d", i, len(p.Data), want)
		}
	}
}

// Packets that came before the interface went down are not lost to its error.
func TestSocketErrorComesAfterPackets(t *testing.T) {
	n := openLine(t)
	line := lineConfig(t)
	socket := openSocket(t, n, wire, rx.SocketConfig{Link: line.Link, Filter: line.Filter})
	send := sender(t, n)
	send(datagram(target, 5, "answer"))
	if err := socket.Wait(forever); err != nil {
		t.Fatal(err)
	}
	if err := n.Host("h1").SetLink(wire, false); err != nil {
		t.Fatal(err)
	}
	if p := collect(t, socket, 1); len(p) != 1 {
		t.Errorf("%d packets, want 1", len(p))
	}
	if err := waitError(socket); !errors.Is(err, unix.ENETDOWN) {
		t.Errorf("then: %v, want %v", err, unix.ENETDOWN)
	}
}

func TestOpenSocketErrors(t *testing.T) {
	n := openLine(t)
	if err := n.Host("h1").SetLink(wire, false); err != nil {
		t.Fatal(err)
	}
	err := n.Host("h1").Do(func() error {
		down, err := net.InterfaceByName(wire)
		if err != nil {
			return err
		}
		for _, tt := range []struct {
			name string
			c    rx.SocketConfig
			want error
		}{
			{"interface that is down", rx.SocketConfig{Interface: down}, unix.ENETDOWN},
			{"interface that isn't there", rx.SocketConfig{Interface: &net.Interface{Index: 9999, Name: "gone0"}}, unix.ENODEV},
			{"no interface", rx.SocketConfig{}, nil},
			{"negative room", rx.SocketConfig{Interface: down, Packets: -1}, nil},
			{"too much room", rx.SocketConfig{Interface: down, Packets: 1<<16 + 1}, nil},
		} {
			s, err := rx.OpenSocket(tt.c)
			if err == nil {
				s.Close()
			}
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("%s: error %v, want %v", tt.name, err, tt.want)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Without CAP_NET_ADMIN a socket has the room that every socket may have, and
// says when that is too little.
func TestSocketBufferLimit(t *testing.T) {
	n := openLine(t)
	err := n.Host("h1").Do(func() error {
		ifi, err := net.InterfaceByName(wire)
		if err != nil {
			return err
		}
		head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var before [2]unix.CapUserData
		if err := unix.Capget(&head, &before[0]); err != nil {
			return err
		}
		without := before
		without[0].Effective &^= 1 << unix.CAP_NET_ADMIN
		if err := unix.Capset(&head, &without[0]); err != nil {
			return err
		}
		defer unix.Capset(&head, &before[0])
		for _, tt := range []struct {
			packets int
			want    error
		}{{1, nil}, {1 << 16, rx.ErrBuffer}} {
			s, err := rx.OpenSocket(rx.SocketConfig{Interface: ifi, Packets: tt.packets})
			if err == nil {
				s.Close()
			}
			if !errors.Is(err, tt.want) {
				t.Errorf("room for %d packets: error %v, want %v", tt.packets, err, tt.want)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
