package rx

import (
	"testing"
	"time"

	"github.com/hopquote/hopquote/frame"
)

// step is one call on a table, and for a reply what must come of it.
type step struct {
	do      string // add, expire, forget, reply
	tag     int
	probe   frame.Probe
	sentAt  time.Duration
	reply   frame.Reply
	verdict Verdict
	reason  Reason
}

func runSteps(t *testing.T, steps []step) *Table {
	t.Helper()
	table := NewTable(0)
	for i, s := range steps {
		switch s.do {
		case "add":
			table.Add(s.tag, &s.probe, s.sentAt)
		case "expire":
			table.Expire(s.tag)
		case "forget":
			table.Forget(s.tag)
		case "reply":
			var m Match
			table.Match(&s.reply, sent+time.Second, &m)
			if m.Verdict != s.verdict || m.Reason != s.reason || m.Tag != s.tag {
				t.Fatalf("step %d: %v (%v) for tag %d, want %v (%v) for %d", i, m.Verdict, m.Reason, m.Tag, s.verdict, s.reason, s.tag)
			}
			if m.Verdict.Attributed() && m.RTT != sent+time.Second-s.sentAt {
				t.Fatalf("step %d: RTT %v, want %v", i, m.RTT, sent+time.Second-s.sentAt)
			}
		default:
			t.Fatalf("step %d: no call %q", i, s.do)
		}
	}
	return table
}

func TestTableLife(t *testing.T) {
	p := ipv4.sampleProbe(frame.UDP, 0)
	r := exceeded(&p, ipv4.router)
	resent := ipv4.sampleProbe(frame.UDP, 1)
	again := exceeded(&resent, ipv4.router)
	unknown := Counts{}.Stray
	unknown[ReasonUnknown] = 1
	for _, c := range []struct {
		name  string
		steps []step
		want  Counts
	}{
		{"answered twice", []step{
			{do: "add", tag: 7, probe: p, sentAt: sent},
			{do: "reply", tag: 7, reply: r, sentAt: sent, verdict: Exact},
			{do: "reply", tag: 7, reply: r, sentAt: sent, verdict: Duplicate},
		}, Counts{Sent: 1, Answered: 1, Received: 2, Matched: 1, Duplicate: 1}},
		{"late, twice", []step{
			{do: "add", tag: 7, probe: p, sentAt: sent},
			{do: "expire", tag: 7},
			{do: "expire", tag: 7},
			{do: "reply", tag: 7, reply: r, sentAt: sent, verdict: Late},
			{do: "reply", tag: 7, reply: r, sentAt: sent, verdict: Late},
		}, Counts{Sent: 1, Expired: 1, Received: 2, Late: 2}},
		{"expired after the answer", []step{
			{do: "add", tag: 7, probe: p, sentAt: sent},
			{do: "reply", tag: 7, reply: r, sentAt: sent, verdict: Exact},
			{do: "expire", tag: 7},
			{do: "reply", tag: 7, reply: r, sentAt: sent, verdict: Duplicate},
		}, Counts{Sent: 1, Answered: 1, Received: 2, Matched: 1, Duplicate: 1}},
		{"forgotten", []step{
			{do: "add", tag: 7, probe: p, sentAt: sent},
			{do: "forget", tag: 7},
			{do: "forget", tag: 7},
			{do: "expire", tag: 7},
			{do: "reply", tag: -1, reply: r, verdict: Foreign, reason: ReasonUnknown},
		}, Counts{Sent: 1, Expired: 1, Received: 1, Stray: unknown}},
		{"sent anew", []step{
			{do: "add", tag: 7, probe: p, sentAt: sent},
			{do: "add", tag: 7, probe: resent, sentAt: sent + 1},
			{do: "reply", tag: 7, reply: r, sentAt: sent, verdict: Late},
			{do: "reply", tag: 7, reply: again, sentAt: sent + 1, verdict: Exact},
			{do: "forget", tag: 7},
			{do: "add", tag: 7, probe: p, sentAt: sent + 2},
			{do: "reply", tag: 7, reply: r, sentAt: sent + 2, verdict: Exact},
		}, Counts{Sent: 3, Answered: 2, Expired: 1, Received: 3, Matched: 2, Late: 1}},
		{"sent anew after an answer", []step{
			{do: "add", tag: 7, probe: p, sentAt: sent},
			{do: "reply", tag: 7, reply: r, sentAt: sent, verdict: Exact},
			{do: "add", tag: 7, probe: resent, sentAt: sent + 1},
			{do: "reply", tag: 7, reply: r, sentAt: sent, verdict: Duplicate},
		}, Counts{Sent: 2, Answered: 1, InFlight: 1, Received: 2, Matched: 1, Duplicate: 1}},
		{"forgotten with its elders", []step{
			{do: "add", tag: 7, probe: p, sentAt: sent},
			{do: "add", tag: 7, probe: resent, sentAt: sent + 1},
			{do: "forget", tag: 7},
			{do: "reply", tag: -1, reply: r, verdict: Foreign, reason: ReasonUnknown},
		}, Counts{Sent: 2, Expired: 2, Received: 1, Stray: unknown}},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantCounts(t, runSteps(t, c.steps), c.want)
		})
	}
}

