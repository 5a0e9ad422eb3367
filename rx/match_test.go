package rx

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hopquote/hopquote/frame"
)

// ignoreReply leaves Match.Reply, a pointer to the test's own, out.
var ignoreReply = cmpopts.IgnoreFields(Match{}, "Reply")

// sameAddr compares addresses, which hide their parts.
var sameAddr = cmp.Comparer(func(a, b netip.Addr) bool { return a == b })

// forEach runs a test for every method with a header of its own in every
// family.
func forEach(t *testing.T, f func(*testing.T, family, frame.Method)) {
	for _, fam := range []family{ipv4, ipv6} {
		for m := frame.UDP; m <= frame.DCCP; m++ {
			t.Run(fmt.Sprintf("%v/%s", fam.local, m), func(t *testing.T) { f(t, fam, m) })
		}
	}
}

func TestMatchExact(t *testing.T) {
	forEach(t, func(t *testing.T, f family, m frame.Method) {
		table := NewTable(4)
		var probes [4]frame.Probe
		for n := range probes {
			probes[n] = f.sampleProbe(m, n)
			table.Add(100+n, &probes[n], sent+time.Duration(n))
		}
		// Two are answered by a router, two by the destination, the newest first.
		for n := len(probes) - 1; n >= 0; n-- {
			r := exceeded(&probes[n], f.router)
			if n%2 == 1 {
				r = answer(&probes[n])
			}
			got := Match{Local: true}
			table.Match(&r, sent+rtt, &got)
			want := Match{
				Verdict: Exact, Tag: 100 + n, RTT: rtt - time.Duration(n), At: sent + rtt,
				Origin: Origin{Dst: f.target, TTL: uint8(n + 1), Sent: sent + time.Duration(n)},
			}
			if d := cmp.Diff(want, got, ignoreReply, sameAddr); d != "" {
				t.Errorf("probe %d (-want +got):\n%s", n, d)
			}
			if got.Reply != &r {
				t.Errorf("probe %d: the match holds another reply", n)
			}
		}
		wantCounts(t, table, Counts{Sent: 4, Answered: 4, Received: 4, Matched: 4})
	})
}

func wantCounts(t *testing.T, table *Table, want Counts) {
	t.Helper()
	got := table.Counts()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("counts (-want +got):\n%s", d)
	}
	if !got.Balanced() {
		t.Errorf("counts don't balance: %+v", got)
	}
}

