package frame

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// putFresh builds a template from p with other values in the fields that are
// free, and gives what Put then writes for p.
func putFresh(t testing.TB, link Link, p *Probe) []byte {
	t.Helper()
	base := *p
	base.TTL, base.ID, base.Label, base.SrcPort, base.DstPort, base.Seq = 99, 98, 97, 96, 95, 94
	base.Mark, base.Sum = 93, 92
	if p.Route.IsZero() {
		base.Dst = base.Dst.Prev()
		if !base.Dst.IsValid() {
			base.Dst = p.Dst.Next()
		}
	}
	tmpl, err := NewTemplate(link, &base)
	must(t, err)
	buf := dirty(tmpl.Len() + 8)
	n := tmpl.Put(buf, p)
	if n != tmpl.Len() {
		t.Fatalf("Put = %d, want Len %d", n, tmpl.Len())
	}
	if !bytes.Equal(buf[n:], dirty(8)) {
		t.Fatalf("Put wrote past its %d bytes: % x", n, buf[n:])
	}
	return buf[:n]
}

func TestTemplateEqualsFreshSerialization(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		for _, link := range []Link{{}, ethernet} {
			for _, m := range methods {
				low := MinSize(m, v6)
				sizes := []int{low, low + 1, low + 2, low + 32, 60 + low, 576, 1280, 1499, 1500, 9000, 65000, MaxSize}
				if !m.hasPayload() {
					sizes = []int{0}
				}
				for _, size := range sizes {
					p := fullProbe(m, v6, size)
					t.Run(fmt.Sprintf("%s/%s/%d/%d", m, familyName(v6), link.Type, p.Size), func(t *testing.T) {
						want := freshFrame(t, link, &p)
						if diff := cmp.Diff(want, putFresh(t, link, &p)); diff != "" {
							t.Errorf("frame (-fresh +template):\n%s", diff)
						}
					})
				}
			}
		}
	}
}

func TestTemplateFields(t *testing.T) {
	for name, change := range map[string]func(*Probe){
		"zeros":    func(p *Probe) { p.TTL, p.ID, p.Label, p.SrcPort, p.DstPort, p.Seq = 0, 0, 0, 0, 0, 0 },
		"ones":     func(p *Probe) { p.TTL, p.ID, p.Label, p.SrcPort, p.DstPort = 255, 0xffff, 0xfffff, 0xffff, 0xffff },
		"seq":      func(p *Probe) { p.Seq = 0xffffffff },
		"tos 0":    func(p *Probe) { p.TOS = 0 },
		"tos 255":  func(p *Probe) { p.TOS = 255 },
		"no DF":    func(p *Probe) { p.DF = false },
		"label 21": func(p *Probe) { p.Label = 0x1abcde },
	} {
		for _, v6 := range []bool{false, true} {
			for _, m := range methods {
				p := fullProbe(m, v6, 0)
				change(&p)
				want := freshFrame(t, ethernet, &p)
				if diff := cmp.Diff(want, putFresh(t, ethernet, &p)); diff != "" {
					t.Errorf("%s %s %s (-fresh +template):\n%s", name, m, familyName(v6), diff)
				}
			}
		}
	}
}

func TestTemplateGolden(t *testing.T) {
	p := fullProbe(UDP, false, 32)
	p.TTL, p.TOS, p.ID = 1, 0, 1
	tmpl, err := NewTemplate(ethernet, &p)
	must(t, err)
	got := dirty(46)
	tmpl.Put(got, &p)
	want := "020000000002 020000000001 0800" +
		"4500 0020 0001 4000 0111 8d4a c0000201 c633644d" +
		"d431 829a 000c 3a03 40414243"
	if diff := cmp.Diff(strings.ReplaceAll(want, " ", ""), fmt.Sprintf("%x", got)); diff != "" {
		t.Errorf("frame (-want +got):\n%s", diff)
	}
}

// The checksums are by RFC 1071 over pseudo header and covered bytes, computed
// elsewhere.
func TestTemplateGoldenTransport(t *testing.T) {
	for _, tt := range []struct {
		method Method
		edit   func(p *Probe)
		want   string // behind the IP header
	}{
		{UDPLite, func(p *Probe) { p.Size, p.Coverage = 32, 8 }, "d431 829a 0008 bc14 40414243"},
		{UDPLite, func(p *Probe) { p.Size, p.Coverage = 32, 0 }, "d431 829a 0008 bc14 40414243"},
		{UDPLite, func(p *Probe) { p.Size, p.Coverage = 32, 4 }, "d431 829a 0008 bc14 40414243"},
		{UDPLite, func(p *Probe) { p.Size, p.Coverage = 32, 10 }, "d431 829a 000a 7bd1 40414243"},
		{UDPLite, func(p *Probe) { p.Size, p.Coverage = 32, 99 }, "d431 829a 000c 398c 40414243"},
		{DCCP, func(p *Probe) {}, "d431 829a 05 00 3a0d 01 00 0000 deadbeef 70696e67"},
		{Raw, func(p *Probe) { p.Size = 26 }, "404142434445"},
	} {
		p := fullProbe(tt.method, false, 0)
		tt.edit(&p)
		got := fmt.Sprintf("%x", putFresh(t, Link{}, &p)[20:])
		if diff := cmp.Diff(strings.ReplaceAll(tt.want, " ", ""), got); diff != "" {
			t.Errorf("%s, coverage %d (-want +got):\n%s", tt.method, p.Coverage, diff)
		}
	}
}

