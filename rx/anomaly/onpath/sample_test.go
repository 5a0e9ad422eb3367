package onpath

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"

	"github.com/hopquote/hopquote/frame"
)

var (
	us     = netip.MustParseAddr("10.9.9.1")
	target = netip.MustParseAddr("10.2.2.2")
	us6    = netip.MustParseAddr("fd09:9::1")
	far6   = netip.MustParseAddr("fd02:2::2")
)

func udp() frame.Probe {
	return frame.Probe{Method: frame.UDP, Src: us, Dst: target, Size: 60, TOS: 0xb8, ID: 0x1234, SrcPort: 40001, DstPort: 33434}
}

func udp6() frame.Probe {
	return frame.Probe{Method: frame.UDP, Src: us6, Dst: far6, Size: 80, TOS: 0xb8, Label: 0x12345, SrcPort: 40001, DstPort: 33434}
}

func icmp() frame.Probe {
	return frame.Probe{Method: frame.ICMP, Src: us, Dst: target, Size: 60, ID: 0x1234, SrcPort: 4242, Seq: 7, Fixed: true, Sum: 0xffff}
}

func tcp() frame.Probe {
	return frame.Probe{
		Method: frame.TCP, Src: us, Dst: target, ID: 0x1234, SrcPort: 40001, DstPort: 80, Seq: 0x01020304,
		TCP: frame.TCPHeader{Flags: frame.FlagSYN, Window: 5840, MSS: 1460, SACK: true, Timestamps: true, TSVal: 7, WScale: true, Shift: 2},
	}
}

// packet gives the probe's packet with a TTL.
func packet(t *testing.T, p frame.Probe, ttl int) []byte {
	t.Helper()
	p.TTL = uint8(ttl)
	if p.Method == frame.TCP {
		p.Size = p.HeaderLen()
	}
	tmpl, err := frame.NewTemplate(frame.Link{}, &p)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, tmpl.Len())
	if tmpl.Put(b, &p) == 0 {
		t.Fatal("no frame")
	}
	return b
}

// edit changes a quote.
type edit func(q []byte) []byte

// resum makes the IPv4 header checksum right.
func resum(q []byte) []byte {
	if len(q) >= 20 && q[0]>>4 == 4 {
		q[10], q[11] = 0, 0
		binary.BigEndian.PutUint16(q[10:], ^frame.Fold(frame.Sum(q[:20], 0)))
	}
	return q
}

// put writes bytes at an offset.
func put(at int, b ...byte) edit {
	return func(q []byte) []byte { copy(q[at:], b); return resum(q) }
}

// cut quotes n bytes only.
func cut(n int) edit { return func(q []byte) []byte { return q[:n] } }

// both applies edits in turn.
func both(edits ...edit) edit {
	return func(q []byte) []byte {
		for _, e := range edits {
			q = e(q)
		}
		return q
	}
}

// stale leaves the IPv4 header checksum as the translated address made it.
func stale(q []byte) []byte {
	translated := slices.Clone(q)
	copy(translated[12:], []byte{192, 0, 2, 7})
	copy(q[10:12], resum(translated)[10:12])
	return q
}

// gre puts the quote behind GRE.
func gre(q []byte) []byte {
	out := []byte{0x45, 0, 0, 0, 0, 9, 0, 0, 1, 47, 0, 0, 172, 16, 0, 1, 172, 16, 0, 2, 0, 0, 8, 0}
	out = append(out, q...)
	binary.BigEndian.PutUint16(out[2:], uint16(len(out)))
	return resum(out)
}

// step is one answer: from a router of its hop, unless that is told.
type step struct {
	ttl  int
	from string // "" for the hop's own router
	back int    // 0: ttl
	edit edit   // nil: as it came
	last bool   // no time exceeded but an unreachable of the target
	none bool   // no quote
}

// walk adds the steps, each with a probe of its own.
func walk(t *testing.T, p *Path, probe frame.Probe, steps []step) []Seen {
	t.Helper()
	var all []Seen
	for i, s := range steps {
		probe.ID += uint16(i)
		probe.SrcPort += uint16(i % 2)
		from := netip.AddrFrom4([4]byte{10, 1, byte(s.ttl), 1})
		switch {
		case s.from != "":
			from = netip.MustParseAddr(s.from)
		case s.last:
			from = probe.Dst
		}
		a := Answer{TTL: s.ttl, From: from, Target: probe.Dst, Back: s.back, Expired: !s.last, Probe: packet(t, probe, s.ttl)}
		if a.Back == 0 {
			a.Back = s.ttl
		}
		if !s.none {
			a.Quote = packet(t, probe, 1)
			if s.edit != nil {
				a.Quote = s.edit(a.Quote)
			}
		}
		all = append(all, p.Add(&a))
	}
	return all
}
