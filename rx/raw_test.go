package rx

import (
	"math/bits"
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx/anomaly"
)

// rawSteps writes the steps of a test of Raw probes; probe n has tag n, TTL n+1.
type rawSteps struct {
	f      family
	probes [6]frame.Probe
}

func newRawSteps(f family) *rawSteps {
	s := &rawSteps{f: f}
	for n := range s.probes {
		s.probes[n] = f.sampleProbe(frame.Raw, n)
	}
	return s
}

func (s *rawSteps) add(tags ...int) (steps []step) {
	for _, n := range tags {
		steps = append(steps, step{do: "add", tag: n, probe: s.probes[n], sentAt: sent})
	}
	return steps
}

func (s *rawSteps) quote(n int, edit func(q *frame.Quote), tag int, v Verdict, why Reason) step {
	r := exceeded(&s.probes[n], s.f.router)
	if edit != nil {
		edit(&r.Quote)
	}
	if v == Stray {
		v = Foreign // it quotes something
	}
	return step{do: "reply", tag: tag, reply: r, sentAt: sent, verdict: v, reason: why}
}

func (s *rawSteps) answer(tag int, v Verdict, why Reason) step {
	return step{do: "reply", tag: tag, reply: answer(&s.probes[0]), sentAt: sent, verdict: v, reason: why}
}

func TestRawMatch(t *testing.T) {
	for _, f := range []family{ipv4, ipv6} {
		s := newRawSteps(f)
		zeroed := func(q *frame.Quote) { q.ID, q.Label = 0, 0 }
		foreign := func(q *frame.Quote) { q.ID, q.Label = 0x7777, 0x77777 }
		shorter := func(q *frame.Quote) { q.Transport, q.Bytes = 7, q.Bytes-q.Transport+7 }
		whole := func(q *frame.Quote) { q.Length, q.Bytes = q.Length-q.Transport, q.Length-q.Transport; q.Transport = 0 }
		protocol := func(q *frame.Quote) { q.Protocol++ }
		elsewhere := func(q *frame.Quote) { q.Dst = f.other }
		asUDP := func(q *frame.Quote) { q.Method, q.SrcPort, q.DstPort = frame.UDP, 0x4041, 0x4243 }
		for name, steps := range map[string][]step{
			"quotes find their probes": append(s.add(0, 1, 2),
				s.quote(1, nil, 1, Exact, 0), s.quote(0, nil, 0, Exact, 0), s.quote(1, nil, 1, Duplicate, 0), s.quote(2, nil, 2, Exact, 0)),
			"expired": append(s.add(0, 1), step{do: "expire", tag: 0}, s.quote(0, nil, 0, Late, 0), s.quote(1, nil, 1, Exact, 0)),
			"forgotten": append(s.add(0, 1), step{do: "forget", tag: 0},
				s.quote(0, foreign, -1, Stray, ReasonUnknown), s.quote(1, nil, 1, Exact, 0)),
			"identity zeroed, alone in flight": append(s.add(0), s.quote(0, zeroed, 0, Rewritten, 0)),
			"identity zeroed, one of two":      append(s.add(0, 1), s.quote(0, zeroed, -1, Stray, ReasonUnknown)),
			"foreign identity":                 append(s.add(0), s.quote(0, foreign, -1, Stray, ReasonUnknown)),
			"7 bytes of more":                  append(s.add(0), s.quote(0, shorter, -1, Stray, ReasonUnknown)),
			"no bytes as there were none":      append(s.add(0), s.quote(0, whole, 0, Rewritten, 0)),
			"another protocol":                 append(s.add(0), s.quote(0, protocol, -1, Stray, ReasonUnknown)),
			"another destination":              append(s.add(0), s.quote(0, elsewhere, -1, Stray, ReasonAddress)),
			"payload read as a UDP header":     append(s.add(0), s.quote(0, asUDP, 0, Exact, 0)),
			"answers go to the oldest": append(s.add(0, 1, 2),
				s.answer(0, Exact, 0), s.answer(1, Exact, 0), s.answer(2, Exact, 0), s.answer(-1, Stray, ReasonUnknown)),
			"answers go past the routers": append(s.add(0, 1, 2, 3, 4),
				s.quote(1, nil, 1, Exact, 0), s.answer(2, Exact, 0), s.quote(0, nil, 0, Exact, 0), s.answer(3, Exact, 0), s.answer(4, Exact, 0)),
			"a silent router's probe is no answer's": append(s.add(0, 1, 2),
				s.quote(1, nil, 1, Exact, 0), s.answer(2, Exact, 0), s.answer(-1, Stray, ReasonUnknown)),
			"lost ones in the middle and at the ends": append(s.add(0, 1, 2, 3, 4),
				step{do: "expire", tag: 2}, step{do: "expire", tag: 0}, step{do: "forget", tag: 4},
				s.answer(1, Exact, 0), s.answer(3, Exact, 0), s.answer(-1, Stray, ReasonUnknown)),
			"sent anew": append(s.add(0, 0), s.answer(0, Exact, 0), s.answer(-1, Stray, ReasonUnknown)),
		} {
			t.Run(f.local.String()+"/"+name, func(t *testing.T) {
				table := runSteps(t, steps)
				if c := table.Counts(); !c.Balanced() {
					t.Errorf("counts don't balance: %+v", c)
				}
			})
		}
	}
}

