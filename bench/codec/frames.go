package codec

import (
	"bytes"
	"fmt"
	"net/netip"
	"time"

	"github.com/hopquote/hopquote/bench/measure"
	"github.com/hopquote/hopquote/frame"
)

// sizes of the probes, in bytes of IP packet, as traceroute's.
const size4, size6 = 60, 80

var ethernet = frame.Link{Type: frame.LinkEthernet, Src: [6]byte{2, 0, 0, 0, 0, 2}, Dst: [6]byte{2, 0, 0, 0, 0, 3}}

// probe is a probe of a method and family.
func probe(m frame.Method, v6 bool) frame.Probe {
	p := frame.Probe{
		Method: m, Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("198.51.100.9"), Size: size4,
		TTL: 5, ID: 7, SrcPort: 40000, DstPort: 33434, Seq: 9,
	}
	if v6 {
		p.Src, p.Dst, p.Size = netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8:9::9"), size6
	}
	switch m {
	case frame.TCP:
		p.TCP, p.Size = frame.TCPHeader{Flags: frame.FlagSYN, Window: 5840}, 0
	case frame.DCCP:
		p.Service, p.Size = frame.DefaultService, 0
	case frame.Raw:
		p.Protocol = 253
	}
	return p
}

func family(v6 bool) string {
	if v6 {
		return "IPv6"
	}
	return "IPv4"
}

// Frames is the suite of building probes: every method and family from a
// template, those that gopacket has layers for by gopacket, whose frames must be
// the same.
func Frames(d time.Duration) (measure.Suite, error) {
	suite := measure.Suite{
		Name: "frames", Title: "building one probe",
		Labels:  []string{"method", "family", "builder"},
		Figures: append(figures[:len(figures):len(figures)], measure.Figure{Key: "ratio", Title: "ratio", Digits: 1, Ratio: "time_ns"}),
	}
	for m := frame.UDP; m <= frame.Raw; m++ {
		for _, v6 := range []bool{false, true} {
			cases, err := frameCases(m, v6, d)
			if err != nil {
				return suite, err
			}
			suite.Cases = append(suite.Cases, cases...)
		}
	}
	return suite, nil
}

func frameCases(m frame.Method, v6 bool, d time.Duration) ([]measure.Case, error) {
	p := probe(m, v6)
	t, err := frame.NewTemplate(ethernet, &p)
	if err != nil {
		return nil, err
	}
	buf := make([]byte, t.Len())
	group := m.String() + family(v6)
	labels := func(builder string) []string { return []string{m.String(), family(v6), builder} }
	put := func(n int) {
		for range n {
			p.TTL++
			p.SrcPort++
			t.Put(buf, &p)
		}
	}
	cases := []measure.Case{newCase(labels("template"), group, d, put, func() error { return sameProbe(buf, &p) })}
	if m != frame.UDP && m != frame.ICMP && m != frame.TCP {
		return cases, nil
	}
	for _, anew := range []bool{false, true} {
		s := newSerializer(p, anew)
		name := "gopacket, reused layers"
		if anew {
			name = "gopacket, new layers"
		}
		cases = append(cases, newCase(labels(name), group, d, s.run, func() error {
			if s.err != nil {
				return s.err
			}
			t.Put(buf, &s.probe)
			if !bytes.Equal(s.frame, buf) {
				return fmt.Errorf("gopacket's %s frame %x is not the template's %x", m, s.frame, buf)
			}
			return nil
		}))
	}
	return cases, nil
}

// sameProbe tells whether a frame is that of the probe.
func sameProbe(f []byte, p *frame.Probe) error {
	got, err := frame.ReadProbe(f, frame.LinkEthernet)
	if err != nil {
		return err
	}
	if got.TTL != p.TTL || got.Method == frame.UDP && got.SrcPort != p.SrcPort {
		return fmt.Errorf("the frame is of %+v, not of %+v", got, *p)
	}
	return nil
}
