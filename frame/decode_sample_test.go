package frame

import (
	"net/netip"
	"testing"
)

// The addresses of the samples: us, the destination, a router on the way.
var (
	ourAddr4    = netip.MustParseAddr("192.0.2.1")
	targetAddr4 = netip.MustParseAddr("198.51.100.7")
	routerAddr4 = netip.MustParseAddr("203.0.113.9")
	ourAddr6    = netip.MustParseAddr("2001:db8::1")
	targetAddr6 = netip.MustParseAddr("2001:db8:7::7")
	routerAddr6 = netip.MustParseAddr("2001:db8:9::9")
)

func decodeAddrs(v6 bool) (us, dst, router netip.Addr) {
	if v6 {
		return ourAddr6, targetAddr6, routerAddr6
	}
	return ourAddr4, targetAddr4, routerAddr4
}

// mplsExtension holds two label stack entries and an interface name object; its
// checksum is left out.
var mplsExtension = []byte{
	0x20, 0x00, 0x00, 0x00, // version 2, no checksum
	0x00, 0x0c, 0x01, 0x01, // 12 bytes, MPLS label stack, incoming
	0x00, 0x06, 0x44, 0x03, // label 100, Exp 2, TTL 3
	0x00, 0x0c, 0x85, 0xff, // label 200, Exp 2, bottom, TTL 255
	0x00, 0x0c, 0x02, 0x06, // 12 bytes, class 2 type 6
	0x01, 0x02, 0x03, 0x04,
	0xaa, 0xbb, 0xcc, 0xdd,
}

// withChecksum gives a copy of ext with its checksum filled in.
func withChecksum(ext []byte) []byte {
	ext = append([]byte(nil), ext...)
	ext[2], ext[3] = 0, 0
	sum := ^Fold(Sum(ext, 0))
	ext[2], ext[3] = byte(sum>>8), byte(sum)
	return ext
}

// lengthField is the second ICMP word that states an original datagram of n
// bytes (RFC 4884 section 4).
func lengthField(n int, v6 bool) uint32 {
	if v6 {
		return uint32(n/8) << 24
	}
	return uint32(n/4) << 16
}

// quotedProbe is a probe in which no two fields hold the same value.
func quotedProbe(m Method, v6 bool) Probe {
	us, dst, _ := decodeAddrs(v6)
	p := Probe{
		Method: m, Src: us, Dst: dst, TOS: 0xb9, Size: 60, TTL: 1,
		SrcPort: 0x8235, DstPort: 0x829b, Seq: 0x1f2e,
	}
	if v6 {
		p.Size, p.Label = 80, 0xabcde
	} else {
		p.DF, p.ID = true, 0x4d5c
	}
	switch m {
	case ICMP:
		p.DstPort = 0
	case TCP:
		p.Seq = 0x9a8b7c6d
		p.TCP = TCPHeader{Flags: FlagSYN, Window: 5840, MSS: 1460, SACK: true}
		p.Size = TCPSize(v6, &p.TCP)
	case UDPLite:
		p.Coverage = 11
	case DCCP:
		p.Seq, p.Service, p.Size = 0x9a8b7c6d, 0x01020304, MinSize(DCCP, v6)
	case Raw:
		p.SrcPort, p.DstPort, p.Seq, p.Protocol = 0, 0, 0, 253
	}
	return p
}

// probePacket gives the IP packet that a template builds of p.
func probePacket(tb testing.TB, p Probe) []byte {
	tb.Helper()
	t, err := NewTemplate(Link{}, &p)
	if err != nil {
		tb.Fatal(err)
	}
	b := make([]byte, t.Len())
	return b[:t.Put(b, &p)]
}

// icmpKind is a kind of ICMP error with a type and code that mean it.
type icmpKind struct {
	name           string
	kind           Kind
	typ4, code4    uint8
	typ6, code6    uint8
	only4          bool
	rest4, rest6   uint32
	mtu            uint32
	extended, ext6 bool // the message may carry extensions
}

var timeExceeded = icmpKind{
	name: "time exceeded", kind: KindTimeExceeded, typ4: 11, typ6: 3, extended: true, ext6: true,
}

