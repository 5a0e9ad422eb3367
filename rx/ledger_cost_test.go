package rx

import (
	"fmt"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/hopquote/hopquote/frame"
)

// skipped is more numbers than a million probes leave out for tokens that they
// can't carry.
const skipped = 100

// crowdOf fills a ledger with UDP probes in flight, each to its destination, and gives every stride-th probe's reply.
func crowdOf(t testing.TB, slots, stride int) (*Ledger, []frame.Reply) {
	t.Helper()
	l := newLedger(t, slots, false)
	p := ipv4.keyed(t, frame.UDP, ipv4.target, 0)
	var replies []frame.Reply
	for i := range max(slots-skipped, 8) {
		p.Dst = netip.AddrFrom4([4]byte{20, byte(i >> 16), byte(i >> 8), byte(i)})
		p.TTL = uint8(i%30 + 1)
		ticket, err := l.Take(i, &p, false)
		if err != nil {
			t.Fatal(err)
		}
		l.Enter(ticket, i, &p, sent)
		if i%stride == 0 {
			r := exceeded(&p, ipv4.router)
			r.Quote.Protocol, r.Quote.Checksum = 17, p.Sum
			replies = append(replies, r)
		}
	}
	return l, replies
}

// A million probes in flight take their slots and the index to them, 26 bytes
// each, and nothing else.
func TestLedgerMemory(t *testing.T) {
	const million = 1 << 20
	for _, c := range []struct {
		v6   bool
		most float64 // bytes a probe
	}{{false, 26}, {true, 42}} {
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		l := newLedger(t, million, c.v6)
		p := ipv4.keyed(t, frame.UDP, ipv4.target, 0)
		for i := range million - skipped {
			p.Dst = netip.AddrFrom4([4]byte{20, byte(i >> 16), byte(i >> 8), byte(i)})
			ticket, err := l.Take(i, &p, false)
			if err != nil {
				t.Fatal(err)
			}
			l.Enter(ticket, i, &p, sent)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		if l.InFlight() != million-skipped {
			t.Errorf("%d in flight", l.InFlight())
		}
		if got := (float64(after.HeapAlloc) - float64(before.HeapAlloc)) / million; got > c.most+0.5 {
			t.Errorf("%.1f bytes a probe in flight, want %v (IPv6 %t)", got, c.most, c.v6)
		}
		runtime.KeepAlive(l)
	}
}

func TestLedgerAllocatesNothing(t *testing.T) {
	const slots = 1 << 10
	l, replies := crowdOf(t, slots, 1)
	stray := replies[0]
	stray.Quote.Dst = ipv4.other
	p := ipv4.keyed(t, frame.UDP, ipv4.target, 9)
	var m Match
	i, now := 0, sent
	turn := func() {
		now += patience
		l.Overdue(now, func(int, *Origin) {})
		ticket, err := l.Take(i, &p, false)
		if err != nil {
			t.Fatal(err)
		}
		l.Enter(ticket, i, &p, now)
		l.Match(&replies[i%len(replies)], now, &m)
		l.Match(&stray, now, &m)
		i++
	}
	if n := testing.AllocsPerRun(3*slots, turn); n != 0 {
		t.Errorf("%v allocations a turn, want 0", n)
	}
}

// BenchmarkLedgerMatch is a reply with a whole token.
func BenchmarkLedgerMatch(b *testing.B) {
	for _, slots := range []int{16, 4096, 1 << 20} {
		b.Run(fmt.Sprintf("inflight=%d", slots), func(b *testing.B) {
			// Few enough replies that they stay in the cache.
			l, replies := crowdOf(b, slots, max(slots/4096, 1))
			var m Match
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				i = (i + 7919) % len(replies)
				l.Match(&replies[i], sent+rtt, &m)
			}
			if m.Verdict == Stray {
				b.Fatalf("stray: %v", m.Reason)
			}
		})
	}
}

// BenchmarkLedgerMatchBlurred is a reply that brings half a token back.
func BenchmarkLedgerMatchBlurred(b *testing.B) {
	l, replies := crowdOf(b, 1<<20, 256)
	var m Match
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i = (i + 7919) % len(replies)
		replies[i].Quote.ID = 0
		l.Match(&replies[i], sent+rtt, &m)
	}
	if m.Verdict == Stray {
		b.Fatalf("stray: %v", m.Reason)
	}
}

// BenchmarkLedgerLife is what a probe costs from its identity to its reply.
func BenchmarkLedgerLife(b *testing.B) {
	for _, slots := range []int{16, 4096, 1 << 20} {
		b.Run(fmt.Sprintf("slots=%d", slots), func(b *testing.B) {
			l := newLedger(b, slots, false)
			p := ipv4.keyed(b, frame.UDP, ipv4.target, 1)
			r := exceeded(&p, ipv4.router)
			r.Quote.Protocol = 17
			var m Match
			now := time.Duration(0)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				i++
				now++
				p.Dst = netip.AddrFrom4([4]byte{20, byte(i >> 16), byte(i >> 8), byte(i)})
				ticket, err := l.Take(i, &p, false)
				if err != nil {
					b.Fatal(err)
				}
				l.Enter(ticket, i, &p, now)
				r.Quote.Dst, r.Quote.ID, r.Quote.Checksum = p.Dst, p.ID, p.Sum
				l.Match(&r, now, &m)
				l.Overdue(now, nil)
			}
			if m.Verdict == Stray {
				b.Fatalf("stray: %v", m.Reason)
			}
		})
	}
}
