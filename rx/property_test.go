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

// The domains are small so that identities collide. TestNeverAnothers has wide
// ones.
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
func (m *model) replyTo(t *rapid.T) (r frame.Reply, right bool) {
	known := m.byTag[anyTag.Draw(t, "reply to")]
	how := rapid.IntRange(0, 2).Draw(t, "how")
	if len(known) == 0 || how == 0 {
		return anyReply(t), false
	}
	p := &known[rapid.IntRange(0, len(known)-1).Draw(t, "which")]
	if how == 1 {
		return answer(p), true
	}
	return exceeded(p, ipv4.router), true
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
	r, right := m.replyTo(t)
	var got Match
	before := m.table.Counts()
	m.table.Match(&r, time.Hour, &got)
	after := m.table.Counts()
	m.got++
	if right && !got.Verdict.Attributed() && got.Verdict != Ambiguous {
		t.Fatalf("a right reply is %v (%v)", got.Verdict, got.Reason)
	}
	if got.Verdict.Attributed() != (got.Reason == ReasonNone) || got.Verdict.Attributed() != (got.Rule != ruleNone) {
		t.Fatalf("%v with reason %v, rule %v", got.Verdict, got.Reason, got.Rule)
	}
	if got.Verdict.First() != (after.InFlight == before.InFlight-1) {
		t.Fatalf("%v, and in flight went from %d to %d", got.Verdict, before.InFlight, after.InFlight)
	}
	if !got.Verdict.Attributed() {
		return
	}
	all := append(Rules(), AnswerRules()...)
	need := all[got.Rule-1].Need &^ (Word | NoWord)
	mine := false
	for _, p := range m.byTag[got.Tag] {
		e := entryOf(&p)
		w := e.weighAnswer(&r)
		if r.Kind.IsError() {
			w = e.weigh(&r.Quote, nil)
		}
		mine = mine || w.have&need == need
	}
	if !mine || got.RTT < 1 || got.Nth < 1 {
		t.Fatalf("%v for tag %d, RTT %v, the %d. reply, but no probe of that tag fits", got.Verdict, got.Tag, got.RTT, got.Nth)
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
