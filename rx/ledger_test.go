package rx

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx/anomaly"
)

// forEachKeyed runs a test for every method that carries a token.
func forEachKeyed(t *testing.T, f func(*testing.T, family, frame.Method)) {
	for _, fam := range []family{ipv4, ipv6} {
		for _, m := range []frame.Method{frame.UDP, frame.ICMP, frame.TCP, frame.UDPLite} {
			t.Run(fmt.Sprintf("%v/%s", fam.local, m), func(t *testing.T) { f(t, fam, m) })
		}
	}
}

func TestLedgerMatch(t *testing.T) {
	forEachKeyed(t, func(t *testing.T, f family, m frame.Method) {
		l := newLedger(t, 64, f.local.Is6())
		const n = 20
		var probes [n]frame.Probe
		var wires [n][]byte
		for i := range probes {
			probes[i] = f.keyed(t, m, f.target, uint8(i+1))
			wires[i] = l.send(t, 1000+i, &probes[i], sent+time.Duration(i))
		}
		want := func(i int, v Verdict) Match {
			return Match{
				Verdict: v, Tag: 1000 + i, RTT: rtt - time.Duration(i), At: sent + rtt,
				Origin: Origin{Dst: f.target, TTL: uint8(i + 1), Sent: sent + time.Duration(i)},
				Flags:  anomaly.TTL, // nobody counts it down here
			}
		}
		header := 20
		if f.local.Is6() {
			header = 40
		}
		for i := n - 1; i >= 0; i-- {
			length := len(wires[i]) // of the quote
			if i%3 == 1 {
				length = header + 8
			}
			r := quoted(t, f.router, f.local, wires[i], length)
			expect := want(i, Exact)
			if i == 0 {
				expect.Flags = 0 // its TTL is 1
			}
			if i%3 == 2 {
				r = answeredBy(t, &probes[i], wires[i])
				expect.Flags = 0
				if m == frame.UDP || m == frame.UDPLite {
					// The one with the highest TTL is the likeliest.
					expect.Ambiguous = true // or was, for the last
				}
			}
			for _, v := range []Verdict{Exact, Duplicate} {
				if expect.Verdict = v; v == Exact && expect.Ambiguous {
					expect.Verdict = Undecided
				}
				if v == Duplicate {
					expect.Flags |= anomaly.Duplicate
				}
				if v == Duplicate && expect.Ambiguous {
					continue // others are still in flight: it is theirs
				}
				var got Match
				l.Match(&r, sent+rtt, &got)
				if d := cmp.Diff(expect, got, ignoreReply, sameAddr); d != "" {
					t.Errorf("probe %d, %v (%v) (-want +got):\n%s", i, got.Verdict, got.Reason, d)
				}
			}
		}
		if c := l.Counts(); !c.Balanced() || c.InFlight != 0 || l.InFlight() != 0 || c.Matched != n {
			t.Errorf("counts %+v", c)
		}
	})
}

