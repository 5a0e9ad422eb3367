package rx

import (
	"net/netip"
	"time"

	"github.com/hopquote/hopquote/frame"
)

// sampleProbe is a probe of the method from f.local to f.target; n tells
// probes apart by everything but addresses.
func (f family) sampleProbe(m frame.Method, n int) frame.Probe {
	p := frame.Probe{
		Method: m, Src: f.local, Dst: f.target, TOS: 0x10, Size: 60, TTL: uint8(n + 1),
		SrcPort: 40000, DstPort: 33434 + uint16(n), Seq: uint32(n),
	}
	if f.local.Is4() {
		p.DF = true
		p.ID = 0x1200 + uint16(n)
	} else {
		p.Label = 0x12300 + uint32(n)
	}
	if m == frame.TCP {
		p.Seq = 0xfffffff0 + uint32(n)
		p.TCP.Flags = frame.FlagSYN
		p.Size = p.HeaderLen()
	}
	switch m {
	case frame.DCCP:
		p.Size = p.HeaderLen()
	case frame.Raw:
		p.SrcPort, p.DstPort, p.Seq, p.Protocol = 0, 0, 0, rawProtocol
	}
	return p
}

// rawProtocol is that of the samples' Raw probes.
const rawProtocol = 253

// exceeded is the time exceeded from router about p, quoted well.
func exceeded(p *frame.Probe, router netip.Addr) frame.Reply {
	q := frame.Quote{
		Bytes: p.Size, Transport: p.Size - frame.MinSize(frame.UDP, p.IsIPv6()) + 8, Method: p.Method,
		Src: p.Src, Dst: p.Dst, TTL: 1, TOS: p.TOS, ID: p.ID, DF: p.DF, Length: p.Size, Label: p.Label,
		SrcPort: p.SrcPort, DstPort: p.DstPort, Seq: p.Seq, Checksum: checksumSent(p),
	}
	if n, err := protocolOf(p.Method, p.IsIPv6()); err == nil {
		q.Protocol = uint8(n)
	}
	switch p.Method {
	case frame.ICMP:
		q.DstPort = 0
	case frame.Raw:
		q.Method, q.Protocol = 0, p.Protocol
	}
	return frame.Reply{
		Kind: frame.KindTimeExceeded, From: router, To: p.Src, TTL: 60,
		Checksum: frame.ChecksumGood, Quote: q,
	}
}

// checksumSent is the transport checksum that p leaves with, as far as it is
// quoted.
func checksumSent(p *frame.Probe) uint16 {
	template, err := frame.NewTemplate(frame.Link{}, p)
	if err != nil {
		return 0xabcd
	}
	b := make([]byte, template.Len())
	template.Put(b, p)
	sum, _ := checksumOf(b, p.Method)
	return sum
}

// answer is the direct answer of p's destination.
func answer(p *frame.Probe) frame.Reply {
	r := frame.Reply{
		From: p.Dst, To: p.Src, TTL: 60, Checksum: frame.ChecksumGood,
		SrcPort: p.DstPort, DstPort: p.SrcPort,
	}
	switch p.Method {
	case frame.UDP:
		r.Kind = frame.KindUDP
	case frame.ICMP:
		r.Kind = frame.KindEchoReply
		r.SrcPort, r.Seq = p.SrcPort, p.Seq
	case frame.TCP:
		r.Kind = frame.KindTCP
		r.Flags = frame.FlagSYN | frame.FlagACK
		r.Ack = p.Seq + 1
	case frame.UDPLite:
		r.Kind = frame.KindUDPLite
	case frame.DCCP:
		r.Kind = frame.KindDCCP
		r.Type, r.Ack = frame.DCCPReset, p.Seq
	case frame.Raw:
		r.Kind, r.Protocol = frame.KindRaw, p.Protocol
	}
	return r
}

// sent is when the tests' first probe leaves, and rtt how long its reply takes.
const (
	sent = 3 * time.Second
	rtt  = 7 * time.Millisecond
)
