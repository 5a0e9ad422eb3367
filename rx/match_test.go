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

// ignoreReply leaves Match.Reply, a pointer to the test's own, out, and what
// other tests look at.
var ignoreReply = cmpopts.IgnoreFields(Match{}, "Reply", "Rule", "Evidence", "Nth")

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
	if d := cmp.Diff(want, got, cmpopts.IgnoreFields(Counts{}, "Verdicts")); d != "" {
		t.Errorf("counts (-want +got):\n%s", d)
	}
	if !got.Balanced() {
		t.Errorf("counts don't balance: %+v", got)
	}
}

// Every reply that is refused leaves the probe in flight, so that the right one
// still finds it.
func TestMatchRefused(t *testing.T) {
	type change struct {
		name    string
		verdict Verdict
		reason  Reason
		reply   func(r *frame.Reply, f family)
		not     frame.Method // of those that it is no change for, or not enough
	}
	errors := []change{
		{"not IP", Stray, ReasonNoKey, func(r *frame.Reply, f family) { *r = frame.Reply{} }, 0},
		{"truncated", Stray, ReasonTruncated, func(r *frame.Reply, f family) { r.Kind = frame.KindTruncated }, 0},
		{"malformed", Malformed, ReasonMalformed, func(r *frame.Reply, f family) { r.Kind = frame.KindMalformed }, 0},
		{"fragment", Stray, ReasonFragment, func(r *frame.Reply, f family) { r.Kind = frame.KindFragment }, 0},
		{"bad checksum", Stray, ReasonChecksum, func(r *frame.Reply, f family) { r.Checksum = frame.ChecksumBad }, 0},
		{"redirect", Stray, ReasonKind, func(r *frame.Reply, f family) { r.Kind = frame.KindRedirect }, 0},
		{"source quench", Stray, ReasonKind, func(r *frame.Reply, f family) { r.Kind = frame.KindSourceQuench }, 0},
		{"other ICMP", Stray, ReasonKind, func(r *frame.Reply, f family) { r.Kind = frame.KindICMPOther }, 0},
		{"bad checksum of a redirect", Stray, ReasonChecksum, func(r *frame.Reply, f family) {
			r.Kind, r.Checksum = frame.KindRedirect, frame.ChecksumBad
		}, 0},
		{"no quote", Stray, ReasonTruncated, func(r *frame.Reply, f family) { r.Quote = frame.Quote{} }, 0},
		{"malformed quote", Malformed, ReasonMalformed, func(r *frame.Reply, f family) { r.Quote.Malformed = true }, 0},
		{"quote of no method", Foreign, ReasonUnknown, func(r *frame.Reply, f family) { r.Quote.Method, r.Quote.Protocol = 0, 2 }, 0},
		{"quote of another method", Foreign, ReasonUnknown, func(r *frame.Reply, f family) { r.Quote.Method = r.Quote.Method%3 + 1 }, 0},
		{"quoted destination port", Foreign, ReasonUnknown, func(r *frame.Reply, f family) {
			r.Quote.DstPort++
			r.Quote.Seq++
			r.Quote.Checksum += 7
		}, frame.ICMP},
		{"quoted sequence and identification", Spoofed, ReasonCheck, func(r *frame.Reply, f family) {
			r.Quote.Seq++
			r.Quote.ID += 7
			r.Quote.Checksum += 7
		}, frame.ICMP},
		{"quoted source and identification", Foreign, ReasonAddress, func(r *frame.Reply, f family) {
			r.Quote.Src = f.other
			r.Quote.ID += 7
			r.Quote.Seq ^= 1 << 20
		}, frame.TCP},
		{"quoted address and sequence", Foreign, ReasonUnknown, func(r *frame.Reply, f family) {
			r.Quote.Dst = f.other
			r.Quote.Seq++
			r.Quote.DstPort++
			r.Quote.Checksum += 7
		}, 0},
	}
	answers := []change{
		{"bad checksum", Stray, ReasonChecksum, func(r *frame.Reply, f family) { r.Checksum = frame.ChecksumBad }, 0},
		{"from another host", Stray, ReasonAddress, func(r *frame.Reply, f family) { r.From = f.other }, frame.TCP},
		{"to another host", Stray, ReasonAddress, func(r *frame.Reply, f family) { r.To = f.other }, 0},
		{"other identifier or destination port", Stray, ReasonUnknown, func(r *frame.Reply, f family) { r.SrcPort++ }, 0},
	}
	spoofed := map[frame.Method][]func(r *frame.Reply, f family){
		frame.TCP: {
			func(r *frame.Reply, f family) { r.Ack++ },
			func(r *frame.Reply, f family) { r.Ack -= 2 },
		},
		frame.DCCP: {
			func(r *frame.Reply, f family) { r.Ack++ },
			func(r *frame.Reply, f family) { r.Ack-- },
		},
	}
	forEach(t, func(t *testing.T, f family, m frame.Method) {
		run := func(c change, whole func(*frame.Probe) frame.Reply) {
			if c.not == m {
				return
			}
			table := NewTable(1)
			p := f.sampleProbe(m, 0)
			table.Add(0, &p, sent)
			r := whole(&p)
			c.reply(&r, f)
			var got Match
			table.Match(&r, sent+rtt, &got)
			want := Match{Verdict: c.verdict, Reason: c.reason, Tag: -1, At: sent + rtt}
			if d := cmp.Diff(want, got, ignoreReply, sameAddr, cmpopts.IgnoreFields(Match{}, "Flags")); d != "" {
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
			if c.verdict == Spoofed && m != frame.TCP && f.local.Is6() {
				c.reply = func(r *frame.Reply, f family) { r.Quote.Checksum += 7 }
				if m == frame.ICMP {
					continue
				}
			}
			run(c, func(p *frame.Probe) frame.Reply { return exceeded(p, f.router) })
		}
		for _, c := range answers {
			run(c, answer)
		}
		for _, edit := range spoofed[m] {
			run(change{"acknowledges something else", Spoofed, ReasonCheck, edit, 0}, answer)
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
		{"SYN, two too many", syn, rst | ack, 2, Spoofed},
		{"SYN-FIN, three too many", syn | fin, rst | ack, 3, Spoofed},
		{"SYN, one too few", syn, rst | ack, ^uint32(0), Spoofed},
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