func TestTemplatePayload(t *testing.T) {
	p := fullProbe(ICMP, false, 61)
	if f := putFresh(t, Link{}, &p); f[28] != 0x48 || f[60] != 0x68 {
		t.Errorf("ICMP of 61 bytes: first payload byte %#x, last %#x, want 0x48 and 0x68", f[28], f[60])
	}
	p = fullProbe(UDP, false, 28+65)
	if f := putFresh(t, Link{}, &p); f[28] != 0x40 || f[91] != 0x7f || f[92] != 0x40 {
		t.Errorf("UDP payload bytes 0, 63, 64: %#x %#x %#x, want 0x40 0x7f 0x40", f[28], f[91], f[92])
	}
}

// A Body stands behind the places of Mark and Sum, and leaves both as they are.
func TestTemplateBody(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		for _, m := range []Method{UDP, UDPLite, ICMP} {
			p := fullProbe(m, v6, 0)
			p.Body, p.Size = "https://example.net/probes", 0
			if !p.MakeKeyed() || !p.SetToken(0x1234abcd) {
				t.Fatal("no token")
			}
			p.Size += 3
			f := putFresh(t, Link{}, &p)
			at := MinSize(m, v6) + 6
			if got := string(f[at:min(at+len(p.Body), len(f))]); got != p.Body || len(f) != at+len(p.Body)+3 {
				t.Errorf("%s %s: %q in %d bytes", m, familyName(v6), got, len(f))
			}
			if diff := cmp.Diff(freshFrame(t, Link{}, &p), f); diff != "" {
				t.Errorf("%s %s (-fresh +template):\n%s", m, familyName(v6), diff)
			}
		}
	}
}

// One source port of 65536 makes the sum come out 0, which in UDP would say
// that there is no checksum (RFC 768), and UDP-Lite always has one (RFC 3828). The
// others have no such meaning.
func TestTemplateZeroChecksum(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		for _, m := range withHeader {
			p := fullProbe(m, v6, 0)
			tmpl, err := NewTemplate(Link{}, &p)
			must(t, err)
			at := checksumAt[m] + ipHeaderLen(v6)
			want := uint16(0)
			if m == UDP || m == UDPLite {
				want = 0xffff
			}
			found := 0
			buf := make([]byte, tmpl.Len())
			for port := range 1 << 16 {
				p.SrcPort = uint16(port)
				tmpl.Put(buf, &p)
				sum := binary.BigEndian.Uint16(buf[at:])
				if sum != 0 && sum != 0xffff {
					continue
				}
				found++
				if sum != want {
					t.Errorf("%s %s port %d: checksum %#04x, want %#04x", m, familyName(v6), port, sum, want)
				}
				if diff := cmp.Diff(freshFrame(t, Link{}, &p), buf); diff != "" {
					t.Errorf("%s %s port %d (-fresh +template):\n%s", m, familyName(v6), port, diff)
				}
			}
			if found == 0 {
				t.Errorf("%s %s: no source port gives a sum of 0", m, familyName(v6))
			}
		}
	}
}

func TestPutShortBuffer(t *testing.T) {
	p := fullProbe(UDP, false, 0)
	tmpl, err := NewTemplate(ethernet, &p)
	must(t, err)
	buf := dirty(tmpl.Len() - 1)
	if n := tmpl.Put(buf, &p); n != 0 || !bytes.Equal(buf, dirty(len(buf))) {
		t.Errorf("Put into %d of %d bytes = %d, buffer % x; want 0 and nothing written", len(buf), tmpl.Len(), n, buf)
	}
}

