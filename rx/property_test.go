package rx

import (
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hopquote/hopquote/frame"
)

// model is the probes of a table as the test remembers them.
type model struct {
	table *Table
	byTag map[int][]frame.Probe // the newest last; forgotten ones are not in it
	sent  uint64
	got   uint64
}

// The domains are small so that identities collide.
var (
	anyTag    = rapid.IntRange(0, 5)
	anyPort   = rapid.SampledFrom([]uint16{53, 53, 53, 33434})
	anySeq    = rapid.SampledFrom([]uint32{0, 1, 2, 0xffff, 0xffffffff})
	anyID     = rapid.SampledFrom([]uint16{0, 1, 0x100})
	anyMethod = rapid.SampledFrom([]frame.Method{frame.UDP, frame.ICMP, frame.TCP, frame.UDPLite, frame.DCCP})
	anyFlags  = rapid.SampledFrom([]uint8{0, frame.FlagSYN, frame.FlagSYN | frame.FlagACK, frame.FlagRST | frame.FlagACK})
	anyKind   = rapid.Custom(func(t *rapid.T) frame.Kind {
		return frame.Kind(rapid.IntRange(0, int(frame.KindRaw)).Draw(t, "kind"))
	})
	anyAddr = rapid.SampledFrom([]netip.Addr{ipv4.local, ipv4.target, ipv4.other, ipv6.local, ipv6.target})
)

func anyProbe(t *rapid.T) frame.Probe {
	f := rapid.SampledFrom([]family{ipv4, ipv6}).Draw(t, "family")
	return frame.Probe{
		Method: anyMethod.Draw(t, "method"), Src: f.local,
		Dst:  rapid.SampledFrom([]netip.Addr{f.target, f.other}).Draw(t, "destination"),
		Size: 60, SrcPort: anyPort.Draw(t, "source port"), DstPort: anyPort.Draw(t, "destination port"),
		ID: anyID.Draw(t, "id"), Seq: anySeq.Draw(t, "seq"), TCP: frame.TCPHeader{Flags: anyFlags.Draw(t, "probe flags")},
	}
}

func anyReply(t *rapid.T) frame.Reply {
	return frame.Reply{
		Kind: anyKind.Draw(t, "kind"), From: anyAddr.Draw(t, "from"), To: anyAddr.Draw(t, "to"),
		Checksum: frame.Checksum(rapid.IntRange(0, 2).Draw(t, "checksum")),
		SrcPort:  anyPort.Draw(t, "source port"), DstPort: anyPort.Draw(t, "destination port"),
		Type: rapid.Uint8Range(0, 9).Draw(t, "type"),
		Seq:  anySeq.Draw(t, "seq"), Ack: anySeq.Draw(t, "ack"), Flags: anyFlags.Draw(t, "flags"),
		Quote: frame.Quote{
			Transport: rapid.SampledFrom([]int{0, 4, 8, 20}).Draw(t, "transport"),
			Malformed: rapid.IntRange(0, 9).Draw(t, "malformed") == 0,
			Fragment:  rapid.IntRange(0, 9).Draw(t, "fragment") == 0,
			Method:    frame.Method(rapid.IntRange(0, 5).Draw(t, "quoted method")),
			Src:       anyAddr.Draw(t, "quoted source"), Dst: anyAddr.Draw(t, "quoted destination"),
			ID: anyID.Draw(t, "quoted id"), SrcPort: anyPort.Draw(t, "quoted source port"),
			DstPort: anyPort.Draw(t, "quoted destination port"), Seq: anySeq.Draw(t, "quoted seq"),
		},
	}
}

// replyTo is a right reply to some probe in the model, or any reply.
func (m *model) replyTo(t *rapid.T) frame.Reply {
	known := m.byTag[anyTag.Draw(t, "reply to")]
	how := rapid.IntRange(0, 2).Draw(t, "how")
	if len(known) == 0 || how == 0 {
		return anyReply(t)
	}
	p := &known[rapid.IntRange(0, len(known)-1).Draw(t, "which")]
	if how == 1 {
		return answer(p)
	}
	return exceeded(p, ipv4.router)
}