func TestRawAnswerOfOthers(t *testing.T) {
	p := ipv4.sampleProbe(frame.Raw, 0)
	table := NewTable(1)
	table.Add(0, &p, sent)
	for name, edit := range map[string]func(r *frame.Reply){
		"from another host":   func(r *frame.Reply) { r.From = ipv4.other },
		"to another host":     func(r *frame.Reply) { r.To = ipv4.other },
		"of another protocol": func(r *frame.Reply) { r.Protocol++ },
	} {
		r := answer(&p)
		edit(&r)
		var m Match
		if table.Match(&r, sent+rtt, &m); m.Verdict != Stray || m.Reason != ReasonUnknown {
			t.Errorf("%s: %v (%v), want an unknown stray", name, m.Verdict, m.Reason)
		}
	}
	// A protocol that has a method of its own is answered by its packets too.
	p.Protocol = protoUDP
	table.Add(0, &p, sent)
	r := answer(&p)
	r.Kind = frame.KindUDP
	var m Match
	if table.Match(&r, sent+rtt, &m); m.Verdict != Exact {
		t.Errorf("UDP datagram: %v (%v), want exact", m.Verdict, m.Reason)
	}
}

func TestRawIDSwapped(t *testing.T) {
	p := ipv4.sampleProbe(frame.Raw, 0)
	table := NewTable(1)
	table.Add(0, &p, sent)
	r := exceeded(&p, ipv4.router)
	r.Quote.ID = bits.ReverseBytes16(p.ID)
	var m Match
	if table.Match(&r, sent+rtt, &m); m.Verdict != Rewritten || m.Flags&anomaly.Rewrites != anomaly.IDSwapped {
		t.Errorf("%v, diff %v; want rewritten, %v", m.Verdict, m.Flags, anomaly.IDSwapped)
	}
}

