package rx

import (
	"encoding/binary"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/hopquote/hopquote/frame"
)

// received gives a program as it runs on a packet of an interface and type: the
// VM does not know where a packet came in.
func received(t *testing.T, code []bpf.RawInstruction, index, kind uint32) *bpf.VM {
	t.Helper()
	list, all := bpf.Disassemble(code)
	if !all {
		t.Fatalf("the program has unknown instructions: %v", code)
	}
	for i, ins := range list {
		switch ins {
		case bpf.LoadExtension{Num: bpf.ExtInterfaceIndex}:
			list[i] = bpf.LoadConstant{Val: index}
		case bpf.LoadExtension{Num: bpf.ExtType}:
			list[i] = bpf.LoadConstant{Val: kind}
		}
	}
	vm, err := bpf.NewVM(list)
	if err != nil {
		t.Fatal(err)
	}
	return vm
}

// What comes by other interfaces and is for this host is judged as ever, and
// nothing else passes.
func TestBeside(t *testing.T) {
	const own, other = 7, 8
	places := []struct {
		name        string
		index, kind uint32
		want        bool
	}{
		{"elsewhere", other, unix.PACKET_HOST, true},
		{"far elsewhere", 1 << 30, unix.PACKET_HOST, true},
		{"elsewhere by broadcast", other, unix.PACKET_BROADCAST, true},
		{"elsewhere by multicast", other, unix.PACKET_MULTICAST, true},
		{"elsewhere to another host", other, unix.PACKET_OTHERHOST, false},
		{"sent elsewhere", other, unix.PACKET_OUTGOING, false},
		{"looped elsewhere", other, unix.PACKET_LOOPBACK, false},
		{"own interface", own, unix.PACKET_HOST, false},
		{"loopback", loopbackIndex, unix.PACKET_HOST, false},
	}
	for _, f := range []family{ipv4, ipv6} {
		for m := frame.UDP; m <= frame.DCCP; m++ {
			trace := FilterSpec{Local: f.local, Target: f.target, Method: m, EchoID: testEchoID}
			many := FilterSpec{Local: f.local, Method: m, SrcPorts: [2]uint16{firstPort, lastPort}}
			cases := f.cases(t, frame.LinkRaw, m)
			var surveyed []filterCase
			for _, c := range f.surveyCases(t, frame.LinkRaw, m) {
				surveyed = append(surveyed, filterCase{c.name, c.frame, c.want})
			}
			for _, p := range places {
				for name, run := range map[string]struct {
					spec  FilterSpec
					cases []filterCase
				}{"trace": {trace, cases}, "survey": {many, surveyed}} {
					usual, err := run.spec.Program()
					if err != nil {
						t.Fatal(err)
					}
					code, err := beside(own, usual)
					if err != nil {
						t.Fatal(err)
					}
					vm := received(t, code, p.index, p.kind)
					for _, c := range run.cases {
						got, err := vm.Run(c.frame)
						if err != nil || (got > 0) != (c.want && p.want) {
							t.Errorf("%s of %v by %v, %s, %s: keeps %d bytes, error %v", name, f.local, m, p.name, c.name, got, err)
						}
					}
				}
			}
		}
	}
}

func TestMakeUp(t *testing.T) {
	ether := unix.RawSockaddrLinklayer{Hatype: unix.ARPHRD_ETHER, Halen: 6, Addr: [8]uint8{2, 3, 4, 5, 6, 7, 8, 9}}
	tunnel := unix.RawSockaddrLinklayer{Hatype: unix.ARPHRD_TUNNEL, Halen: 4, Addr: [8]uint8{192, 0, 2, 1}}
	long := unix.RawSockaddrLinklayer{Hatype: unix.ARPHRD_ETHER, Halen: 8, Addr: [8]uint8{2, 3, 4, 5, 6, 7, 8, 9}}
	for _, c := range []struct {
		name string
		from unix.RawSockaddrLinklayer
		want string
	}{
		{"ethernet", ether, "\x00\x00\x00\x00\x00\x00\x02\x03\x04\x05\x06\x07\x86\xdd"},
		{"tunnel", tunnel, "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x86\xdd"},
		{"long address", long, "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x86\xdd"},
	} {
		c.from.Protocol = binary.NativeEndian.Uint16([]byte{0x86, 0xdd})
		header := []byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")
		if makeUp(header, &c.from); string(header) != c.want {
			t.Errorf("%s: % x, want % x", c.name, header, c.want)
		}
	}
}
