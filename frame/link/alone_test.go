package link

import (
	"encoding/binary"
	"net"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hopquote/hopquote/bench/lab"
)

// h1 has one interface, r1 two, of which one may go down.
func TestAlone(t *testing.T) {
	lab.Skip(t)
	n, err := lab.Open("line")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	alone := func(host, name string) (alone bool) {
		t.Helper()
		if err := n.Host(host).Do(func() error {
			ifi, err := net.InterfaceByName(name)
			if err == nil {
				alone, err = Alone(ifi.Index)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return alone
	}
	if !alone("h1", "veth1-h1") {
		t.Error("the only interface of h1 is not alone")
	}
	if alone("h1", "lo") {
		t.Error("the loopback of h1 is alone")
	}
	if alone("r1", "veth1-r1") || alone("r1", "veth2-r1") {
		t.Error("one of two interfaces of r1 is alone")
	}
}

// message is one of a list of interfaces.
func message(kind uint16, index int32, flags uint32) []byte {
	b := make([]byte, interfaceLen+8)
	binary.NativeEndian.PutUint32(b, uint32(len(b)))
	binary.NativeEndian.PutUint16(b[messageTypeAt:], kind)
	binary.NativeEndian.PutUint32(b[interfaceIndexAt:], uint32(index))
	binary.NativeEndian.PutUint32(b[interfaceFlagsAt:], flags)
	return b
}

func TestFindAnother(t *testing.T) {
	lo := message(unix.RTM_NEWLINK, 1, unix.IFF_UP|unix.IFF_LOOPBACK)
	own := message(unix.RTM_NEWLINK, 7, unix.IFF_UP)
	down := message(unix.RTM_NEWLINK, 8, unix.IFF_BROADCAST)
	up := message(unix.RTM_NEWLINK, 9, unix.IFF_UP)
	done := message(unix.NLMSG_DONE, 0, 0)
	join := func(parts ...[]byte) (all []byte) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	for _, tt := range []struct {
		name           string
		list           []byte
		another, ended bool
	}{
		{"nothing", nil, false, false},
		{"a part", join(lo, own, down), false, false},
		{"all", join(lo, own, down, done), false, true},
		{"another", join(lo, own, down, up), true, false},
		{"error", message(unix.NLMSG_ERROR, 0, 0), true, true},
		{"cut header", up[:15], true, true},
		{"cut message", up[:30], true, true},
		{"long", append(binary.NativeEndian.AppendUint32(nil, 1<<31), up[4:]...), true, true},
		{"short", append(binary.NativeEndian.AppendUint32(nil, 15), up[4:]...), true, true},
		{"no interface", append(binary.NativeEndian.AppendUint32(nil, 20), up[4:20]...), true, true},
	} {
		if another, ended := findAnother(tt.list, 7); another != tt.another || ended != tt.ended {
			t.Errorf("%s: another %t, ended %t, want %t, %t", tt.name, another, ended, tt.another, tt.ended)
		}
	}
}

func FuzzFindAnother(f *testing.F) {
	f.Add(message(unix.RTM_NEWLINK, 9, unix.IFF_UP), 7)
	f.Add(append(message(unix.RTM_NEWLINK, 1, unix.IFF_UP|unix.IFF_LOOPBACK), message(unix.NLMSG_DONE, 0, 0)...), 7)
	f.Fuzz(func(t *testing.T, list []byte, index int) {
		another, ended := findAnother(list, index)
		if len(list) == 0 && (another || ended) {
			t.Error("an empty part has an end or an interface")
		}
	})
}

func BenchmarkAlone(b *testing.B) {
	e, err := Lookup(Want{Dst: netip.MustParseAddr("127.0.0.1")})
	if err != nil {
		b.Skip(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Alone(e.Interface.Index); err != nil {
			b.Fatal(err)
		}
	}
}