// belongs tells, in the words of the rules and without the table's code,
// whether r can be a reply to p.
func belongs(r *frame.Reply, p *frame.Probe) bool {
	if r.Checksum == frame.ChecksumBad {
		return false
	}
	q := &r.Quote
	switch r.Kind {
	case frame.KindTimeExceeded, frame.KindUnreachable, frame.KindTooBig, frame.KindParamProblem:
		same := !q.Malformed && !q.Fragment && q.Transport >= 8 &&
			q.Method == p.Method && q.Src == p.Src && q.Dst == p.Dst && q.SrcPort == p.SrcPort
		if p.Method == frame.ICMP {
			return same && uint16(q.Seq) == uint16(p.Seq)
		}
		if p.Method == frame.TCP || p.Method == frame.DCCP && q.Transport >= 16 {
			same = same && q.Seq == p.Seq
		}
		return same && q.DstPort == p.DstPort
	case frame.KindEchoReply:
		return p.Method == frame.ICMP && r.From == p.Dst && r.To == p.Src &&
			r.SrcPort == p.SrcPort && uint16(r.Seq) == uint16(p.Seq)
	case frame.KindUDP:
		return p.Method == frame.UDP && r.From == p.Dst && r.To == p.Src &&
			r.SrcPort == p.DstPort && r.DstPort == p.SrcPort
	case frame.KindUDPLite:
		return p.Method == frame.UDPLite && r.From == p.Dst && r.To == p.Src &&
			r.SrcPort == p.DstPort && r.DstPort == p.SrcPort
	case frame.KindDCCP:
		return p.Method == frame.DCCP && r.From == p.Dst && r.To == p.Src &&
			r.SrcPort == p.DstPort && r.DstPort == p.SrcPort &&
			(r.Type == frame.DCCPRequest || r.Type == frame.DCCPData || r.Ack == p.Seq)
	case frame.KindTCP:
		return p.Method == frame.TCP && r.From == p.Dst && r.To == p.Src &&
			r.SrcPort == p.DstPort && r.DstPort == p.SrcPort &&
			(r.Flags&frame.FlagACK == 0 || r.Ack == p.Seq || r.Ack == p.Seq+1)
	}
	return false
}

func (m *model) check(t *rapid.T) {
	c := m.table.Counts()
	if !c.Balanced() || c.Sent != m.sent || c.Received != m.got {
		t.Fatalf("%d sent and %d received, but counts are %+v", m.sent, m.got, c)
	}
}

func (m *model) add(t *rapid.T) {
	tag, p := anyTag.Draw(t, "tag"), anyProbe(t)
	m.table.Add(tag, &p, time.Duration(m.sent))
	m.byTag[tag] = append(m.byTag[tag], p)
	m.sent++
}

func (m *model) expire(t *rapid.T) { m.table.Expire(anyTag.Draw(t, "tag")) }

func (m *model) forget(t *rapid.T) {
	tag := anyTag.Draw(t, "tag")
	m.table.Forget(tag)
	delete(m.byTag, tag)
}

func (m *model) match(t *rapid.T) {
	r := m.replyTo(t)
	var got Match
	before := m.table.Counts()
	m.table.Match(&r, time.Hour, &got)
	after := m.table.Counts()
	m.got++
	possible := false
	for _, probes := range m.byTag {
		for i := range probes {
			possible = possible || belongs(&r, &probes[i])
		}
	}
	if (got.Verdict != Stray) != possible {
		t.Fatalf("%v (%v), but a probe that the reply belongs to is there: %t", got.Verdict, got.Reason, possible)
	}
	if (got.Verdict == Stray) != (got.Reason != ReasonNone) {
		t.Fatalf("%v with reason %v", got.Verdict, got.Reason)
	}
	first := got.Verdict == Exact || got.Verdict == Rewritten
	if first != (after.InFlight == before.InFlight-1) {
		t.Fatalf("%v, and in flight went from %d to %d", got.Verdict, before.InFlight, after.InFlight)
	}
	if got.Verdict == Stray {
		return
	}
	mine := false
	for i := range m.byTag[got.Tag] {
		mine = mine || belongs(&r, &m.byTag[got.Tag][i])
	}
	if !mine || got.RTT < 1 {
		t.Fatalf("%v for tag %d, RTT %v, but no probe of that tag fits", got.Verdict, got.Tag, got.RTT)
	}
}

func TestTableProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &model{table: NewTable(0), byTag: make(map[int][]frame.Probe)}
		t.Repeat(map[string]func(*rapid.T){
			"add": m.add, "expire": m.expire, "forget": m.forget, "match": m.match, "": m.check,
		})
	})
}
