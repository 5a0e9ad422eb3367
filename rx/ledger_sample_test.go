package rx

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/hopquote/hopquote/frame"
)

const patience = 50 * time.Millisecond

func newLedger(t testing.TB, slots int, v6 bool) *Ledger {
	t.Helper()
	l, err := NewLedger(LedgerConfig{Key: [8]byte{1, 2, 3, 4, 5, 6, 7, 8}, Timeout: patience, Slots: slots, IPv6: v6})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// keyed is a probe of the method to dst with a constant flow.
func (f family) keyed(t testing.TB, m frame.Method, dst netip.Addr, ttl uint8) frame.Probe {
	t.Helper()
	b := dst.As16()
	p := frame.Probe{
		Method: m, Src: f.local, Dst: dst, TTL: ttl, TOS: 8, SrcPort: 40000 + uint16(b[15]), DstPort: 33434,
		Size: frame.MinSize(m, dst.Is6()),
	}
	if m == frame.ICMP {
		p.Sum = 0x1234 + uint16(b[15]) // of the flow; others get theirs with the token
	}
	if dst.Is6() {
		p.Label = 0x54300 + uint32(b[15])
	}
	switch m {
	case frame.TCP:
		p.TCP.Flags, p.Size = frame.FlagSYN, 0
	case frame.ICMP:
		p.DstPort = 0
	}
	if !p.MakeKeyed() {
		t.Fatalf("%s probes carry no token", m)
	}
	return p
}

// onWire is the probe as it leaves.
func onWire(t testing.TB, p *frame.Probe) []byte {
	t.Helper()
	tmpl, err := frame.NewTemplate(frame.Link{}, p)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, tmpl.Len())
	tmpl.Put(b, p)
	return b
}

// quoted is the time exceeded from router about the first n bytes of sent.
func quoted(t testing.TB, router, to netip.Addr, sent []byte, n int) frame.Reply {
	t.Helper()
	m := frame.ErrorMessage{From: router, To: to, TTL: 60, Type: 11, Quote: sent[:min(n, len(sent))]}
	if to.Is6() {
		m.Type = 3
	}
	var r frame.Reply
	frame.Decode(m.Append(nil), frame.LinkRaw, false, &r)
	return r
}

// answered is what the destination answers to a probe that left as sent.
func answeredBy(t testing.TB, p *frame.Probe, sent []byte) frame.Reply {
	t.Helper()
	a := frame.Answer{From: p.Dst, To: p.Src, TTL: 60, Method: p.Method, SrcPort: p.DstPort, DstPort: p.SrcPort}
	switch p.Method {
	case frame.ICMP:
		a.SrcPort, a.Seq = p.SrcPort, p.Seq
		a.Payload = sent[len(sent)-p.Size+p.HeaderLen():]
	case frame.TCP:
		a.Flags, a.Ack = frame.FlagSYN|frame.FlagACK, p.Seq+1
	}
	var r frame.Reply
	frame.Decode(a.Append(nil), frame.LinkRaw, false, &r)
	return r
}

// setID writes another identification into an IPv4 packet.
func setID(b []byte, id uint16) []byte {
	b = append([]byte(nil), b...)
	binary.BigEndian.PutUint16(b[4:], id)
	return b
}

// send takes, enters and gives the frame of a probe.
func (l *Ledger) send(t testing.TB, tag int, p *frame.Probe, at time.Duration) []byte {
	t.Helper()
	ticket, err := l.Take(tag, p, false)
	if err != nil {
		t.Fatal(err)
	}
	l.Enter(ticket, tag, p, at)
	return onWire(t, p)
}