// Probes with constant ports share their key.
func TestTableSharedKey(t *testing.T) {
	var probes [3]frame.Probe
	var errors, answers [3]frame.Reply
	for n := range probes {
		probes[n] = ipv4.sampleProbe(frame.UDP, n)
		probes[n].DstPort = 53
		errors[n] = exceeded(&probes[n], ipv4.router)
		answers[n] = answer(&probes[n])
	}
	zeroed := errors[0]
	zeroed.Quote.ID = 0
	twin := probes[2]
	twin.ID = probes[1].ID
	add := func(tag int, p frame.Probe) step {
		return step{do: "add", tag: tag, probe: p, sentAt: sent + time.Duration(tag)}
	}
	reply := func(tag int, r frame.Reply, v Verdict) step {
		return step{do: "reply", tag: tag, reply: r, sentAt: sent + time.Duration(tag), verdict: v}
	}
	all := []step{add(0, probes[0]), add(1, probes[1]), add(2, probes[2])}
	refused := func(r frame.Reply, v Verdict, why Reason) step {
		return step{do: "reply", tag: -1, reply: r, verdict: v, reason: why}
	}
	for _, c := range []struct {
		name  string
		steps []step
	}{
		{"the quoted ID decides", append(all[:3:3],
			reply(1, errors[1], Exact), reply(0, errors[0], Exact), reply(1, errors[1], Duplicate), reply(2, errors[2], Exact))},
		{"without it nothing does", append(all[:3:3],
			refused(zeroed, Spoofed, ReasonCheck), reply(1, errors[1], Exact))},
		{"answers quote none", append(all[:3:3],
			reply(2, answers[0], Undecided), reply(1, answers[0], Undecided), reply(0, answers[0], Undecided), reply(2, answers[0], Duplicate))},
		{"an ID of two decides nothing", []step{add(0, probes[0]), add(1, probes[1]), add(2, twin),
			refused(errors[1], Ambiguous, ReasonAmbiguous), step{do: "expire", tag: 2}, reply(1, errors[1], Exact)}},
		{"an ID of one probe sent anew is the last one's", []step{add(1, probes[1]), {do: "add", tag: 1, probe: twin, sentAt: sent + 1},
			reply(1, errors[1], Exact)}},
		{"the expired one by its ID", append(all[:3:3],
			step{do: "expire", tag: 1}, reply(1, errors[1], Late), reply(2, answers[0], Undecided))},
		{"forgotten in the middle", append(all[:3:3],
			step{do: "forget", tag: 1}, refused(errors[1], Spoofed, ReasonCheck), reply(0, errors[0], Exact))},
		{"forgotten from the middle to the tail", append(all[:3:3],
			step{do: "forget", tag: 1}, step{do: "forget", tag: 0}, add(3, probes[0]), step{do: "forget", tag: 3},
			reply(2, answers[0], Exact), reply(2, answers[0], Duplicate))},
		{"forgotten at the head", append(all[:3:3],
			step{do: "forget", tag: 2}, reply(1, answers[0], Undecided), reply(0, answers[0], Undecided))},
		{"forgotten at the tail", append(all[:3:3],
			step{do: "forget", tag: 0}, reply(2, answers[0], Undecided), reply(1, answers[0], Undecided), reply(2, answers[0], Duplicate))},
	} {
		t.Run(c.name, func(t *testing.T) { runSteps(t, c.steps) })
	}
}

// Of several probes that refuse a reply, the one that it came nearest to gives
// the reason, whatever their order.
func TestTableSharedKeyReason(t *testing.T) {
	near := ipv4.sampleProbe(frame.TCP, 0)
	far := near
	far.Dst = ipv4.other
	r := exceeded(&near, ipv4.router)
	r.Quote.Seq++
	r.Quote.ID += 7
	for _, order := range [][2]frame.Probe{{near, far}, {far, near}} {
		runSteps(t, []step{
			{do: "add", tag: 0, probe: order[0]},
			{do: "add", tag: 1, probe: order[1]},
			{do: "reply", tag: -1, reply: r, verdict: Spoofed, reason: ReasonCheck},
		})
	}
}