// What is changed on the way is told as long as the token is whole; a token that
// is no probe's is refused.
func TestLedgerRewritten(t *testing.T) {
	forEachKeyed(t, func(t *testing.T, f family, m frame.Method) {
		for _, c := range []struct {
			name   string
			change func(l *Ledger, q *frame.Probe)
			flag   anomaly.Flag // of the error, 0: refused
			answer anomaly.Flag // of the answer, if its method brings anything back
		}{
			{"destination", func(l *Ledger, q *frame.Probe) { q.Dst = f.other }, anomaly.Destination, anomaly.OtherAddress},
			{"source", func(l *Ledger, q *frame.Probe) { q.Src = f.other }, anomaly.Source, 0},
			{"source port", func(l *Ledger, q *frame.Probe) { q.SrcPort++ }, anomaly.SourcePort, 0},
			{"destination port", func(l *Ledger, q *frame.Probe) {
				if q.DstPort++; q.Method == frame.ICMP {
					q.DstPort, q.SrcPort = 0, q.SrcPort+1
				}
			}, anomaly.DestinationPort, 0},
			{"token", func(l *Ledger, q *frame.Probe) {
				q.ID += 99
				q.SetToken(l.cipher.Encrypt(7))
			}, 0, 0},
			{"method", func(l *Ledger, q *frame.Probe) {
				other := frame.UDP
				if m == frame.UDP {
					other = frame.UDPLite
				}
				*q = f.keyed(t, other, f.target, 5)
				q.SetToken(l.cipher.Encrypt(0))
			}, 0, 0},
		} {
			for _, direct := range []bool{false, true} {
				l := newLedger(t, 64, f.local.Is6())
				p := f.keyed(t, m, f.target, 5)
				wire := l.send(t, 5, &p, sent)
				q := p
				c.change(l, &q)
				r, want := quoted(t, f.router, f.local, onWire(t, &q), 200), c.flag
				if direct {
					r, want = answeredBy(t, &q, onWire(t, &q)), c.answer
					switch {
					case q.Method == frame.TCP || q.Method == frame.ICMP:
					case c.name == "token":
						continue // carries none
					default:
						want = 0
					}
				}
				if m == frame.ICMP && want == anomaly.DestinationPort {
					want = anomaly.SourcePort
				}
				var got Match
				l.Match(&r, sent+rtt, &got)
				if want == 0 {
					if got.Verdict.Attributed() || got.Reason == ReasonNone || got.Tag != -1 {
						t.Errorf("another %s, kind %d: %v for tag %d", c.name, r.Kind, got.Verdict, got.Tag)
					}
					r = quoted(t, f.router, f.local, wire, 200)
					if l.Match(&r, sent+rtt, &got); got.Verdict != Exact {
						t.Errorf("the right one behind it: %v (%v)", got.Verdict, got.Reason)
					}
				} else if got.Tag != 5 || got.Flags&want == 0 {
					t.Errorf("another %s, kind %d: %v (%v) for tag %d, %v; want %v", c.name, r.Kind, got.Verdict, got.Reason, got.Tag, got.Flags, want)
				}
			}
		}
	})
}

func TestLedgerExpiry(t *testing.T) {
	l := newLedger(t, 8, false)
	if due := l.Overdue(time.Hour, nil); due != math.MaxInt64 {
		t.Errorf("an empty ledger has something due at %v", due)
	}
	var wires [6][]byte
	for i := range wires {
		p := ipv4.keyed(t, frame.UDP, ipv4.target, uint8(i+1))
		wires[i] = l.send(t, i, &p, sent+time.Duration(i)*time.Millisecond)
	}
	match := func(i int, at time.Duration) Verdict {
		r := quoted(t, ipv4.router, ipv4.local, wires[i], 28)
		var m Match
		l.Match(&r, at, &m)
		return m.Verdict
	}
	match(1, sent+10*time.Millisecond)
	match(3, sent+10*time.Millisecond)
	var log []string
	note := func(tag int, o *Origin) { log = append(log, fmt.Sprint(tag, o.TTL, o.Dst, o.Sent)) }
	due := l.Overdue(sent+patience+2*time.Millisecond, note)
	if want := sent + 4*time.Millisecond + patience; due != want {
		t.Errorf("next due at %v, want %v", due, want)
	}
	want := []string{fmt.Sprint(0, 1, ipv4.target, sent), fmt.Sprint(2, 3, ipv4.target, sent+2*time.Millisecond)}
	if d := cmp.Diff(want, log); d != "" {
		t.Errorf("given up (-want +got):\n%s", d)
	}
	for i, v := range []Verdict{Late, Duplicate, Late, Duplicate, Exact, Exact} {
		if got := match(i, sent+patience+3*time.Millisecond); got != v {
			t.Errorf("reply to probe %d: %v, want %v", i, got, v)
		}
	}
	if due := l.Overdue(time.Hour, note); due != math.MaxInt64 || len(log) != 2 {
		t.Errorf("all are settled, but due at %v, log %v", due, log)
	}
	if c := l.Counts(); !c.Balanced() || c.Expired != 2 || c.Answered != 4 || c.Late != 2 {
		t.Errorf("counts %+v", c)
	}
}