var icmpKinds = []icmpKind{
	timeExceeded,
	{name: "reassembly time exceeded", kind: KindTimeExceeded, typ4: 11, code4: 1, typ6: 3, code6: 1, extended: true, ext6: true},
	{name: "port unreachable", kind: KindUnreachable, typ4: 3, code4: 3, typ6: 1, code6: 4, extended: true, ext6: true},
	{name: "unknown code", kind: KindUnreachable, typ4: 3, code4: 255, typ6: 1, code6: 255, extended: true, ext6: true},
	{name: "too big", kind: KindTooBig, typ4: 3, code4: 4, typ6: 2, rest4: 1400, rest6: 1400, mtu: 1400, extended: true},
	{name: "too big without MTU", kind: KindTooBig, typ4: 3, code4: 4, typ6: 2, extended: true},
	{name: "parameter problem", kind: KindParamProblem, typ4: 12, rest4: 9 << 24, typ6: 4, code6: 1, rest6: 40, extended: true},
	{name: "redirect", kind: KindRedirect, typ4: 5, code4: 1, rest4: 0xc0000202, only4: true},
	{name: "source quench", kind: KindSourceQuench, typ4: 4, only4: true},
}

// errorOfKind is the error of kind k from the router to us, without quote.
func errorOfKind(k icmpKind, v6 bool) ErrorMessage {
	us, _, router := decodeAddrs(v6)
	m := ErrorMessage{From: router, To: us, TTL: 61, TOS: 0xc0, Type: k.typ4, Code: k.code4, Rest: k.rest4}
	if v6 {
		m.Type, m.Code, m.Rest = k.typ6, k.code6, k.rest6
	} else {
		m.ID = 0x7171
	}
	return m
}

// answerToProbe is the destination's direct answer to quotedProbe.
func answerToProbe(m Method, v6 bool) Answer {
	p := quotedProbe(m, v6)
	a := Answer{
		From: p.Dst, To: p.Src, TTL: 55, TOS: 0x28, Method: m,
		SrcPort: p.DstPort, DstPort: p.SrcPort, Payload: []byte("odd"),
	}
	if !v6 {
		a.ID = 0x6262
	}
	switch m {
	case ICMP:
		a.SrcPort, a.DstPort, a.Seq = p.SrcPort, 0, p.Seq
	case TCP:
		a.Seq, a.Ack, a.Flags, a.Window = 0x01020304, p.Seq+1, FlagSYN|FlagACK, 65535
	case DCCP:
		a.Seq, a.Ack, a.Type = 0x01020304, p.Seq, DCCPReset
	case Raw:
		a.SrcPort, a.DstPort, a.Protocol = 0, 0, p.Protocol
	}
	return a
}

// framesOfAllKinds gives an Ethernet frame of every kind that carries a transport,
// and errors with long and short quotes and extensions.
func framesOfAllKinds(tb testing.TB) map[string][]byte {
	frames := map[string][]byte{}
	for _, v6 := range []bool{false, true} {
		family := "/ipv4"
		if v6 {
			family = "/ipv6"
		}
		for _, m := range withHeader {
			a := answerToProbe(m, v6)
			a.Link.Type = LinkEthernet
			frames["answer/"+m.String()+family] = a.Append(nil)
			quote := probePacket(tb, quotedProbe(m, v6))
			for _, k := range icmpKinds {
				if v6 && k.only4 {
					continue
				}
				e := errorOfKind(k, v6)
				e.Link.Type = LinkEthernet
				e.Quote = quote
				frames[k.name+"/"+m.String()+family] = e.Append(nil)
			}
			e := errorOfKind(timeExceeded, v6)
			e.Link.Type = LinkEthernet
			e.Quote = append(quote, make([]byte, minOriginal-len(quote))...)
			e.Ext = withChecksum(mplsExtension)
			frames["extension by place/"+m.String()+family] = e.Append(nil)
			e.Rest = lengthField(minOriginal, v6)
			frames["extension by length/"+m.String()+family] = e.Append(nil)
		}
	}
	return frames
}
