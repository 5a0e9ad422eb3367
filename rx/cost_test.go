package rx

import (
	"fmt"
	"testing"

	"github.com/hopquote/hopquote/frame"
)

// crowd is a table of n UDP probes in flight, and the reply to each.
func crowd(n int) (*Table, []frame.Probe, []frame.Reply) {
	table := NewTable(n)
	probes := make([]frame.Probe, n)
	replies := make([]frame.Reply, n)
	for i := range probes {
		p := ipv4.sampleProbe(frame.UDP, 0)
		p.SrcPort, p.DstPort, p.ID = uint16(i>>16)+1024, uint16(i), uint16(i)
		probes[i], replies[i] = p, exceeded(&p, ipv4.router)
		table.Add(i, &p, sent)
	}
	return table, probes, replies
}

func TestMatchAllocatesNothing(t *testing.T) {
	table, _, replies := crowd(200)
	stray := replies[0]
	stray.Quote.Dst = ipv4.other
	var m Match
	i := 0
	if n := testing.AllocsPerRun(1000, func() {
		table.Match(&replies[i%len(replies)], sent+rtt, &m)
		table.Match(&stray, sent+rtt, &m)
		i++
	}); n != 0 {
		t.Errorf("a match allocates %v times, want 0", n)
	}
}

func TestAddAllocatesNothingInSteadyState(t *testing.T) {
	table, probes, _ := crowd(200)
	// The maps settle their groups while keys come and go.
	i := 0
	churn := func() {
		tag := i % len(probes)
		table.Forget(tag)
		table.Add(tag, &probes[tag], sent)
		table.Expire(tag)
		i++
	}
	for range 10_000 {
		churn()
	}
	if n := testing.AllocsPerRun(1000, churn); n != 0 {
		t.Errorf("forgetting and adding a probe allocates %v times, want 0", n)
	}
	if len(table.entries) != len(probes) {
		t.Errorf("%d places for %d probes, want as many", len(table.entries), len(probes))
	}
}

func BenchmarkMatch(b *testing.B) {
	for _, n := range []int{16, 4096, 262144} {
		b.Run(fmt.Sprintf("inflight=%d", n), func(b *testing.B) {
			table, _, replies := crowd(n)
			var m Match
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				// A stride visits them out of order, as replies come.
				i = (i + 7919) % n
				table.Match(&replies[i], sent+rtt, &m)
			}
			if m.Verdict == Stray {
				b.Fatalf("stray: %v", m.Reason)
			}
		})
	}
}

func BenchmarkMatchStray(b *testing.B) {
	table, _, _ := crowd(4096)
	p := ipv4.sampleProbe(frame.TCP, 0)
	r := exceeded(&p, ipv4.router)
	var m Match
	b.ReportAllocs()
	for b.Loop() {
		table.Match(&r, sent+rtt, &m)
	}
}

// BenchmarkLife is what a probe costs the table from Add to Forget.
func BenchmarkLife(b *testing.B) {
	for _, n := range []int{16, 4096, 262144} {
		b.Run(fmt.Sprintf("inflight=%d", n), func(b *testing.B) {
			table, probes, replies := crowd(n)
			var m Match
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				i = (i + 7919) % n
				table.Forget(i)
				table.Add(i, &probes[i], sent)
				table.Match(&replies[i], sent+rtt, &m)
			}
		})
	}
}
