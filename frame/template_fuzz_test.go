package frame

import (
	"bytes"
	"net/netip"
	"testing"
)

// fuzzProbe makes a probe that NewTemplate takes out of any values.
func fuzzProbe(src, dst []byte, method, tos, ttl, flags, opts, shift uint8, size, sport, dport, id, window, mss uint16,
	label, seq, ack, tsval, tsecr uint32) Probe {
	p := Probe{
		Method: 1 + Method(method%6), TOS: tos, TTL: ttl, SrcPort: sport, DstPort: dport, Seq: seq,
	}
	v6 := opts&1 != 0
	var a, b [16]byte
	copy(a[:], src)
	copy(b[:], dst)
	if v6 {
		a[0] |= 0x20 // keeps clear of mapped addresses
		b[0] |= 0x20
		p.Src, p.Dst, p.Label = netip.AddrFrom16(a), netip.AddrFrom16(b), label&maxLabel
	} else {
		p.Src, p.Dst = netip.AddrFrom4([4]byte(a[:4])), netip.AddrFrom4([4]byte(b[:4]))
		p.ID, p.DF = id, opts&2 != 0
	}
	p.Size = max(MinSize(p.Method, v6), int(size))
	switch p.Method {
	case UDP:
		p.Seq = 0
	case UDPLite:
		p.Seq, p.Coverage = 0, uint16(min(max(int(window), 8), p.Size-ipHeaderLen(v6)))
	case DCCP:
		p.Size, p.Service = MinSize(DCCP, v6), ack
	case Raw:
		p.SrcPort, p.DstPort, p.Seq, p.Protocol = 0, 0, 0, max(flags, 1)
		if v6 && isExtHeader(p.Protocol) {
			p.Protocol = 253
		}
	case ICMP:
		p.DstPort, p.Seq = 0, seq&0xffff
	case TCP:
		p.TCP = TCPHeader{Flags: flags, Window: window, Ack: ack, MSS: mss, SACK: opts&4 != 0, AckSeq: opts&32 != 0}
		if p.TCP.AckSeq {
			p.TCP.Ack = 0
		}
		if opts&8 != 0 {
			p.TCP.Timestamps, p.TCP.TSVal, p.TCP.TSEcr = true, tsval, tsecr
		}
		if opts&16 != 0 {
			p.TCP.WScale, p.TCP.Shift = true, shift%(MaxShift+1)
		}
		p.Size = TCPSize(v6, &p.TCP)
	}
	if p.Method.takesMark() {
		if opts&64 != 0 {
			p.Fixed, p.Sum = true, mss
		}
		if opts&128 != 0 {
			p.Payload, p.Mark = PayloadMark, tsval
		}
		if len(src) > 4 {
			p.Body = string(src[4:])
		}
		p.Size = max(p.Size, p.LeastSize())
		if p.Method == UDPLite {
			p.Coverage = max(p.Coverage, uint16(udpliteHeaderLen+p.keyedLen()))
		}
	}
	return p
}

// FuzzTemplate builds any probe through a template, compares it with a fresh
// serialization and reads it back.
func FuzzTemplate(f *testing.F) {
	for m := range uint8(12) {
		for opts := range uint8(8) {
			src := []byte{192, 0, 2, 1}
			if m >= 6 {
				src = append(src, "mail@example.net"...)
			}
			f.Add(src, []byte{198, 51, 100, 7}, m, uint8(0xb9), uint8(7), uint8(FlagSYN), opts<<5|opts<<3|opts, uint8(2),
				uint16(61)*uint16(opts), uint16(54321), uint16(33434), uint16(1), uint16(5840), uint16(1460),
				uint32(0xabcde), uint32(0xdeadbeef), uint32(0), uint32(0x01020304), uint32(0))
		}
	}
	f.Fuzz(func(t *testing.T, src, dst []byte, method, tos, ttl, flags, opts, shift uint8,
		size, sport, dport, id, window, mss uint16, label, seq, ack, tsval, tsecr uint32) {
		p := fuzzProbe(src, dst, method, tos, ttl, flags, opts, shift, size, sport, dport, id, window, mss, label, seq, ack, tsval, tsecr)
		link := Link{}
		if opts&32 != 0 {
			link = ethernet
		}
		got := putFresh(t, link, &p)
		if want := freshFrame(t, link, &p); !bytes.Equal(got, want) {
			t.Fatalf("probe %+v\ntemplate % x\nfresh    % x", p, got, want)
		}
		if p.Method != Raw && p.Body != "" {
			return // it is not read back
		}
		back, err := ReadProbe(got, link.Type)
		if p.TCP.AckSeq { // which nothing in the frame tells
			p.TCP.Ack, p.TCP.AckSeq = p.Seq, false
		}
		if err == nil && back != p && (p.Fixed || p.Payload == PayloadMark) {
			// Another probe whose payload comes out the same.
			if again := putFresh(t, link, &back); !bytes.Equal(got, again) {
				t.Fatalf("probe %+v\nread as %+v\nframe   % x\nagain   % x", p, back, got, again)
			}
			p.Fixed, p.Sum, p.Payload, p.Mark = back.Fixed, back.Sum, back.Payload, back.Mark
		}
		if err != nil || back != p {
			t.Fatalf("ReadProbe = %+v, %v\nwant %+v", back, err, p)
		}
	})
}

// FuzzRoute builds any route through a template and reads it back: all that is
// behind it stays what it is without.
func FuzzRoute(f *testing.F) {
	f.Add(uint8(1), uint8(1), []byte{192, 0, 2, 9}, false)
	f.Add(uint8(2), uint8(2), []byte{192, 0, 2, 9, 192, 0, 2, 10}, false)
	f.Add(uint8(3), uint8(0), []byte("a gateway of 16."), true)
	f.Add(uint8(5), uint8(4), []byte("a gateway of 16.a gateway of 17."), true)
	f.Fuzz(func(t *testing.T, kind, method uint8, list []byte, v6 bool) {
		n := 4
		if v6 {
			n = 16
		}
		var gateways []netip.Addr
		for ; len(list) >= n; list = list[n:] {
			a, _ := netip.AddrFromSlice(list[:n])
			gateways = append(gateways, a)
		}
		r, err := NewRoute(RouteKind(kind), gateways)
		if err != nil {
			return
		}
		p := routed(methods[int(method)%len(methods)], r)
		plain := p
		plain.Route, plain.Size = Route{}, p.Size-r.HeaderLen()
		got, want := putFresh(t, Link{}, &p), putFresh(t, Link{}, &plain)
		head := ipHeaderLen(v6)
		if !bytes.Equal(got[head+r.HeaderLen():], want[head:]) {
			t.Fatalf("probe %+v\nrouted % x\nplain  % x", p, got, want)
		}
		back, err := ReadProbe(got, LinkRaw)
		if r.Kind() == LSRROnce && r.Gateways() > 1 && gateways[len(gateways)-1] == p.Dst {
			p.Route = back.Route // laid out like the LSRR of one gateway less
		}
		if err != nil || back != p {
			t.Fatalf("ReadProbe = %+v, %v\nwant %+v", back, err, p)
		}
	})
}