// Every stray leaves the probe in flight, so that the right reply still finds
// it.
func TestMatchStray(t *testing.T) {
	type change struct {
		name   string
		reason Reason
		reply  func(r *frame.Reply, f family)
		only   frame.Method // 0 for all
	}
	errors := []change{
		{"not IP", ReasonNoKey, func(r *frame.Reply, f family) { *r = frame.Reply{} }, 0},
		{"truncated", ReasonTruncated, func(r *frame.Reply, f family) { r.Kind = frame.KindTruncated }, 0},
		{"malformed", ReasonMalformed, func(r *frame.Reply, f family) { r.Kind = frame.KindMalformed }, 0},
		{"fragment", ReasonFragment, func(r *frame.Reply, f family) { r.Kind = frame.KindFragment }, 0},
		{"bad checksum", ReasonChecksum, func(r *frame.Reply, f family) { r.Checksum = frame.ChecksumBad }, 0},
		{"redirect", ReasonKind, func(r *frame.Reply, f family) { r.Kind = frame.KindRedirect }, 0},
		{"source quench", ReasonKind, func(r *frame.Reply, f family) { r.Kind = frame.KindSourceQuench }, 0},
		{"other ICMP", ReasonKind, func(r *frame.Reply, f family) { r.Kind = frame.KindICMPOther }, 0},
		{"bad checksum of a redirect", ReasonChecksum, func(r *frame.Reply, f family) {
			r.Kind, r.Checksum = frame.KindRedirect, frame.ChecksumBad
		}, 0},
		{"no quote", ReasonTruncated, func(r *frame.Reply, f family) { r.Quote = frame.Quote{} }, 0},
		{"7 transport bytes", ReasonTruncated, func(r *frame.Reply, f family) { r.Quote.Transport = 7 }, 0},
		{"malformed quote", ReasonMalformed, func(r *frame.Reply, f family) { r.Quote.Malformed = true }, 0},
		{"quoted fragment", ReasonFragment, func(r *frame.Reply, f family) { r.Quote.Fragment = true }, 0},
		{"quote of no method", ReasonNoKey, func(r *frame.Reply, f family) { r.Quote.Method = 0 }, 0},
		{"quote of another method", ReasonUnknown, func(r *frame.Reply, f family) { r.Quote.Method = r.Quote.Method%3 + 1 }, 0},
		{"quoted source port", ReasonUnknown, func(r *frame.Reply, f family) { r.Quote.SrcPort++ }, 0},
		{"quoted destination port", ReasonUnknown, func(r *frame.Reply, f family) { r.Quote.DstPort++ }, frame.UDP},
		{"quoted destination port", ReasonUnknown, func(r *frame.Reply, f family) { r.Quote.DstPort++ }, frame.TCP},
		{"quoted destination port", ReasonUnknown, func(r *frame.Reply, f family) { r.Quote.DstPort++ }, frame.UDPLite},
		{"quoted destination port", ReasonUnknown, func(r *frame.Reply, f family) { r.Quote.DstPort++ }, frame.DCCP},
		{"quoted DCCP sequence", ReasonSequence, func(r *frame.Reply, f family) { r.Quote.Seq++ }, frame.DCCP},
		{"quoted echo sequence", ReasonUnknown, func(r *frame.Reply, f family) { r.Quote.Seq++ }, frame.ICMP},
		{"quoted TCP sequence", ReasonSequence, func(r *frame.Reply, f family) { r.Quote.Seq++ }, frame.TCP},
		{"quoted source", ReasonAddress, func(r *frame.Reply, f family) { r.Quote.Src = f.other }, 0},
		{"quoted destination", ReasonAddress, func(r *frame.Reply, f family) { r.Quote.Dst = f.other }, 0},
		{"quoted address and sequence", ReasonAddress, func(r *frame.Reply, f family) {
			r.Quote.Dst = f.other
			r.Quote.Seq++
		}, frame.TCP},
	}
	answers := []change{
		{"bad checksum", ReasonChecksum, func(r *frame.Reply, f family) { r.Checksum = frame.ChecksumBad }, 0},
		{"from another host", ReasonSource, func(r *frame.Reply, f family) { r.From = f.other }, 0},
		{"to another host", ReasonAddress, func(r *frame.Reply, f family) { r.To = f.other }, 0},
		{"other identifier or destination port", ReasonUnknown, func(r *frame.Reply, f family) { r.SrcPort++ }, 0},
		{"other echo sequence", ReasonUnknown, func(r *frame.Reply, f family) { r.Seq++ }, frame.ICMP},
		{"acknowledges too much", ReasonSequence, func(r *frame.Reply, f family) { r.Ack++ }, frame.TCP},
		{"acknowledges too little", ReasonSequence, func(r *frame.Reply, f family) { r.Ack -= 2 }, frame.TCP},
		{"acknowledges too much", ReasonSequence, func(r *frame.Reply, f family) { r.Ack++ }, frame.DCCP},
		{"acknowledges too little", ReasonSequence, func(r *frame.Reply, f family) { r.Ack-- }, frame.DCCP},
	}
	forEach(t, func(t *testing.T, f family, m frame.Method) {
		run := func(c change, whole func(*frame.Probe) frame.Reply) {
			if c.only != 0 && c.only != m {
				return
			}
			table := NewTable(1)
			p := f.sampleProbe(m, 0)
			table.Add(0, &p, sent)
			r := whole(&p)
			c.reply(&r, f)
			var got Match
			table.Match(&r, sent+rtt, &got)
			want := Match{Verdict: Stray, Reason: c.reason, Tag: -1, At: sent + rtt}
			if d := cmp.Diff(want, got, ignoreReply, sameAddr); d != "" {
				t.Errorf("%s (-want +got):\n%s", c.name, d)
			}
			counts := Counts{Sent: 1, InFlight: 1, Received: 1}
			counts.Stray[c.reason] = 1
			wantCounts(t, table, counts)
			r = whole(&p)
			if table.Match(&r, sent+rtt, &got); got.Verdict != Exact {
				t.Errorf("%s: the right reply behind it is %v, want exact", c.name, got.Verdict)
			}
		}
		for _, c := range errors {
			run(c, func(p *frame.Probe) frame.Reply { return exceeded(p, f.router) })
		}
		for _, c := range answers {
			run(c, answer)
		}
	})
}

func TestMatchTCPAcknowledgment(t *testing.T) {
	const syn, fin, ack, rst = frame.FlagSYN, frame.FlagFIN, frame.FlagACK, frame.FlagRST
	for _, c := range []struct {
		name          string
		probe, answer uint8
		ack           uint32 // relative to the probe's sequence
		want          Verdict
	}{
		{"SYN, SYN-ACK", syn, syn | ack, 1, Exact},
		{"SYN, RST-ACK", syn, rst | ack, 1, Exact},
		{"ACK, challenge of the same number", ack, ack, 0, Exact},
		{"ACK, RST", ack, rst, 0x5555, Exact},
		{"no flags back", syn, 0, 0x5555, Exact},
		{"SYN-FIN, RST-ACK", syn | fin, rst | ack, 2, Exact},
		{"SYN, two too many", syn, rst | ack, 2, Stray},
		{"SYN-FIN, three too many", syn | fin, rst | ack, 3, Stray},
		{"SYN, one too few", syn, rst | ack, ^uint32(0), Stray},
	} {
		p := ipv4.sampleProbe(frame.TCP, 15) // its sequence is the last before the wrap
		p.TCP.Flags = c.probe
		table := NewTable(1)
		table.Add(0, &p, sent)
		r := answer(&p)
		r.Flags, r.Ack = c.answer, p.Seq+c.ack
		var m Match
		if table.Match(&r, sent+rtt, &m); m.Verdict != c.want {
			t.Errorf("%s: %v (%v), want %v", c.name, m.Verdict, m.Reason, c.want)
		}
	}
}

func TestMatchRTTIsPositive(t *testing.T) {
	p := ipv4.sampleProbe(frame.UDP, 0)
	table := NewTable(1)
	table.Add(0, &p, sent)
	r := answer(&p)
	var m Match
	if table.Match(&r, sent-time.Microsecond, &m); m.RTT != 1 || m.At != sent-time.Microsecond {
		t.Errorf("reply before the probe: RTT %v at %v, want 1ns at %v", m.RTT, m.At, sent-time.Microsecond)
	}
}
