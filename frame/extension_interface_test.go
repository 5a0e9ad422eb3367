package frame

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var (
	ifIndex = []byte{0, 0, 0x02, 0x9a}
	ifAddr4 = []byte{0, 1, 0, 0, 10, 0, 0, 1}
	ifAddr6 = append([]byte{0, 2, 0xff, 0xff}, netip.MustParseAddr("2001:db8::1").AsSlice()...)
	ifName  = []byte{8, 'g', 'e', '-', '0', '/', '1', 0}
	ifMTU   = []byte{0, 0, 0x23, 0x28}
)

func joined(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func TestInterfaceOf(t *testing.T) {
	addr4, addr6 := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("2001:db8::1")
	longest := append([]byte{64}, bytes.Repeat([]byte{'x'}, 63)...)
	for _, c := range []struct {
		name string
		typ  uint8
		data []byte
		want *Interface
	}{
		{"everything", 0x0f, joined(ifIndex, ifAddr4, ifName, ifMTU),
			&Interface{HasIndex: true, Index: 666, Addr: addr4, Name: []byte("ge-0/1"), HasMTU: true, MTU: 9000}},
		{"IPv6 of the way out", 0x8f, joined(ifIndex, ifAddr6, ifName, ifMTU),
			&Interface{Role: RoleOutgoing, HasIndex: true, Index: 666, Addr: addr6, Name: []byte("ge-0/1"), HasMTU: true, MTU: 9000}},
		{"next hop, address only", 0xc4, ifAddr4, &Interface{Role: RoleNextHop, Addr: addr4}},
		{"part of a bundle, index only", 0x48, ifIndex, &Interface{Role: RoleIncomingSub, HasIndex: true, Index: 666}},
		{"MTU only", 0x01, ifMTU, &Interface{HasMTU: true, MTU: 9000}},
		{"index 0 and MTU 0", 0x09, make([]byte, 8), &Interface{HasIndex: true, HasMTU: true}},
		{"nothing", 0x00, nil, &Interface{}},
		{"reserved bits", 0x3f, joined(ifIndex, ifAddr4, ifName, ifMTU),
			&Interface{HasIndex: true, Index: 666, Addr: addr4, Name: []byte("ge-0/1"), HasMTU: true, MTU: 9000}},
		{"more than announced", 0x08, joined(ifIndex, ifMTU), &Interface{HasIndex: true, Index: 666}},
		{"longest name", 0x02, longest, &Interface{Name: longest[1:]}},
		{"empty name", 0x02, []byte{4, 0, 0, 0}, &Interface{Name: []byte{}}},
		{"name with a zero inside", 0x02, []byte{4, 'a', 0, 'b'}, &Interface{Name: []byte{'a', 0, 'b'}}},
		{"index cut", 0x08, ifIndex[:3], nil},
		{"index missing", 0x08, nil, nil},
		{"address cut", 0x04, ifAddr4[:4], nil},
		{"address family cut", 0x04, ifAddr4[:3], nil},
		{"IPv6 address cut", 0x04, ifAddr6[:16], nil},
		{"address of no family", 0x04, []byte{0, 3, 0, 0, 10, 0, 0, 1}, nil},
		{"name missing", 0x02, nil, nil},
		{"name of length 0", 0x02, []byte{0, 'a', 'b', 'c'}, nil},
		{"name of length 3", 0x02, []byte{3, 'a', 'b', 'c'}, nil},
		{"name of length 6", 0x02, []byte{6, 'a', 'b', 'c', 'd', 'e', 0, 0}, nil},
		{"name of length 68", 0x02, append([]byte{68}, make([]byte, 67)...), nil},
		{"name cut", 0x02, []byte{8, 'a', 'b', 'c'}, nil},
		{"MTU missing", 0x03, ifName, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := Object{ClassInterface, c.typ, c.data}
			got, ok := InterfaceOf(o)
			if ok != (c.want != nil) {
				t.Fatalf("%+v, %t", got, ok)
			}
			if c.want == nil {
				c.want = &Interface{}
			}
			if diff := cmp.Diff(*c.want, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if n := testing.AllocsPerRun(20, func() { InterfaceOf(o) }); n != 0 {
				t.Errorf("%v allocations", n)
			}
			o.Class = ClassMPLS
			if got, ok := InterfaceOf(o); ok {
				t.Errorf("of class 1: %+v", got)
			}
		})
	}
}

func FuzzInterfaceOf(f *testing.F) {
	f.Add(uint8(0x0f), joined(ifIndex, ifAddr4, ifName, ifMTU))
	f.Add(uint8(0x8f), joined(ifIndex, ifAddr6, ifName, ifMTU))
	f.Add(uint8(0x02), []byte{64, 1, 2, 3})
	f.Fuzz(func(t *testing.T, typ uint8, data []byte) {
		data = data[:len(data):len(data)]
		i, ok := InterfaceOf(Object{ClassInterface, typ, data})
		switch {
		case !ok && (i.Name != nil || i.Addr.IsValid() || i.HasIndex || i.HasMTU):
			t.Errorf("refused, but %+v", i)
		case !ok:
		case i.HasIndex != (typ&8 != 0), i.Addr.IsValid() != (typ&4 != 0), (i.Name != nil) != (typ&2 != 0), i.HasMTU != (typ&1 != 0):
			t.Errorf("type %#02x: %+v", typ, i)
		case i.Role > RoleNextHop || len(i.Name) > 63 || !inside(i.Name, data):
			t.Errorf("%+v", i)
		}
	})
}