// Slots are taken again, and numbers wrap: what is known is the last size probes.
func TestLedgerWraps(t *testing.T) {
	l := newLedger(t, 8, false)
	const first = math.MaxUint32 - 20
	l.next, l.entered, l.tail = first, first, first
	var wires [][]byte
	match := func(i int) Match {
		r := quoted(t, ipv4.router, ipv4.local, wires[i], 28)
		var m Match
		l.Match(&r, sent+time.Duration(len(wires)), &m)
		return m
	}
	for i := range 60 {
		p := ipv4.keyed(t, frame.UDP, ipv4.target, 1)
		wires = append(wires, l.send(t, i, &p, sent+time.Duration(i)))
		if m := match(i); m.Verdict != Exact || m.Tag != i {
			t.Fatalf("probe %d: %v (%v) for tag %d", i, m.Verdict, m.Reason, m.Tag)
		}
		for back := range i + 1 {
			want := Foreign
			if back < 8 {
				want = Duplicate
			}
			if m := match(i - back); m.Verdict != want || want == Duplicate && m.Tag != i-back {
				t.Fatalf("%d probes after probe %d: %v for tag %d, want %v", back, i-back, m.Verdict, m.Tag, want)
			}
		}
	}
}

func TestLedgerBusy(t *testing.T) {
	l := newLedger(t, 3, false) // 4
	p := ipv4.keyed(t, frame.UDP, ipv4.target, 1)
	var wires [][]byte
	for i := range 4 {
		wires = append(wires, l.send(t, i, &p, sent))
	}
	if _, err := l.Take(4, &p, false); !errors.Is(err, ErrBusy) {
		t.Errorf("a fifth probe in four slots: %v, want busy", err)
	}
	answer := func(i int) {
		r := quoted(t, ipv4.router, ipv4.local, wires[i], 28)
		var m Match
		l.Match(&r, sent+rtt, &m)
	}
	answer(1)
	if _, err := l.Take(4, &p, false); !errors.Is(err, ErrBusy) {
		t.Errorf("while the oldest is in flight: %v, want busy", err)
	}
	answer(0)
	for i := 4; i < 6; i++ {
		l.send(t, i, &p, sent)
	}
	l.Overdue(sent+patience, nil)
	l.send(t, 6, &p, sent)
	if c := l.Counts(); !c.Balanced() || c.InFlight != 1 || c.Expired != 4 {
		t.Errorf("counts %+v", c)
	}
}

func TestLedgerRefusals(t *testing.T) {
	for _, c := range []LedgerConfig{{Timeout: 1}, {Timeout: 1, Slots: -1}, {Timeout: 1, Slots: MaxSlots + 1}, {Slots: 1}} {
		if l, err := NewLedger(c); err == nil {
			t.Errorf("%+v: no error, %d slots", c, l.ring.size)
		}
	}
	l := newLedger(t, 8, false)
	for name, change := range map[string]func(tag *int, p *frame.Probe){
		"negative tag": func(tag *int, _ *frame.Probe) { *tag = -1 },
		"great tag":    func(tag *int, _ *frame.Probe) { *tag = MaxTag + 1 },
		"IPv6":         func(_ *int, p *frame.Probe) { *p = ipv6.keyed(t, frame.UDP, ipv6.target, 1) },
		"not keyed":    func(_ *int, p *frame.Probe) { p.Fixed = false },
		"DCCP":         func(_ *int, p *frame.Probe) { p.Method = frame.DCCP },
	} {
		tag, p := 1, ipv4.keyed(t, frame.UDP, ipv4.target, 1)
		change(&tag, &p)
		if _, err := l.Take(tag, &p, false); err == nil || errors.Is(err, ErrBusy) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	p := ipv4.keyed(t, frame.UDP, ipv4.target, 1)
	l.send(t, MaxTag, &p, sent)
}

// The length that is quoted of a probe that left in fragments is not compared.
func TestLedgerFragments(t *testing.T) {
	l := newLedger(t, 8, false)
	p := ipv4.keyed(t, frame.UDP, ipv4.target, 1)
	ticket, err := l.Take(3, &p, true)
	if err != nil {
		t.Fatal(err)
	}
	l.Enter(ticket, 3, &p, sent)
	wire := onWire(t, &p)
	wire[3]-- // of the length
	r := quoted(t, ipv4.router, ipv4.local, wire, 28)
	var m Match
	if l.Match(&r, sent+rtt, &m); m.Verdict != Exact || m.Tag != 3 {
		t.Errorf("%v (%v, %v) for tag %d, want exact for 3", m.Verdict, m.Reason, m.Flags, m.Tag)
	}
}
