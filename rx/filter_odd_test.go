package rx

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"

	"github.com/hopquote/hopquote/frame"
)

// filterOf is the survey filter for the scene's probe and its like.
func (s *scene) filterOf(l frame.LinkType) SurveyFilter {
	f := SurveyFilter{
		Link: l, Local4: ipv4.local, Local6: ipv6.local, Method: s.m, SrcPorts: [2]uint16{s.probe.SrcPort, s.probe.SrcPort},
		DstPort: s.probe.DstPort,
	}
	if s.f.local.Is4() {
		f.Size4 = uint16(len(s.wire))
	} else {
		f.Size6 = uint16(len(s.wire))
	}
	return f
}

// TestSurveyFilterOdd puts every oddity that a ledger attributes to the filter of
// a survey with those probes: all pass.
func TestSurveyFilterOdd(t *testing.T) {
	forEach(t, func(t *testing.T, f family, m frame.Method) {
		s := scenes(t, f, m)["ledger"]
		if s == nil {
			return
		}
		for _, l := range []frame.LinkType{frame.LinkRaw, frame.LinkEthernet} {
			code, err := s.filterOf(l).Program()
			vm := surveyVM(t, code, err)
			code, err = s.filterOf(l).Exact()
			exact := surveyVM(t, code, err)
			for _, o := range oddities {
				if f.local.Is4() && !o.v4 || f.local.Is6() && !o.v6 || !o.of(m) || o.edit == nil || !o.verdict.Attributed() {
					continue
				}
				b := f.errorAbout(l, f.exceeded, f.local, o.edit(s, s.quote()))
				if n, err := vm.Run(b); err != nil || n == 0 {
					t.Errorf("%s: keeps %d bytes, error %v, of %x", o.name, n, err, b)
				}
				if n, _ := exact.Run(b); n > 0 && (o.verdict == Encapsulated || o.verdict == Fragment) {
					t.Errorf("%s: the exact filter keeps it: %x", o.name, b)
				}
			}
		}
	})
}

// wrappings are what a quote may be inside of, besides those among the oddities.
var wrappings = map[string]func(s *scene, q []byte) []byte{
	"IPv4 in IPv6": func(s *scene, q []byte) []byte {
		h := append([]byte{0x60, 0, 0, 0, 0, byte(len(q)), protoIPIP, 1}, make([]byte, 32)...)
		return append(h, q...)
	},
	"tunnel with options": func(s *scene, q []byte) []byte {
		h := []byte{0x47, 0, 0, byte(28 + len(q)), 0, 1, 0, 0, 1, protoIPIP, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 1, 1, 1, 1, 1, 1, 1, 0}
		if q[0]>>4 == 6 {
			h[9] = protoIPv6
		}
		return append(h, q...)
	},
	"GRE with all fields": func(s *scene, q []byte) []byte {
		h := []byte{0xb0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2}
		if q[0]>>4 == 6 {
			h[2], h[3] = 0x86, 0xdd
		}
		return tunnel(s, protoGRE, append(h, q...))
	},
	"GRE with a key": func(s *scene, q []byte) []byte {
		h := []byte{0x20, 0, 8, 0, 0, 0, 0, 1}
		if q[0]>>4 == 6 {
			h[2], h[3] = 0x86, 0xdd
		}
		return tunnel(s, protoGRE, append(h, q...))
	},
	"8 labels": func(s *scene, q []byte) []byte {
		var b []byte
		for i := range 8 {
			b = append(b, 0x12, 0x34, 0x50, 0x40)
			if i == 7 {
				b[len(b)-2] |= 1
			}
		}
		return append(b, q...)
	},
}

// TestSurveyFilterInside looks into everything that a quote may be inside of:
// what the filter keeps, a ledger attributes; what is another program's, inside
// or not, is dropped.
func TestSurveyFilterInside(t *testing.T) {
	forEach(t, func(t *testing.T, f family, m frame.Method) {
		for name, wrap := range wrappings {
			s := scenes(t, f, m)["ledger"]
			if s == nil {
				return
			}
			if name == "IPv4 in IPv6" && f.local.Is6() {
				continue
			}
			code, err := s.filterOf(frame.LinkRaw).Program()
			vm := surveyVM(t, code, err)
			keeps := func(q []byte) bool {
				n, err := vm.Run(f.errorAbout(frame.LinkRaw, f.exceeded, f.local, q))
				return n > 0 && err == nil
			}
			q := wrap(s, s.quote())
			r := s.exceeded(t, q)
			var got Match
			if s.match(&r, &got); !keeps(q) || got.Verdict != Encapsulated || got.Tag != sceneTTL {
				t.Errorf("%s: kept %t, %v (%v) for tag %d", name, keeps(q), got.Verdict, got.Reason, got.Tag)
			}
			at := s.header() // of the transport
			if m == frame.ICMP {
				at += 4
			}
			other := s.quote()
			other[at] ^= 0x15
			other[s.header()+3] ^= 0x40
			if keeps(wrap(s, other)) {
				t.Errorf("%s: keeps another program's", name)
			}
			binary.BigEndian.PutUint16(other[lengthAt(f):], 999)
			if keeps(other) {
				t.Error("keeps another program's")
			}
			if keeps(q[:20]) || keeps(wrap(s, other[:s.header()])) {
				t.Errorf("%s: keeps one that is cut", name)
			}
		}
	})
}

