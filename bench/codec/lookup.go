package codec

import (
	"fmt"
	"time"

	"github.com/hopquote/hopquote/bench/measure"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
)

// stride visits all of outstanding places out of order, as replies come.
const stride = 7919

// Lookup is the suite of finding a probe among many by its identity.
func Lookup(d time.Duration) measure.Suite {
	return measure.Suite{
		Name: "lookup", Title: fmt.Sprintf("finding one of %d probes in flight", outstanding),
		Labels:  []string{"by"},
		Figures: append(figures[:len(figures):len(figures)], measure.Figure{Key: "ratio", Title: "ratio", Digits: 1, Ratio: "time_ns"}),
		Cases:   []measure.Case{tableCase(d), mapCase(d)},
	}
}

// tableCase fills the table when it is first run, and not where it never is.
func tableCase(d time.Duration) measure.Case {
	var table *rx.Table
	var match rx.Match
	var replies []frame.Reply
	at := 0
	find := func(n int) {
		if table == nil {
			table, replies = crowd(outstanding)
		}
		for range n {
			at = (at + stride) & (outstanding - 1)
			table.Match(&replies[at], 2*time.Second, &match)
		}
	}
	return newCase([]string{"match table, all verified"}, "", d, find, func() error {
		if match.Verdict == rx.Stray {
			return fmt.Errorf("a reply was a stray: %v", match.Reason)
		}
		return nil
	})
}

func mapCase(d time.Duration) measure.Case {
	var byKey map[frame.Key]int32
	var keys []frame.Key
	at, missed := 0, 0
	find := func(n int) {
		if byKey == nil {
			byKey, keys = make(map[frame.Key]int32, outstanding), make([]frame.Key, outstanding)
			for i := range keys {
				p := numbered(i)
				keys[i] = p.Key()
				byKey[keys[i]] = int32(i)
			}
		}
		for range n {
			at = (at + stride) & (outstanding - 1)
			if _, ok := byKey[keys[at]]; !ok {
				missed++
			}
		}
	}
	return newCase([]string{"Go map, look-up alone"}, "", d, find, func() error {
		if missed > 0 {
			return fmt.Errorf("%d keys were not found", missed)
		}
		return nil
	})
}

// numbered is the i-th of many probes, each with ports of its own.
func numbered(i int) frame.Probe {
	p := probe(frame.UDP, false)
	p.SrcPort, p.DstPort, p.ID = uint16(i>>16)+1024, uint16(i), uint16(i)
	return p
}

// crowd is a table of n probes in flight, and the reply to each.
func crowd(n int) (*rx.Table, []frame.Reply) {
	table := rx.NewTable(n)
	replies := make([]frame.Reply, n)
	for i := range replies {
		p := numbered(i)
		table.Add(i, &p, time.Second)
		replies[i] = frame.Reply{
			Kind: frame.KindTimeExceeded, From: router(false), To: p.Src, TTL: 60, Checksum: frame.ChecksumGood,
			Quote: frame.Quote{
				Bytes: 28, Transport: 8, Protocol: 17, Method: frame.UDP, Src: p.Src, Dst: p.Dst, TTL: 1, ID: p.ID,
				Length: p.Size, SrcPort: p.SrcPort, DstPort: p.DstPort,
			},
		}
	}
	return table, replies
}