func TestNewTemplateErrors(t *testing.T) {
	for _, tt := range []struct {
		name   string
		method Method
		link   Link
		change func(*Probe)
		want   string
	}{
		{"link type", UDP, Link{Type: 9}, nil, "link type 9"},
		{"no method", 0, Link{}, nil, "unknown method 0"},
		{"unknown method", 7, Link{}, nil, "unknown method 7"},
		{"dccp size", DCCP, Link{}, func(p *Probe) { p.Size++ }, "dccp probe of 41 bytes, want 40"},
		{"udplite small", UDPLite, Link{}, func(p *Probe) { p.Size = 27 }, "udplite probe of 27 bytes, want 28..65535"},
		{"raw small", Raw, Link{}, func(p *Probe) { p.Size = 19 }, "raw probe of 19 bytes, want 20..65535"},
		{"raw protocol", Raw, Link{}, func(p *Probe) { p.Protocol = 0 }, "raw protocol 0, want 1..255"},
		{"raw extension header", Raw, Link{}, func(p *Probe) { p.Src, p.Dst, p.Protocol = src6, dst6, 60 }, "raw protocol 60"},
		{"route of the other family", UDP, Link{}, func(p *Probe) { p.Route = routeOf(t, Routing2, dst6) }, "route 2001:db8:1:2:3:4:5:6 is not of the family of 198.51.100.77"},
		{"no room for the route", UDP, Link{}, func(p *Probe) { p.Size, p.Route = 39, routeOf(t, LSRR, src4) }, "udp probe of 39 bytes, want 40..65535"},
		{"no source", UDP, Link{}, func(p *Probe) { p.Src = netip.Addr{} }, "invalid IP"},
		{"no destination", UDP, Link{}, func(p *Probe) { p.Dst = netip.Addr{} }, "invalid IP"},
		{"mixed families", UDP, Link{}, func(p *Probe) { p.Src = src6 }, "different families"},
		{"mapped", UDP, Link{}, func(p *Probe) { p.Dst = netip.AddrFrom16(dst4.As16()) }, "::ffff:198.51.100.77"},
		{"zone", UDP, Link{}, func(p *Probe) { p.Src, p.Dst = src6, netip.MustParseAddr("fe80::1%eth0") }, "fe80::1%eth0"},
		{"udp small", UDP, Link{}, func(p *Probe) { p.Size = 27 }, "udp probe of 27 bytes, want 28..65535"},
		{"udp small v6", UDP, Link{}, func(p *Probe) { p.Src, p.Dst, p.Size = src6, dst6, 47 }, "want 48..65535"},
		{"icmp large", ICMP, Link{}, func(p *Probe) { p.Size = 65536 }, "icmp probe of 65536 bytes"},
		{"negative", ICMP, Link{}, func(p *Probe) { p.Size = -1 }, "icmp probe of -1 bytes"},
		{"tcp size", TCP, Link{}, func(p *Probe) { p.Size++ }, "tcp probe of 61 bytes, want 60"},
		{"body of a tcp probe", TCP, Link{}, func(p *Probe) { p.Body = "x" }, "tcp probe with Body, want udp, udplite, icmp or raw"},
		{"no room for the body", UDP, Link{}, func(p *Probe) { p.Body, p.Size = "x", 34 }, "udp probe of 34 bytes with a Body of 1, want 35 or more"},
		{"sum of a tcp probe", TCP, Link{}, func(p *Probe) { p.Fixed = true }, "tcp probe with Sum, want udp, udplite or icmp"},
		{"mark of a raw probe", Raw, Link{}, func(p *Probe) { p.Payload = PayloadMark }, "raw probe with Mark, want"},
		{"sum without checksum", UDP, Link{}, func(p *Probe) { p.Fixed, p.NoChecksum = true, true }, "with Sum and without checksum"},
		{"no room for the sum", UDP, Link{}, func(p *Probe) { p.Fixed, p.Size = true, 33 }, "udp probe of 33 bytes with Sum, want 34 or more"},
		{"no room for the mark", ICMP, Link{}, func(p *Probe) { p.Payload, p.Size = PayloadMark, 31 }, "icmp probe of 31 bytes with Mark, want 32 or more"},
		{"sum behind the coverage", UDPLite, Link{}, func(p *Probe) { p.Fixed, p.Coverage = true, 13 }, "Sum and coverage 13, want 14 or more"},
		{"shift", TCP, Link{}, func(p *Probe) { p.TCP.Shift = 15 }, "shift 15, want 0..14"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := fullProbe(tt.method, false, 0)
			if tt.change != nil {
				tt.change(&p)
			}
			tmpl, err := NewTemplate(tt.link, &p)
			if err == nil || tmpl != nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("NewTemplate = %v, %v; want an error with %q", tmpl, err, tt.want)
			}
		})
	}
}

func TestPutAllocatesNothing(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		for _, m := range methods {
			p := fullProbe(m, v6, 0)
			tmpl, err := NewTemplate(ethernet, &p)
			must(t, err)
			buf := make([]byte, tmpl.Len())
			if n := testing.AllocsPerRun(100, func() { tmpl.Put(buf, &p) }); n != 0 {
				t.Errorf("Put of %s %s allocates %v times", m, familyName(v6), n)
			}
		}
	}
	for _, r := range sampleRoutes(t) {
		p := routed(UDP, r)
		tmpl, err := NewTemplate(ethernet, &p)
		must(t, err)
		buf := make([]byte, tmpl.Len())
		if n := testing.AllocsPerRun(100, func() { tmpl.Put(buf, &p) }); n != 0 {
			t.Errorf("Put of a route of kind %d allocates %v times", r.Kind(), n)
		}
	}
}