// Quotes whose source port is not ours pass by their length, or by what else
// speaks for them.
func TestSurveyFilterSpeaksFor(t *testing.T) {
	forEach(t, func(t *testing.T, f family, m frame.Method) {
		s := scenes(t, f, m)["ledger"]
		if s == nil || m == frame.ICMP {
			return
		}
		code, err := s.filterOf(frame.LinkRaw).Program()
		vm := surveyVM(t, code, err)
		for speaks := range 8 {
			q := s.quote()
			q[s.header()] ^= 0x15
			n := 0
			for i, change := range []func(){
				func() { q[s.header()+3] ^= 0x40 },
				func() { binary.BigEndian.PutUint16(q[lengthAt(f):], 999) },
				func() {}, // the source stays: not another's
			} {
				if speaks>>i&1 == 1 {
					n++
				} else {
					change()
				}
			}
			if speaks&4 != 0 {
				setAddr(q, 12, 8, f.other)
			}
			b := f.errorAbout(frame.LinkRaw, f.exceeded, f.local, q)
			if kept, err := vm.Run(b); err != nil || (kept > 0) != (speaks&2 != 0 || n == 2) {
				t.Errorf("%03b speak for it: keeps %d bytes, error %v", speaks, kept, err)
			}
		}
	})
}

// lengthAt is where an IP header tells the length.
func lengthAt(f family) int {
	if f.local.Is4() {
		return 2
	}
	return 4
}

// A quote of the other version passes with one of our ports, or our length.
func TestSurveyFilterTranslated(t *testing.T) {
	s := SurveyFilter{Local6: ipv6.local, Method: frame.UDP, SrcPorts: [2]uint16{firstPort, lastPort}, DstPort: 33434, Size6: 48}
	for _, both := range []bool{false, true} {
		if both {
			s.Local4 = netip.MustParseAddr("192.0.2.77")
		}
		code, err := s.Program()
		vm := surveyVM(t, code, err)
		for name, c := range map[string]struct {
			port, dstPort uint16
			length        int
			want          bool
		}{
			"ours":               {firstPort, 33434, 28, true},
			"source port":        {firstPort, 1, 99, true},
			"destination port":   {1, 33434, 99, true},
			"length":             {1, 1, 28, true},
			"nothing":            {1, 1, 99, false},
			"nothing but nearly": {firstPort - 1, 33435, 29, false},
		} {
			q := portProbe(t, ipv4, frame.UDP, c.port)
			binary.BigEndian.PutUint16(q[22:], c.dstPort)
			binary.BigEndian.PutUint16(q[2:], uint16(c.length))
			b := ipv6.errorAbout(frame.LinkRaw, ipv6.exceeded, ipv6.local, q)
			if n, err := vm.Run(b); err != nil || (n > 0) != c.want {
				t.Errorf("%s, both families %t: keeps %d bytes, error %v", name, both, n, err)
			}
		}
	}
}

// TestSteeringInside sends what is inside of something else to the shard that its
// probe left from.
func TestSteeringInside(t *testing.T) {
	const shards = 5
	code, err := steering(shards)
	vm := surveyVM(t, code, err)
	forEach(t, func(t *testing.T, f family, m frame.Method) {
		s := scenes(t, f, m)["ledger"]
		if s == nil {
			return
		}
		want := ShardOf(s.probe.SrcPort, shards)
		check := func(name string, q []byte) {
			b := f.errorAbout(frame.LinkRaw, f.exceeded, f.local, q)
			if got, err := vm.Run(b); err != nil || got != want {
				t.Errorf("%s: shard %d, error %v, want %d, of %x", name, got, err, want, b)
			}
		}
		for _, o := range oddities {
			if o.verdict == Encapsulated && (f.local.Is4() && o.v4 || f.local.Is6() && o.v6) {
				check(o.name, o.edit(s, s.quote()))
			}
		}
		for name, wrap := range wrappings {
			check(name, wrap(s, s.quote()))
		}
		other := map[family]family{ipv4: ipv6, ipv6: ipv4}[f]
		check(fmt.Sprint("in ", other.local), portProbe(t, other, m, s.probe.SrcPort))
	})
}
