package rx

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx/anomaly"
)

// Anomalies of the reply itself; those of the quote are oddities.
func TestReplyAnomalies(t *testing.T) {
	extension := func(version byte, sum bool, objects ...byte) []byte {
		ext := append([]byte{version, 0, 0, 0}, objects...)
		if sum {
			binary.BigEndian.PutUint16(ext[2:], ^frame.Fold(frame.Sum(ext, 0)))
		}
		return ext
	}
	label := []byte{0, 8, 1, 1, 0x12, 0x34, 0x51, 1}
	forEach(t, func(t *testing.T, f family, m frame.Method) {
		if m == frame.DCCP {
			return
		}
		for _, c := range []struct {
			name   string
			ext    []byte
			length bool // told by the message
			flags  anomaly.Flag
		}{
			{"18 extensions", extension(0x20, true, label...), true, 0},
			{"18 no length", extension(0x20, true, label...), false, anomaly.ExtNoLength},
			{"18 version", extension(0x10, true, label...), true, anomaly.ExtVersion},
			{"18 no checksum", extension(0x20, false, label...), true, anomaly.ExtChecksum},
			{"18 wrong checksum", append([]byte{0x20, 0, 1, 2}, label...), true, anomaly.ExtChecksum},
			{"18 objects", extension(0x20, true, 0, 3, 1, 1), true, anomaly.ExtObjects},
		} {
			for name, s := range scenes(t, f, m) {
				e := frame.ErrorMessage{
					From: f.router, To: f.local, TTL: 60, Type: f.exceeded, Ext: c.ext,
					Quote: append(s.quote(), make([]byte, 128)...)[:128],
				}
				if c.length {
					if e.Rest = 128 / 4 << 16; f.local.Is6() {
						e.Rest = 128 / 8 << 24
					}
				}
				var r frame.Reply
				frame.Decode(e.Append(nil), frame.LinkRaw, false, &r)
				var got Match
				if s.match(&r, &got); got.Verdict != Exact || got.Flags != c.flags || r.Ext == nil {
					t.Errorf("%s in a %s: %v (%v): %v, want exact: %v; found %t", c.name, name, got.Verdict, got.Reason, got.Flags, c.flags, r.Ext != nil)
				}
			}
		}
		for name, s := range scenes(t, f, m) {
			r := s.exceeded(t, s.quote())
			r.Checksum = frame.ChecksumBad
			var got Match
			if s.match(&r, &got); got.Verdict != Stray || got.Reason != ReasonChecksum || got.Flags&anomaly.ReplyChecksum == 0 {
				t.Errorf("19 wrong checksum in a %s: %v (%v): %v", name, got.Verdict, got.Reason, got.Flags)
			}
		}
		s := scenes(t, f, m)["table"]
		s.table.Expire(sceneTTL)
		r := s.exceeded(t, s.quote())
		for n := 1; n < 4; n++ {
			var got Match
			if s.match(&r, &got); got.Verdict != Late || got.Nth != n || got.Flags&anomaly.Late == 0 {
				t.Errorf("21 late: %v, reply %d, %v", got.Verdict, got.Nth, got.Flags)
			}
		}
	})
}

// 21: a ledger gives up by itself.
func TestLateReplyInLedger(t *testing.T) {
	s := scenes(t, ipv4, frame.UDP)["ledger"]
	s.book.Overdue(sent+patience, nil)
	r := s.exceeded(t, s.quote())
	for n := 1; n < 4; n++ {
		var got Match
		if s.book.Match(&r, sent+time.Second, &got); got.Verdict != Late || got.Nth != n || got.Tag != sceneTTL {
			t.Errorf("%v for tag %d, reply %d, want late, %d", got.Verdict, got.Tag, got.Nth, n)
		}
	}
}

// 24: a direct answer from another address is the probe's if it brings back
// enough that nobody can guess.
func TestAnswerFromElsewhere(t *testing.T) {
	forEach(t, func(t *testing.T, f family, m frame.Method) {
		if m == frame.DCCP {
			return
		}
		for name, s := range scenes(t, f, m) {
			r := answeredBy(t, &s.probe, s.wire)
			r.From = f.other
			var got Match
			s.match(&r, &got)
			if enough := m == frame.TCP || m == frame.ICMP; !enough {
				if got.Verdict.Attributed() {
					t.Errorf("%s: %v by %v", name, got.Verdict, got.Rule)
				}
			} else if got.Verdict != Exact || got.Tag != sceneTTL || got.Flags != anomaly.OtherAddress || got.Origin.Dst != f.target {
				t.Errorf("%s: %v (%v) for tag %d: %v", name, got.Verdict, got.Reason, got.Tag, got.Flags)
			}
			if s.table == nil {
				continue
			}
			s.table.TargetOnly = true
			if s.match(&r, &got); got.Verdict != Stray || got.Reason != ReasonAddress {
				t.Errorf("%s, target only: %v (%v)", name, got.Verdict, got.Reason)
			}
			if r.From = f.target; m != frame.UDP { // whose answers bring nothing back
				if s.match(&r, &got); got.Tag != sceneTTL {
					t.Errorf("%s, target only: the target's own is %v (%v) for tag %d", name, got.Verdict, got.Reason, got.Tag)
				}
			}
		}
	})
}

// 25: a translator brings back what it made of the probe, with the IPv4
// addresses at the end of the IPv6 ones (RFC 6052), and the checksum to go with
// them (RFC 7915).
func TestTranslatedQuotes(t *testing.T) {
	for _, m := range []frame.Method{frame.UDP, frame.TCP, frame.UDPLite} {
		for name, s := range scenes(t, ipv4, m) {
			p := s.probe
			q := make([]byte, 40, 100)
			q[0], q[6], q[7] = 0x60, map[frame.Method]byte{frame.UDP: 17, frame.TCP: 6, frame.UDPLite: 136}[m], 1
			binary.BigEndian.PutUint16(q[4:], uint16(len(s.wire)-20))
			src, dst := p.Src.As4(), p.Dst.As4()
			copy(q[8:], []byte{0, 0x64, 0xff, 0x9b})
			copy(q[24:], []byte{0, 0x64, 0xff, 0x9b})
			copy(q[20:], src[:])
			copy(q[36:], dst[:])
			q = append(q, s.wire[20:]...)
			at := 40 + sumAt(m)
			sum := binary.BigEndian.Uint16(q[at:])
			before := frame.Fold(frame.Sum(s.wire[12:20], 0))
			after := frame.Fold(frame.Sum(q[8:40], 0))
			binary.BigEndian.PutUint16(q[at:], frame.UpdateChecksum(sum, before, after))
			r := s.exceeded(t, q)
			var got Match
			s.match(&r, &got)
			if got.Verdict != Translated || got.Tag != sceneTTL || got.Flags&anomaly.Translated == 0 || got.Rule.String() != map[bool]string{true: "word", false: "translated"}[m == frame.TCP] {
				t.Errorf("%s in a %s: %v (%v) for tag %d by %v: %v", m, name, got.Verdict, got.Reason, got.Tag, got.Rule, got.Flags)
			}
		}
	}
}