// The destination of a quote changes from gateway to gateway.
func TestRoutedQuotes(t *testing.T) {
	for _, c := range []struct {
		f    family
		kind frame.RouteKind
	}{{ipv4, frame.LSRR}, {ipv4, frame.LSRROnce}, {ipv6, frame.Routing0}, {ipv6, frame.Routing4}} {
		g1, g2 := c.f.router, c.f.router.Next()
		route, err := frame.NewRoute(c.kind, []netip.Addr{g1, g2})
		if err != nil {
			t.Fatal(err)
		}
		for m := frame.UDP; m <= frame.Raw; m++ {
			p := c.f.sampleProbe(m, 0)
			p.Route = route
			p.Size += route.HeaderLen()
			for _, quoted := range []netip.Addr{g1, g2, p.Dst} {
				r := exceeded(&p, c.f.router)
				r.Quote.Dst = quoted
				table := NewTable(1)
				table.Add(0, &p, sent)
				var got Match
				if table.Match(&r, sent+rtt, &got); got.Verdict != Exact {
					t.Errorf("%s by kind %d: quote to %v is %v (%v, diff %v)", m, c.kind, quoted, got.Verdict, got.Reason, got.Flags)
				}
			}
			r := exceeded(&p, c.f.router)
			r.Quote.Dst = c.f.other
			r.Quote.ID += 7
			r.Quote.Seq += 1 << 20
			r.Quote.Label++
			table := NewTable(1)
			table.Add(0, &p, sent)
			var got Match
			if table.Match(&r, sent+rtt, &got); got.Verdict != Foreign {
				t.Errorf("%s by kind %d: quote to a stranger is %v (%v)", m, c.kind, got.Verdict, got.Reason)
			}
			gate := answer(&p)
			gate.From = g1
			if table.Match(&gate, sent+rtt, &got); got.Verdict != Stray && got.Flags&anomaly.OtherAddress == 0 {
				t.Errorf("%s by kind %d: a gateway's direct answer is %v", m, c.kind, got.Verdict)
			}
		}
	}
}

func TestRawAllocatesNothing(t *testing.T) {
	s := newRawSteps(ipv4)
	table := NewTable(8)
	var quotes, answers [6]frame.Reply
	for n := range s.probes {
		quotes[n], answers[n] = exceeded(&s.probes[n], ipv4.router), answer(&s.probes[n])
	}
	i := 0
	churn := func() {
		n := i % len(s.probes)
		i++
		var m Match
		table.Add(n, &s.probes[n], sent)
		table.Match(&quotes[n], sent+rtt, &m)
		table.Match(&answers[n], sent+rtt, &m)
		table.Forget(n)
	}
	for range 10_000 {
		churn() // the maps settle their groups
	}
	if n := testing.AllocsPerRun(1000, churn); n != 0 {
		t.Errorf("a Raw probe's life allocates %v times, want 0", n)
	}
}

// Whatever comes and goes, a line holds just the Raw probes in flight, in order.
func TestRawLineProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := NewTable(0)
		id := uint16(0)
		check := func(t *rapid.T) {
			seen := uint64(0)
			for f, l := range table.lines {
				before := int32(none)
				for i := l.oldest; i != none; i = table.links[i].behind {
					e := &table.entries[i]
					if e.state != inFlight || e.flow() != f || table.links[i].ahead != before || before != none && table.entries[before].id > e.id {
						t.Fatalf("entry %+v behind %d in line %+v", e, before, f)
					}
					before = i
					seen++
				}
				if l.newest != before {
					t.Fatalf("line ends with %d, want %d", l.newest, before)
				}
			}
			if c := table.Counts(); seen != c.InFlight || !c.Balanced() {
				t.Fatalf("%d in lines, counts %+v", seen, c)
			}
		}
		probe := func(t *rapid.T) frame.Probe {
			p := ipv4.sampleProbe(frame.Raw, rapid.IntRange(0, 4).Draw(t, "n"))
			p.Dst = rapid.SampledFrom([]netip.Addr{ipv4.target, ipv4.other}).Draw(t, "destination")
			return p
		}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				p := probe(t)
				id++
				p.ID = id
				table.Add(anyTag.Draw(t, "tag"), &p, sent)
			},
			"expire": func(t *rapid.T) { table.Expire(anyTag.Draw(t, "tag")) },
			"forget": func(t *rapid.T) { table.Forget(anyTag.Draw(t, "tag")) },
			"match": func(t *rapid.T) {
				p := probe(t)
				r := answer(&p)
				if rapid.Bool().Draw(t, "quote") {
					p.ID = uint16(rapid.IntRange(0, int(id)).Draw(t, "id"))
					r = exceeded(&p, ipv4.router)
				}
				var m Match
				table.Match(&r, sent+rtt, &m)
			},
			"": check,
		})
	})
}
