package frame

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// Every fragment of a routed packet has the route in front, and their data is
// the packet's.
func TestFragmentsKeepRoute(t *testing.T) {
	for _, r := range sampleRoutes(t) {
		if r.HeaderLen() > 1000 {
			continue // leaves no room in an MTU of 1280
		}
		p := routed(UDP, r)
		p.DF, p.Size = false, 4000
		f := putFresh(t, ethernet, &p)
		head := 14 + ipHeaderLen(r.IsIPv6()) + r.HeaderLen()
		frames, _, err := Fragments(nil, nil, f, LinkEthernet, 1280, 0xfeedface)
		must(t, err)
		var data []byte
		for i, g := range frames {
			more := i < len(frames)-1
			ip := g[14:]
			if len(ip) > 1280 || more && len(ip) < 1280-7 {
				t.Errorf("kind %d: fragment %d of %d bytes", r.Kind(), i, len(ip))
			}
			if r.IsIPv6() {
				// The routing header's next header field names the fragment header,
				// and that one UDP.
				route := ip[40 : 40+r.HeaderLen()]
				fragment := ip[40+r.HeaderLen():][:8]
				word := uint16(len(data))
				if more {
					word |= 1
				}
				if ip[6] != 43 || route[0] != 44 || fragment[0] != 17 || binary.BigEndian.Uint16(fragment[2:]) != word ||
					int(binary.BigEndian.Uint16(ip[4:])) != len(ip)-40 || !bytes.Equal(route[1:], f[14+41:head]) {
					t.Errorf("kind %d: fragment %d is % x", r.Kind(), i, ip[:48+r.HeaderLen()])
				}
				data = append(data, ip[48+r.HeaderLen():]...)
				continue
			}
			n := 20 + r.HeaderLen()
			word := uint16(len(data) / 8)
			if more {
				word |= 0x2000
			}
			if int(binary.BigEndian.Uint16(ip[2:])) != len(ip) || binary.BigEndian.Uint16(ip[6:]) != word ||
				naiveSum(ip[:n], 0) != 0xffff || !bytes.Equal(ip[20:n], f[34:head]) || ip[0] != f[14] {
				t.Errorf("kind %d: fragment %d is % x", r.Kind(), i, ip[:n])
			}
			data = append(data, ip[n:]...)
		}
		if !bytes.Equal(data, f[head:]) {
			t.Errorf("kind %d: %d bytes of data in %d fragments, want %d", r.Kind(), len(data), len(frames), len(f)-head)
		}
	}
}

func TestFragmentsWithoutRoom(t *testing.T) {
	most := routed(UDP, routeOf(t, LSRR, addrs("192.0.2.9 192.0.2.9 192.0.2.9 192.0.2.9 192.0.2.9 192.0.2.9 192.0.2.9 192.0.2.9")...))
	most.DF, most.Size = false, 200
	f := putFresh(t, Link{}, &most)
	// The longest header is 60 bytes, so that 68 just do.
	frames, _, err := Fragments(nil, nil, f, LinkRaw, MinMTUv4, 0)
	if err != nil || len(frames) != 18 {
		t.Errorf("%d fragments, %v; want 18", len(frames), err)
	}
	long := make([]Route, 0, 1)
	for _, r := range sampleRoutes(t) {
		if r.HeaderLen() > 1240 {
			long = append(long, r)
		}
	}
	for _, r := range long {
		p := routed(UDP, r)
		f := putFresh(t, Link{}, &p)
		if frames, _, err := Fragments(nil, nil, f, LinkRaw, MinMTUv6, 0); err == nil {
			t.Errorf("kind %d over %d: %d fragments, want an error", r.Kind(), r.Gateways(), len(frames))
		}
	}
	if len(long) == 0 {
		t.Error("no route is too long")
	}
}
